"""The hospital's own clock, for a sentence that a person reads."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings


def at_the_hospital(at: datetime) -> str:
    """ "10:05", as the clock on the ward says it."""
    return f"{at.astimezone(ZoneInfo(settings.HOSPITAL_TIME_ZONE)):%H:%M}"
