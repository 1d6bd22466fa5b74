"""The readings under a chart: the list, one of them with its origin, and the judgement that it is wrong."""

import csv
from io import StringIO
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from recovery.exceptions import NotFound
from recovery.forms import MarkForm, PageForm
from recovery.forms_cohort import DayForm
from recovery.models import Episode
from recovery.permissions import check_user_can
from recovery.ports import ports
from recovery.presenters.reading import reading_view
from recovery.presenters.readings import CSV_HEADER, csv_row, readings_view
from recovery.selectors.allergies import allergies_of
from recovery.selectors.patient import said_of
from recovery.selectors.people import find_episode, operation_of, person_of
from recovery.selectors.reading import ReadingSeen, reading_seen
from recovery.selectors.timeline import all_readings, readings_page
from recovery.services import marking
from recovery.services.marking import WrongReading
from recovery.twin.metrics import METRICS
from recovery.views import door


@require_GET
def show_readings(request: HttpRequest, key: UUID, metric: str) -> HttpResponse:
    door.check_is_staff(request)
    now = door.clock()
    episode = _episode(request, key, metric)
    day = DayForm(request.GET).within(door.zone())
    found = readings_page(episode, metric, now, PageForm(request.GET).number(), within=day)
    door.note(request, now, "view_readings", patient_ids=[episode.patient_id], entity=f"Episode/{key}/{metric}")
    view = readings_view(
        found,
        metric,
        said_of(episode),
        person_of(episode.patient),
        operation_of(episode),
        allergies_of(episode.patient_id),
        now=now,
        zone=door.zone(),
    )
    context = {"view": view, "found": found, "episode_key": key, "metric": metric}
    context |= {"previous_page": found.page - 1, "next_page": found.page + 1, "day": day[0] if day else None}
    return render(request, "pages/readings.html", context)


@require_GET
def show_reading(request: HttpRequest, key: UUID, metric: str, reading: str) -> HttpResponse:
    """One reading: its origin, what the twin did with it, and the form to mark it."""
    door.check_is_staff(request)
    now = door.clock()
    episode = _episode(request, key, metric)
    seen = reading_seen(episode, metric, reading)
    entity = f"Episode/{key}/{metric}/{reading}"
    door.note(request, now, "view_reading", patient_ids=[episode.patient_id], entity=entity)
    person, operation = person_of(episode.patient), operation_of(episode)
    allergies = allergies_of(episode.patient_id)
    sent = ports().message_of(seen.message)
    view = reading_view(seen, said_of(episode), person, operation, allergies, message=sent, now=now, zone=door.zone())
    context = {"view": view, "episode_key": key, "metric": metric, "reading": reading}
    return render(request, "pages/reading.html", context)


@require_POST
def mark(request: HttpRequest, key: UUID, metric: str, reading: str) -> HttpResponse:
    """Mark a reading as wrong."""
    seen = _to_judge(request, key, metric, reading)
    reason = MarkForm.reason_of(door.cleaned(MarkForm(request.POST)))
    wrong = WrongReading(seen.patient_id, seen.key)
    marking.mark_reading(reading=wrong, reason=reason, actor=door.actor(request), now=door.clock())
    return redirect("reading", key=key, metric=metric, reading=reading)


@require_POST
def unmark(request: HttpRequest, key: UUID, metric: str, reading: str) -> HttpResponse:
    """Undo it."""
    seen = _to_judge(request, key, metric, reading)
    wrong = WrongReading(seen.patient_id, seen.key)
    marking.unmark_reading(reading=wrong, actor=door.actor(request), now=door.clock())
    return redirect("reading", key=key, metric=metric, reading=reading)


def _to_judge(request: HttpRequest, key: UUID, metric: str, reading: str) -> ReadingSeen:
    door.check_is_staff(request)
    episode = _episode(request, key, metric)
    check_user_can(door.person(request), "act", episode.patient, door.clock())
    return reading_seen(episode, metric, reading)


@require_GET
def export_readings(request: HttpRequest, key: UUID, metric: str) -> HttpResponse:
    """All readings of one metric as CSV; audited as an export."""
    door.check_is_staff(request)
    now = door.clock()
    episode = _episode(request, key, metric)
    check_user_can(door.person(request), "export", episode.patient, now)
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


def _episode(request: HttpRequest, key: UUID, metric: str) -> Episode:
    """Raises NotFound for a patient of others, and for a metric that does not exist."""
    episode = find_episode(door.person(request), key, door.clock())
    if metric not in METRICS:
        raise NotFound("There is no such metric.")
    return episode
