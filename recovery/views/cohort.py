"""Outcomes of this person's teams: cumulative incidence, comparisons, courses by group."""

import csv
from datetime import datetime, time, timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from recovery.forms_cohort import CohortForm
from recovery.presenters.cohort import (
    GROUPINGS,
    cohort_view,
    course_view,
    csv_rows,
    event_choices,
    group_label,
    metric_choices,
)
from recovery.selectors.cohort import Cohort, CohortFilter, cohort
from recovery.selectors.cohort_courses import courses
from recovery.views import door

NOT_AT_A_LINE_START = ("=", "+", "-", "@", "\t", "\r")


@require_GET
def show_cohort(request: HttpRequest) -> HttpResponse:
    found, form = _asked(request, "view_cohort")
    context = {
        "cohort": found,
        "view": cohort_view(found),
        "course": course_view(courses(found, form.measure), found.filter.by),
        "form": form,
        "events": event_choices(),
        "groupings": GROUPINGS.items(),
        "metrics": metric_choices(),
        "procedures": [(key, group_label("procedure", key)) for key in found.procedures],
        "last_day": timezone.localtime(found.filter.until - timedelta(seconds=1), door.zone()).date(),
        "first_day": timezone.localtime(found.filter.since, door.zone()).date(),
    }
    return render(request, "pages/cohort.html", context)


@require_GET
def export_cohort(request: HttpRequest) -> HttpResponse:
    found, _ = _asked(request, "export_cohort")
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="outcomes.csv"'
    csv.writer(answer).writerows([_safe(cell) for cell in row] for row in csv_rows(found))
    return answer


def _asked(request: HttpRequest, action: str) -> tuple[Cohort, CohortForm]:
    door.check_is_staff(request)
    now, form = door.clock(), CohortForm(request.GET)
    found = cohort(door.person(request), now, _filter(form, now))
    detail = {"event": found.filter.event, "by": found.filter.by, "operations": found.operations}
    door.note(request, now, action, detail=detail)
    return found, form


def _filter(form: CohortForm, now: datetime) -> CohortFilter:
    """Days are those of the hospital; without them the last year."""
    zone = door.zone()
    until, since = form.day("until"), form.day("since")
    end = now if until is None else datetime.combine(until + timedelta(days=1), time(), zone)
    start = now - timedelta(days=365) if since is None else datetime.combine(since, time(), zone)
    return CohortFilter(start, end, form.event_asked, form.grouping, form.operation)


def _safe(cell: str) -> str:
    """A spreadsheet must not take a name for a formula (OWASP, CSV injection)."""
    return f"'{cell}" if cell.startswith(NOT_AT_A_LINE_START) else cell
