"""One patient: the twin, its charts, and the readings under them."""

import csv
from io import StringIO
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from recovery.exceptions import NotFound
from recovery.forms import PageForm
from recovery.permissions import check_user_can
from recovery.presenters.alerts import OUTCOMES
from recovery.presenters.causes import causes_view
from recovery.presenters.figures import figure_json
from recovery.presenters.patient import patient_view
from recovery.presenters.readings import CSV_HEADER, csv_row, readings_view
from recovery.presenters.what_if import advice_lines
from recovery.selectors.patient import patient_page, said_of
from recovery.selectors.people import find_episode, operation_of, person_of
from recovery.selectors.timeline import all_readings, observed, readings_page
from recovery.twin.metrics import METRICS
from recovery.views import door


@require_GET
def show_patient(request: HttpRequest, key: UUID) -> HttpResponse:
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
    context = {
        "page": page,
        "view": patient_view(page, now, door.zone()),
        "advice": advice_lines(page.said),
        "causes": causes_view(page.said.suspicion if page.said else None),
        "episode_key": key,
        "here": f"/patients/{key}/",
        "outcomes": OUTCOMES.items(),
        "undo": door.undo_of(request),
    }
    return render(request, template, context)


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


@require_GET
def show_readings(request: HttpRequest, key: UUID, metric: str) -> HttpResponse:
    door.check_is_staff(request)
    now = door.clock()
    episode = find_episode(door.person(request), key, now)
    _check_metric(metric)
    found = readings_page(episode, metric, now, PageForm(request.GET).number())
    door.note(request, now, "view_readings", patient_ids=[episode.patient_id], entity=f"Episode/{key}/{metric}")
    view = readings_view(
        found, metric, said_of(episode), person_of(episode.patient), operation_of(episode), now=now, zone=door.zone()
    )
    context = {"view": view, "found": found, "episode_key": key, "metric": metric}
    context |= {"previous_page": found.page - 1, "next_page": found.page + 1}
    return render(request, "pages/readings.html", context)


@require_GET
def export_readings(request: HttpRequest, key: UUID, metric: str) -> HttpResponse:
    """All readings of one metric as CSV; audited as an export."""
    door.check_is_staff(request)
    now = door.clock()
    episode = find_episode(door.person(request), key, now)
    check_user_can(door.person(request), "export", episode.patient, now)
    _check_metric(metric)
    rows = all_readings(episode, metric, now)
    door.note(
        request,
        now,
        "export_readings",
        patient_ids=[episode.patient_id],
        entity=f"Episode/{key}/{metric}",
        detail={"rows": len(rows)},
    )
    text = StringIO()
    writer = csv.writer(text)
    writer.writerow(CSV_HEADER)
    writer.writerows(csv_row(row, metric) for row in rows)
    response = HttpResponse(text.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{metric}.csv"'
    return response


def _check_metric(metric: str) -> None:
    if metric not in METRICS:
        raise NotFound("There is no such metric.")
