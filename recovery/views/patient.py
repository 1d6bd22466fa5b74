"""One patient: the twin and its charts."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

from recovery.exceptions import NotFound
from recovery.forms import SeenForm
from recovery.permissions import check_user_can
from recovery.presenters.alerts import OUTCOMES
from recovery.presenters.causes import causes_view
from recovery.presenters.figures import figure_json
from recovery.presenters.past import time_machine
from recovery.presenters.patient import patient_view
from recovery.presenters.summary import CAUTION, summary_head, summary_lines, summary_text
from recovery.presenters.what_if import advice_lines
from recovery.selectors.patient import patient_page, said_of
from recovery.selectors.people import find_episode
from recovery.selectors.timeline import observed
from recovery.services import desks
from recovery.views import door
from recovery.views.past import show_past


@require_GET
def show_patient(request: HttpRequest, key: UUID) -> HttpResponse:
    """Now, or with `as_of` in the address as known then."""
    if asked := request.GET.get("as_of", "").strip()[:40]:
        door.check_is_staff(request)
        return show_past(request, key, asked)
    return _patient(request, key, "pages/patient.html", live=False)


@require_GET
def show_now(request: HttpRequest, key: UUID) -> HttpResponse:
    """The part of the page that changes, for an open page to renew itself."""
    return _patient(request, key, "parts/twin.html", live=True)


def _patient(request: HttpRequest, key: UUID, template: str, *, live: bool) -> HttpResponse:
    door.check_is_staff(request)
    now = door.clock()
    page = patient_page(door.person(request), key, now)
    action = "view_patient_live" if live else "view_patient"
    door.note(request, now, action, patient_ids=[page.patient_id], entity=f"Episode/{key}")
    view = patient_view(page, now, door.zone())
    context = {
        "page": page,
        "view": view,
        "summary": summary_text(view, now, door.zone()),
        "advice": advice_lines(page.said),
        "causes": causes_view(page.said.suspicion if page.said else None),
        "machine": time_machine(now, page.operation.surgery_end, now, door.zone())
        if page.operation.surgery_end
        else None,
        "seen_at": now.isoformat(),
        "episode_key": key,
        "here": f"/patients/{key}/",
        "outcomes": OUTCOMES.items(),
        "undo": door.undo_of(request),
    }
    return render(request, template, context)


@require_GET
def summary_as_pdf(request: HttpRequest, key: UUID) -> HttpResponse:
    """The page's conclusions on paper; audited as an export."""
    from recovery.presenters.paper import summary_pdf  # late: the library is a tenth of a second

    door.check_is_staff(request)
    now, zone = door.clock(), door.zone()
    check_user_can(door.person(request), "export", find_episode(door.person(request), key, now).patient, now)
    page = patient_page(door.person(request), key, now)
    door.note(request, now, "export_summary", patient_ids=[page.patient_id], entity=f"Episode/{key}")
    view = patient_view(page, now, zone)
    head, lines = (*summary_head(view, now, zone), CAUTION), summary_lines(view)
    made = summary_pdf("Recovery summary", head, lines, synthetic=page.person.is_synthetic)
    response = HttpResponse(made, content_type="application/pdf")
    response["Content-Disposition"] = 'attachment; filename="summary.pdf"'
    return response


@require_POST
def note_seen(request: HttpRequest, key: UUID) -> HttpResponse:
    """The person leaves the page, having seen it as of `at`: what is new is told from there next time."""
    door.check_is_staff(request)
    now = door.clock()
    episode = find_episode(door.person(request), key, now)
    at = door.cleaned(SeenForm(request.POST))["at"]
    desks.note_look(episode=episode, at=at, actor=door.actor(request), now=now)
    return HttpResponse(status=204)


@require_GET
def show_figure(request: HttpRequest, key: UUID, metric: str) -> HttpResponse:
    """One metric's figure for the interactive chart."""
    door.check_is_staff(request)
    now = door.clock()
    episode = find_episode(door.person(request), key, now)
    page = said_of(episode)
    said = page.metrics.get(metric) if page else None
    if said is None or said.curve is None or episode.surgery_end is None:
        raise NotFound("There is no chart of this metric.")
    door.note(request, now, "view_figure", patient_ids=[episode.patient_id], entity=f"Episode/{key}/{metric}")
    seen = observed(episode, now, [metric]).get(metric)
    text = figure_json(said, seen, now=now, surgery_end=episode.surgery_end, zone=door.zone())
    return HttpResponse(text, content_type="application/json")
