"""Whether the alerting helps, and every rule that can raise an alert."""

import csv

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from recovery.exceptions import NotFound
from recovery.presenters.catalogue import catalogue_view
from recovery.presenters.service import WINDOWS, csv_rows, service_view
from recovery.selectors.catalogue import policies
from recovery.selectors.service import DEFAULT_DAYS, Service, service, teams_answered_for
from recovery.views import door


@require_GET
def show_service(request: HttpRequest) -> HttpResponse:
    found, asked = _figures(request, "view_service")
    return render(request, "pages/service.html", {"view": service_view(found), "figures": found, **asked})


@require_GET
def export_service(request: HttpRequest) -> HttpResponse:
    found, asked = _figures(request, "export_service")
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="alerting-{asked["days"]}-days.csv"'
    csv.writer(answer).writerows(csv_rows(found))
    return answer


@require_GET
def show_catalogue(request: HttpRequest) -> HttpResponse:
    _check_is_staff(request)
    return render(request, "pages/alert_catalogue.html", {"policies": catalogue_view(policies())})


def _figures(request: HttpRequest, action: str) -> tuple[Service, dict[str, object]]:
    _check_is_staff(request)
    now, user = door.clock(), door.person(request)
    teams = teams_answered_for(user, now)
    wanted = request.GET.get("team", "")[:64]
    chosen = teams.filter(key=wanted) if wanted else teams
    if wanted and not chosen.exists():
        raise NotFound("There is no such team, or it is not one of yours.")
    days = next((days for days in WINDOWS if str(days) == request.GET.get("days")), DEFAULT_DAYS)
    door.note(request, now, action, detail={"days": days, "team": wanted})
    asked = {"days": days, "team": wanted, "windows": WINDOWS.items(), "teams": list(teams.order_by("name"))}
    return service(chosen, now, days), asked


def _check_is_staff(request: HttpRequest) -> None:
    """Care staff and administrators: numbers and rules name no patient. To others the page does not exist."""
    if not door.person(request).is_staff_member:
        raise NotFound("This page is for staff.")
