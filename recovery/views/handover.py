"""The hand-over of a shift: to read, to print, and as PDF."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from recovery.forms import HandoverForm
from recovery.permissions import exportable_episodes
from recovery.presenters.handover import HandoverView, handover_view, shifts_until
from recovery.selectors.handover import Shift, handover
from recovery.selectors.record_notes import handovers_of
from recovery.views import door


@require_GET
def show_handover(request: HttpRequest) -> HttpResponse:
    view, wards, ward, shift = _asked(request, "view_handover")
    context = {"view": view, "wards": wards, "ward": ward, "shift": shift}
    return render(request, "pages/handover.html", context)


@require_GET
def handover_as_pdf(request: HttpRequest) -> HttpResponse:
    """The same on paper; audited as an export. Who is open in an emergency is not on it."""
    from recovery.presenters.paper import handover_pdf  # late: the library is a tenth of a second

    view, _, _, shift = _asked(request, "export_handover")
    response = HttpResponse(handover_pdf(view), content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="hand-over-{shift}.pdf"'
    return response


def shift_asked(data: Mapping[str, str], now: datetime) -> tuple[tuple[Shift, ...], Shift, str]:
    """The shifts to choose from, the one that the form names and its ward; an unknown shift is the one that is on."""
    form = HandoverForm(data)
    form.is_valid()
    shifts = shifts_until(now, door.zone())
    shift = next((one for one in shifts if one.key == form.cleaned_data.get("shift")), shifts[0])
    return shifts, shift, form.cleaned_data.get("ward", "")


def _asked(request: HttpRequest, action: str) -> tuple[HandoverView, tuple[tuple[str, str], ...], str, str]:
    """The hand-over that the address asks for, audited."""
    door.check_is_staff(request)
    now, zone = door.clock(), door.zone()
    shifts, shift, ward = shift_asked(request.GET, now)
    found = handover(door.person(request), shift, ward, now)
    said: dict[str, object] = {"shift": shift.key, "ward": ward}
    if action == "export_handover":
        taken = dict(exportable_episodes(door.person(request), now).values_list("key", "patient_id"))
        found = replace(found, patients=tuple(one for one in found.patients if one.row.operation.key in taken))
        patients = sorted({taken[one.row.operation.key] for one in found.patients})
        door.note(request, now, action, patient_ids=patients or (None,), detail=said)
    else:
        keys = [str(one.row.operation.key) for one in found.patients]
        door.note(request, now, action, detail={"episodes": keys, **said})
    filed = handovers_of(shift.key, [one.row.operation.key for one in found.patients])
    return handover_view(found, shifts, now, zone, filed), found.wards, ward, shift.key
