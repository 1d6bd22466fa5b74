"""My consent: what a patient allows, for what, and what they said before."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from recovery.presenters.portal_consent import field_name, past_lines, purpose_cards
from recovery.selectors.consents import consents_of, history_of
from recovery.services import consents
from recovery.views import door, portal_door


@require_GET
def show_consent(request: HttpRequest) -> HttpResponse:
    now = door.clock()
    mine = portal_door.only_self(request, now)
    portal_door.note(request, mine, now, "view_consent")
    context = {
        "cards": purpose_cards(consents_of(mine.patient_id), portal_door.zone_of(mine)),
        "past": past_lines(history_of(mine.patient_id), portal_door.zone_of(mine)),
    }
    return render(request, "portal/consent.html", context)


@require_POST
def decide(request: HttpRequest, purpose: str) -> HttpResponse:
    """All switches of one purpose as they stand on the page: what is not ticked is not allowed."""
    now = door.clock()
    mine = portal_door.only_self(request, now)
    asked = [one for one in consents_of(mine.patient_id) if one.purpose == purpose and one.switchable]
    choices = {(purpose, one.data_type): field_name(purpose, one.data_type) in request.POST for one in asked}
    changed = consents.decide(
        patient_id=mine.patient_id, choices=choices, said_by=mine.name, actor=door.actor(request), now=now
    )
    messages.success(request, _("Saved. It counts from now on.") if changed else _("Nothing was changed."))
    return redirect("me_consent")
