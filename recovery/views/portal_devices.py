"""My devices: what each last sent, which of two to believe, and readings typed in by hand."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from recovery.exceptions import Forbidden, Invalid
from recovery.portal_forms import SourceForm, TypedForm
from recovery.presenters.portal_devices import choice_cards, device_cards, supported
from recovery.presenters.portal_refusals import told
from recovery.selectors.portal_people import Subject
from recovery.selectors.sources import rivals_of, sources_of
from recovery.selectors.vendor_links import links_of
from recovery.services import sources
from recovery.views import door, portal_door
from recovery.views.portal_vendors import cards_of


@require_GET
def show_devices(request: HttpRequest) -> HttpResponse:
    now = door.clock()
    found = portal_door.subject(request, "connect", now)
    portal_door.note(request, found, now, "view_devices")
    return _devices(request, found, TypedForm(), now)


def _devices(request: HttpRequest, found: Subject, form: TypedForm, now: datetime) -> HttpResponse:
    zone = portal_door.zone_of(found)
    seen = sources_of(found.patient_id, now)
    links = links_of(found.patient_id)
    from_makers = {one.source for one in links}  # their cards say it, also of one that was disconnected
    context = {
        "vendors": cards_of(found, links, zone),
        "cards": device_cards([one for one in seen if one.source not in from_makers], now, zone),
        "choices": choice_cards(rivals_of(found.patient_id, seen), seen),
        "supported": supported(),
        "form": form,
        "now": now.astimezone(zone).strftime("%Y-%m-%dT%H:%M"),
    }
    return render(request, "portal/devices.html", context, status=400 if form.errors else 200)


@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    now = door.clock()
    found = portal_door.subject(request, "connect", now)
    sent = door.cleaned(SourceForm(request.POST))
    sources.choose_source(patient_id=found.patient_id, actor=door.actor(request), now=now, **sent)
    messages.success(request, _("Saved. Your curve is being worked out again."))
    return redirect("me_devices")


@require_POST
def type_in(request: HttpRequest) -> HttpResponse:
    """One reading by hand; what was typed is kept when something is wrong with it."""
    now = door.clock()
    found = portal_door.subject(request, "connect", now)
    form = TypedForm(request.POST)
    if form.is_valid():
        sent = form.cleaned_data
        try:
            sources.report_reading(
                patient_id=found.patient_id,
                kind=sent["kind"],
                text=sent["value"],
                at=_moment(sent["kind"], sent["at"], portal_door.zone_of(found), now),
                actor=door.actor(request),
                now=now,
            )
        except (Invalid, Forbidden) as error:
            form.add_error(error.field if error.field in form.fields else None, told(error.message))
        else:
            messages.success(request, _("Thank you. It is kept."))
            return redirect("me_devices")
    return _devices(request, found, form, now)


def _moment(kind: str, said: datetime | None, zone: ZoneInfo, now: datetime) -> datetime:
    """When it was read, by the patient's clock; steps are those of the day before, or of the day that was said."""
    if kind == "steps":
        day = said.date() if said else now.astimezone(zone).date() - timedelta(days=1)
        return datetime.combine(day, time.min, tzinfo=zone)
    return said.replace(tzinfo=zone) if said else now
