"""The alert inbox and what people do with an alert. Each action is one service call; the version seen travels along.

A page that sends with fetch gets the changed row and the detail as one piece of HTML, with 409 when somebody was
quicker; without JavaScript the same forms lead back to the page.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.views.decorators.http import require_GET, require_POST

from recovery.alert_forms import AssignForm, EscalateForm, InboxForm, ManyForm
from recovery.alert_states import CAN_BE_UNDONE
from recovery.exceptions import Conflict, Invalid
from recovery.forms import DONE, USEFUL, AlertForm, ResolveForm, SnoozeForm
from recovery.models import Alert
from recovery.permissions import check_user_can, visible_alerts
from recovery.presenters import wording
from recovery.presenters.alerts import OUTCOMES, SNOOZE_HOURS
from recovery.presenters.inbox import NOTHING, VIEWS, detail_view, inbox_rows
from recovery.selectors.alerts import find_alert
from recovery.selectors.inbox import Inbox, alert_detail, inbox, pulse
from recovery.selectors.live import newest_event_id
from recovery.selectors.roster import colleagues, on_call_now
from recovery.services import alert_acts, reaching
from recovery.views import door


@require_GET
def show_inbox(request: HttpRequest) -> HttpResponse:
    door.check_is_staff(request)
    return _page(request, InboxForm(request.GET))


def _page(
    request: HttpRequest, asked: InboxForm, *, said: dict[str, Any] | None = None, status: int = 200
) -> HttpResponse:
    now, user = door.clock(), door.person(request)
    last_event = newest_event_id()
    found = inbox(user, now, *asked.asked())
    shown = [one.alert.key for one in found.rows]
    door.note(request, now, "view_alerts", detail={"alerts": [str(key) for key in shown], "view": found.view})
    chosen = asked.chosen()
    detail = _detail(request, chosen) if chosen else {}
    _note_sights(request, [*shown, *([chosen] if chosen else [])])
    context = {
        "inbox": found,
        "rows": inbox_rows(found, now, door.zone()),
        "views": [(name, label, found.counts[name]) for name, label in VIEWS.items()],
        "nothing": NOTHING[found.view],
        "colleagues": colleagues(user, now),
        "bulk_hours": SNOOZE_HOURS["high"],
        "on_call": on_call_now(user, now),
        "undo": door.undo_of(request),
        "here": _here(found),
        "checked_at": now.astimezone(door.zone()),
        "last_event": last_event,
        "previous_page": found.page - 1,
        "next_page": found.page + 1,
        **{key: value for key, value in detail.items() if key != "here"},
        **(said or {}),
    }
    return render(request, "pages/alerts.html", context, status=status)


def _here(found: Inbox) -> str:
    asked = {"view": found.view, **({"cause": found.cause} if found.cause else {})}
    return f"{reverse('alerts')}?{urlencode(asked | ({'page': found.page} if found.page > 1 else {}))}"


@require_GET
def show_alert(request: HttpRequest, key: UUID) -> HttpResponse:
    """One alert: the detail panel of an open list, or the list with it for who follows a link."""
    door.check_is_staff(request)
    find_alert(door.person(request), key, door.clock())
    if not _is_fetch(request):
        return redirect(f"{reverse('alerts')}?{urlencode({'view': 'all', 'alert': str(key)})}#detail")
    context = _detail(request, key)
    _note_sights(request, [key])
    return render(request, "parts/alert_both.html", context)


@require_GET
def show_pulse(request: HttpRequest) -> JsonResponse:
    """Counts for the title and the bell of open pages."""
    door.check_is_staff(request)
    found = pulse(door.person(request), door.clock())
    return JsonResponse({"open": found.open, "high": found.high, "unread": found.unread})


def _detail(request: HttpRequest, key: UUID) -> dict[str, Any]:
    now = door.clock()
    found = alert_detail(door.person(request), key, now)
    door.note(request, now, "view_alert", patient_ids=[found.patient_id], entity=f"Alert/{key}")
    reaching.mark_read(user=door.person(request), now=now, alert=key)
    view = detail_view(found, now, door.zone())
    return {"detail": view, "row": view.row, "outcomes": OUTCOMES.items(), "here": _next(request)}


def _note_sights(request: HttpRequest, keys: list[UUID]) -> None:
    now = door.clock()
    alerts = list(visible_alerts(door.person(request), now).filter(key__in=keys))
    alert_acts.note_sight(alerts=alerts, actor=door.actor(request), now=now)


@require_POST
def acknowledge(request: HttpRequest, key: UUID) -> HttpResponse:
    return _act(request, key, "acknowledge", AlertForm, alert_acts.acknowledge_alert)


@require_POST
def assign(request: HttpRequest, key: UUID) -> HttpResponse:
    def act(*, user: int, **said: Any) -> Alert:
        return alert_acts.assign_alert(user_id=user, **said)

    return _act(request, key, "assign", AssignForm, act)


@require_POST
def snooze(request: HttpRequest, key: UUID) -> HttpResponse:
    def act(*, hours: int, now: Any, **said: Any) -> Alert:
        return alert_acts.snooze_alert(until=now + timedelta(hours=hours), now=now, **said)

    return _act(request, key, "snooze", SnoozeForm, act)


@require_POST
def escalate(request: HttpRequest, key: UUID) -> HttpResponse:
    return _act(request, key, "escalate", EscalateForm, alert_acts.escalate_alert)


@require_POST
def resolve(request: HttpRequest, key: UUID) -> HttpResponse:
    def act(*, useful: str, **said: Any) -> Alert:
        return alert_acts.resolve_alert(useful=USEFUL[useful], **said)

    return _act(request, key, "resolve", ResolveForm, act)


@require_POST
def reopen(request: HttpRequest, key: UUID) -> HttpResponse:
    return _act(request, key, "reopen", AlertForm, alert_acts.reopen_alert)


@require_POST
def undo(request: HttpRequest, key: UUID) -> HttpResponse:
    return _act(request, key, "undo", AlertForm, alert_acts.undo_alert)


@require_POST
def act_on_many(request: HttpRequest) -> HttpResponse:
    """One action on all rows that are ticked: each by itself, and the page says what became of each."""
    door.check_is_staff(request)
    now, user = door.clock(), door.person(request)
    form = ManyForm(request.POST)
    sent = door.cleaned(form)
    try:
        seen = form.seen()
    except ValueError:
        raise Invalid("alerts: this is not what the page sends.", field="alerts") from None
    mine = set(visible_alerts(user, now).filter(key__in=[key for key, _ in seen]).values_list("key", flat=True))
    seen = [(key, version) for key, version in seen if key in mine]
    said = _said(sent, now)
    bulk = alert_acts.act_on_many(action=sent["action"], seen=seen, actor=door.actor(request), now=now, **said)
    if not bulk.refused:
        messages.success(request, f"{DONE[sent['action']]} {wording.plural(len(bulk.done), 'alert')}.")
        return redirect(_next(request))
    told = {"done": len(bulk.done), "refused": _named(request, bulk.refused)}
    return _page(request, InboxForm(request.POST), said={"bulk": told}, status=409)


def _said(sent: dict[str, Any], now: Any) -> dict[str, Any]:
    if sent["action"] == "assign":
        return {"user_id": sent["user"] or 0}
    if sent["action"] == "snooze":
        return {"until": now + timedelta(hours=sent["hours"] or 0), "reason": sent["reason"]}
    return {}


def _named(request: HttpRequest, refused: dict[UUID, str]) -> list[tuple[str, str]]:
    """(whose alert, why nothing was applied)."""
    rows = visible_alerts(door.person(request), door.clock()).filter(key__in=refused).select_related("episode__patient")
    return [(f"{one.episode.patient.name}: {one.headline}", refused[one.key]) for one in rows]


def _act(
    request: HttpRequest, key: UUID, action: str, form: type[AlertForm], act: Callable[..., Alert]
) -> HttpResponse:
    """Check the relationship, act, and answer the way the page asked."""
    now = door.clock()
    alert = find_alert(door.person(request), key, now)
    check_user_can(door.person(request), "act", alert.episode.patient, now)
    alert_acts.note_sight(alerts=[alert], actor=door.actor(request), now=now)  # the form they send stands beside it
    try:
        done = act(alert_key=key, actor=door.actor(request), now=now, **door.cleaned(form(request.POST)))
    except (Conflict, Invalid) as problem:
        if not _is_fetch(request):
            raise
        context = {**_detail(request, key), "problem": problem.message, "is_conflict": isinstance(problem, Conflict)}
        return render(request, "parts/alert_both.html", context, status=409 if isinstance(problem, Conflict) else 400)
    if _is_fetch(request):
        return render(request, "parts/alert_both.html", {**_detail(request, key), "done": DONE[action]})
    return redirect(_back(request, key, action, done.version))


def _back(request: HttpRequest, key: UUID, action: str, version: int) -> str:
    """Where the person was, with an undo on offer."""
    back = _next(request)
    marks: dict[str, str | int] = {"undo": str(key), "v": version, "done": action}
    query = f"{'&' if '?' in back else '?'}{urlencode(marks)}" if action in CAN_BE_UNDONE else ""
    return f"{back}{query}#alerts"


def _is_fetch(request: HttpRequest) -> bool:
    return request.headers.get("X-Requested-With") == "fetch"


def _next(request: HttpRequest) -> str:
    wanted = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted.partition("#")[0] if wanted.startswith("/") and safe else reverse("alerts")
