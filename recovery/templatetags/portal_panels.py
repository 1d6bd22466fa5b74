"""What other pages show of the portal: news on the patient's home, and what the team should know of a patient."""

from dataclasses import dataclass
from typing import Any, cast

from django import template
from django.http import HttpRequest
from django.template.context import Context

from recovery.exceptions import NotFound
from recovery.presenters.messages import ThreadLine, staff_thread
from recovery.presenters.portal_consent import staff_lines
from recovery.selectors.consents import withdrawn_for_care
from recovery.selectors.messages import threads_of, unread_of
from recovery.views import door, portal_door

register = template.Library()
SHOWN = 3


@dataclass(frozen=True, slots=True)
class News:
    may_write: bool
    unread: int


@register.simple_tag(takes_context=True)
def portal_news(context: Context) -> News:
    """For the home page: nothing of messages for a caregiver who may not read them."""
    request = cast(HttpRequest, context["request"])
    try:
        found = portal_door.subject(request, "write", door.clock())
    except NotFound:
        return News(False, 0)
    return News(True, unread_of(found.patient_id, None if found.is_self else door.person(request)))


@register.inclusion_tag("parts/portal_panel.html")
def portal_panel(patient_id: int, episode_key: Any) -> dict[str, Any]:
    """For the patient's page, which has checked that this person may see the patient."""
    now = door.clock()
    threads: list[ThreadLine] = [staff_thread(one, now, door.zone()) for one in threads_of(patient_id, for_team=True)]
    return {
        "threads": threads[:SHOWN],
        "more": len(threads) > SHOWN,
        "episode_key": episode_key,
    }


@register.inclusion_tag("parts/consent_notes.html")
def consent_notes(patient_id: int) -> dict[str, Any]:
    """What stands where a chart would be blank because the patient withdrew consent."""
    return {"withdrawn": staff_lines(withdrawn_for_care(patient_id), door.zone())}
