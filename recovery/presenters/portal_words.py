"""Times as the portal says them, in the reader's language."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils import dateformat


def moment(at: datetime | None, zone: ZoneInfo) -> str:
    """ "Thu 19 Nov, 14:05" by the clock of `zone`; blank for none."""
    return dateformat.format(at.astimezone(zone), "D j M, H:i") if at else ""


def day(at: datetime | None, zone: ZoneInfo) -> str:
    """ "19 November 2026" by the clock of `zone`; blank for none."""
    return dateformat.format(at.astimezone(zone), "j F Y") if at else ""


def listed(names: list[str]) -> str:
    """ "a, b, c": commas only, because "and" is not a comma in every language."""
    return ", ".join(names)
