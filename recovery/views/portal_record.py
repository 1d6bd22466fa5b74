"""My record: who has used it, which models did, taking it along, and having it erased."""

import csv
from collections.abc import Callable, Iterator
from datetime import datetime, time, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import authenticate
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_POST

from recovery.exceptions import NotFound
from recovery.portal_forms import TakeForm, UntilForm
from recovery.ports import ports
from recovery.presenters.portal import own_view
from recovery.presenters.portal_consent import purpose_cards
from recovery.presenters.portal_words import day
from recovery.presenters.record import CSV_HEADER, csv_line, model_lines, use_days
from recovery.presenters.record_pdf import summary_pdf
from recovery.selectors.consents import consents_of
from recovery.selectors.people import person_by_id
from recovery.selectors.portal import own_page
from recovery.selectors.portal_people import Subject
from recovery.selectors.record import WINDOW, earliest_use, erasure_of, models_of, own_readings, uses_of
from recovery.services import erasure
from recovery.views import door, portal_door

# Somebody without a password shows who they are by having signed in a moment ago.
FRESH = timedelta(minutes=10)
# No trail is older; a year such as 1 would leave the calendar on the way back.
LOOKS_BACK = timedelta(days=50 * 366)
Response = TypeVar("Response", bound=HttpResponseBase)


@require_GET
def show_record(request: HttpRequest) -> HttpResponse:
    now = door.clock()
    mine = portal_door.only_self(request, now)
    portal_door.note(request, mine, now, "view_record")
    return _record(request, mine, now)


def _record(request: HttpRequest, mine: Subject, now: datetime, problem: str = "", status: int = 200) -> HttpResponse:
    zone = portal_door.zone_of(mine)
    until = _until(request, zone, now)
    first = earliest_use(mine.patient_id)
    earlier = (until - WINDOW).astimezone(zone).date()
    asked = erasure_of(mine.patient_id)
    context = {
        "days": use_days(uses_of(mine.patient_id, until, zone)),
        "until": day(until, zone),
        "earlier": earlier.isoformat() if first and first < until - WINDOW else "",
        "models": model_lines(models_of(mine.patient_id), zone),
        "problem": problem,
        "has_password": door.person(request).has_usable_password(),
        "erasure": asked,
        "asked_on": day(asked.asked_at, zone) if asked else "",
    }
    return render(request, "portal/record.html", context, status=status)


def _until(request: HttpRequest, zone: ZoneInfo, now: datetime) -> datetime:
    """The end of the day that the URL names; now where it names none."""
    form = UntilForm(request.GET)
    named = form.cleaned_data["until"] if form.is_valid() else None
    earliest = (now - LOOKS_BACK).date()
    return datetime.combine(max(named, earliest), time.max, tzinfo=zone) if named else now


@sensitive_post_parameters("password")
@require_POST
def take(request: HttpRequest) -> HttpResponseBase:
    """The summary, the record or the readings as a file, once the person has shown again who they are."""
    now = door.clock()
    mine = portal_door.only_self(request, now)
    sent = door.cleaned(TakeForm(request.POST))
    if not _is_really_them(request, sent["password"], now):
        return _record(request, mine, now, _why_not(request), 400)
    response = _TAKEN[sent["what"]](request, mine, now)
    portal_door.note(request, mine, now, "record_taken", detail={"what": sent["what"]})
    return response


def _why_not(request: HttpRequest) -> str:
    if door.person(request).has_usable_password():
        return _("That is not your password.")
    return _("Please sign out, sign in again, and take your record within 10 minutes.")


def _is_really_them(request: HttpRequest, password: str, now: datetime) -> bool:
    """Wrong passwords count towards the same lock as at sign-in."""
    user = door.person(request)
    if not user.has_usable_password():
        return user.last_login is not None and now - user.last_login <= FRESH
    return authenticate(request, username=user.get_username(), password=password) == user


def _pdf(request: HttpRequest, mine: Subject, now: datetime) -> HttpResponse:
    zone = portal_door.zone_of(mine)
    try:
        view = own_view(own_page(mine.patient_id, now), now, zone)
    except NotFound:
        view = None
    cards = purpose_cards(consents_of(mine.patient_id), zone)
    content = summary_pdf(person_by_id(mine.patient_id), view, cards, now=now, zone=zone)
    return _file(HttpResponse(content, content_type="application/pdf"), "my-recovery.pdf")


def _ips(request: HttpRequest, mine: Subject, now: datetime) -> HttpResponse:
    root = settings.PUBLIC_URL.rstrip("/") if settings.PUBLIC_URL else request.build_absolute_uri("/").rstrip("/")
    text = ports().summary_of(mine.patient_fhir_id, f"{root}/fhir", now)
    return _file(HttpResponse(text, content_type="application/fhir+json"), "my-record.json")


class _Line:
    """A file that gives back what is written to it."""

    def write(self, text: str) -> str:
        return text


def _csv(request: HttpRequest, mine: Subject, now: datetime) -> StreamingHttpResponse:
    writer = csv.writer(_Line())

    def lines() -> Iterator[str]:
        yield "\ufeff"  # so that spreadsheets read it as UTF-8
        yield writer.writerow(CSV_HEADER)
        for one in own_readings(mine.patient_id):
            yield writer.writerow(csv_line(one))

    return _file(StreamingHttpResponse(lines(), content_type="text/csv; charset=utf-8"), "my-readings.csv")


def _file(response: Response, name: str) -> Response:
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


_TAKEN: dict[str, Callable[[HttpRequest, Subject, datetime], HttpResponseBase]] = {
    "pdf": _pdf,
    "ips": _ips,
    "csv": _csv,
}


@require_POST
def ask_erasure(request: HttpRequest) -> HttpResponse:
    now = door.clock()
    mine = portal_door.only_self(request, now)
    erasure.ask_to_be_erased(patient_id=mine.patient_id, actor=door.actor(request), now=now)
    messages.success(request, _("We have your wish. The answer will stand here."))
    return redirect("me_record")


@require_POST
def take_back_erasure(request: HttpRequest) -> HttpResponse:
    now = door.clock()
    mine = portal_door.only_self(request, now)
    erasure.take_back(patient_id=mine.patient_id, actor=door.actor(request), now=now)
    messages.success(request, _("Your wish is taken back. Nothing was erased."))
    return redirect("me_record")
