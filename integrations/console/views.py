"""The integrator's page, for administrators: how every connection fares, what to do next, dead letters, merges."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_GET, require_POST

from integrations.console.status import status
from integrations.console.testing import tried
from integrations.console.wording import when
from integrations.hl7v2.errors import Hl7Error
from integrations.hl7v2.merging import undo
from integrations.hl7v2.message import decoded
from integrations.hl7v2.receiving import retry
from recovery.audit import Actor
from recovery.exceptions import Invalid
from recovery.permissions import check_user_can_administer
from recovery.selectors.deliveries import dead_letters as given_up
from recovery.selectors.hl7_messages import dead_letters, standing_merges
from recovery.services import hl7_messages, pipes, subscriptions

PIPES = ("hl7v2", "exports")
SUBSCRIPTION = "subscription-"
View = Callable[[HttpRequest], HttpResponse]


def administrators(view: View) -> View:
    @wraps(view)
    def guarded(request: HttpRequest) -> HttpResponse:
        check_user_can_administer(request.user)  # type: ignore[arg-type]  # an anonymous user is not active
        return view(request)

    return guarded


def _actor(request: HttpRequest) -> Actor:
    return Actor.of_user(request.user, getattr(request, "request_id", ""))  # type: ignore[arg-type]


def _back(request: HttpRequest, words: str, *, is_good: bool = True, part: str = "") -> HttpResponse:
    (messages.success if is_good else messages.error)(request, words)
    return HttpResponseRedirect(reverse("connections_status") + part)


@require_GET
@administrators
def show_status(request: HttpRequest) -> HttpResponse:
    now, zone = timezone.now(), ZoneInfo(settings.HOSPITAL_TIME_ZONE)
    letters = [(one, when(one.last_at, now, zone)) for one in dead_letters()]
    merges = [(one, when(one.merged_at, now, zone)) for one in standing_merges()]
    events = [(one, when(one.at, now, zone)) for one in given_up(limit=50)]
    context = {"status": status(now, zone), "letters": letters, "merges": merges, "events": events}
    return render(request, "connections/status.html", context)


@require_POST
@administrators
def pause(request: HttpRequest) -> HttpResponse:
    name, reason, now = request.POST.get("pipe", ""), request.POST.get("reason", ""), timezone.now()
    if name.startswith(SUBSCRIPTION):
        if len(reason.strip()) < pipes.SHORTEST_REASON:
            raise Invalid("Say why, so that whoever finds it stopped knows.", field="reason")
        fhir_id = name.removeprefix(SUBSCRIPTION)
        subscriptions.switch_off(fhir_id=fhir_id, actor=_actor(request), now=now, reason=reason.strip()[:300])
    else:
        _check_pipe(name)
        pipes.pause(name=name, reason=reason, user=request.user, actor=_actor(request), now=now)  # type: ignore[arg-type]
    return _back(request, "Paused. Resume it when you are done.")


@require_POST
@administrators
def resume(request: HttpRequest) -> HttpResponse:
    name, now = request.POST.get("pipe", ""), timezone.now()
    if name.startswith(SUBSCRIPTION):
        subscriptions.resume(fhir_id=name.removeprefix(SUBSCRIPTION), actor=_actor(request), now=now)
    else:
        _check_pipe(name)
        pipes.resume(name=name, user=request.user, actor=_actor(request), now=now)  # type: ignore[arg-type]
    return _back(request, "It goes on.")


def _check_pipe(name: str) -> None:
    if name not in PIPES:
        raise Invalid("This cannot be paused from here.", field="pipe")


@require_POST
@administrators
def test(request: HttpRequest) -> HttpResponse:
    works, words = tried(request.POST.get("pipe", ""), timezone.now())
    return _back(request, words, is_good=works)


@require_POST
@administrators
def replay(request: HttpRequest) -> HttpResponse:
    """Send a subscription's events again: those given up, or all from a number on."""
    since = request.POST.get("since", "").strip()
    if since and not (since.isascii() and since.isdigit() and len(since) < 16):
        raise Invalid("Give the number of the first event to send again, or nothing.", field="since")
    number = subscriptions.replay(
        fhir_id=request.POST.get("subscription", ""),
        actor=_actor(request),
        now=timezone.now(),
        since=int(since) if since else None,
    )
    return _back(request, f"{number} event{'s' if number != 1 else ''} will be sent again, in order.")


# ---- dead letters of HL7 v2 ---


def _row(request: HttpRequest, name: str) -> int:
    said = request.POST.get(name, "")
    if not (said.isascii() and said.isdigit() and len(said) < 19):
        raise Invalid("Choose one from the list.", field=name)
    return int(said)


@require_POST
@administrators
@sensitive_variables("text")
def open_letter(request: HttpRequest) -> HttpResponse:
    """What a refused message says, for whoever says why they need to see it."""
    row, reason = _row(request, "letter"), request.POST.get("reason", "")
    user: Any = request.user
    text = hl7_messages.open_letter(
        row_id=row,
        reason=reason,
        user=user,
        actor=_actor(request),
        now=timezone.now(),
    )
    raw = text.encode("latin-1", "replace")
    try:
        said = decoded(raw)
    except Hl7Error:
        said = raw.decode("utf-8", "replace")
    letter = next((one for one in dead_letters() if one.row_id == row), None)
    context = {"letter": letter, "lines": said.replace("\r\n", "\r").replace("\n", "\r").strip("\r").split("\r")}
    return render(request, "connections/letter.html", context)


@require_POST
@administrators
def retry_letters(request: HttpRequest) -> HttpResponse:
    """One, or all of them in the order in which they came."""
    rows = [one.row_id for one in dead_letters()] if request.POST.get("all") else [_row(request, "letter")]
    taken = sum(retry(row, request.user, _actor(request), timezone.now()) for row in rows)
    left = len(rows) - taken
    words = f"{taken} of {len(rows)} taken." + (" The others were refused again: see why below." if left else "")
    return _back(request, words, is_good=not left, part="#letters")


@require_POST
@administrators
def drop_letter(request: HttpRequest) -> HttpResponse:
    row = _row(request, "letter")
    hl7_messages.drop_letter(row_id=row, user=request.user, actor=_actor(request), now=timezone.now())  # type: ignore[arg-type]
    return _back(request, "Dropped: its text is gone, what it was stays in the audit trail.", part="#letters")


@require_POST
@administrators
def unmerge(request: HttpRequest) -> HttpResponse:
    undo(_row(request, "merge"), _actor(request), timezone.now(), "console")
    return _back(request, "Each patient has back what was theirs.", part="#merges")
