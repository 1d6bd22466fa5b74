"""The alert inbox and what people do with an alert. Each action is one service call; the version seen travels along."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.views.decorators.http import require_GET, require_POST

from recovery.forms import USEFUL, AlertForm, PageForm, ResolveForm, SnoozeForm
from recovery.models import Alert
from recovery.permissions import check_user_can
from recovery.presenters.alerts import OUTCOMES, VIEWS, alert_card
from recovery.selectors.alerts import find_alert, inbox
from recovery.selectors.live import newest_event_id
from recovery.services import alert_acts
from recovery.views import door


@require_GET
def show_inbox(request: HttpRequest) -> HttpResponse:
    door.check_is_staff(request)
    now = door.clock()
    last_event = newest_event_id()
    found = inbox(door.person(request), now, request.GET.get("view", ""), PageForm(request.GET).number())
    keys = [str(row.alert.key) for row in found.rows]
    door.note(request, now, "view_alerts", detail={"alerts": keys, "view": found.view})
    context = {
        "inbox": found,
        "cards": [alert_card(row.alert, now, door.zone(), of=row) for row in found.rows],
        "views": [(name, label, found.counts.get(name)) for name, label in VIEWS.items()],
        "outcomes": OUTCOMES.items(),
        "here": f"{request.path}?view={found.view}",
        "undo": door.undo_of(request),
        "last_event": last_event,
        "previous_page": found.page - 1,
        "next_page": found.page + 1,
    }
    return render(request, "pages/alerts.html", context)


@require_POST
def acknowledge(request: HttpRequest, key: UUID) -> HttpResponse:
    def act() -> Alert:
        sent = door.cleaned(AlertForm(request.POST))
        return alert_acts.acknowledge_alert(alert_key=key, actor=door.actor(request), now=door.clock(), **sent)

    return _answer(request, key, "acknowledge", act)


@require_POST
def snooze(request: HttpRequest, key: UUID) -> HttpResponse:
    def act() -> Alert:
        sent, now = door.cleaned(SnoozeForm(request.POST)), door.clock()
        until = now + timedelta(hours=sent.pop("hours"))
        return alert_acts.snooze_alert(alert_key=key, until=until, actor=door.actor(request), now=now, **sent)

    return _answer(request, key, "snooze", act)


@require_POST
def resolve(request: HttpRequest, key: UUID) -> HttpResponse:
    def act() -> Alert:
        sent = door.cleaned(ResolveForm(request.POST))
        sent["useful"] = USEFUL[sent["useful"]]
        return alert_acts.resolve_alert(alert_key=key, actor=door.actor(request), now=door.clock(), **sent)

    return _answer(request, key, "resolve", act)


@require_POST
def reopen(request: HttpRequest, key: UUID) -> HttpResponse:
    def act() -> Alert:
        sent = door.cleaned(AlertForm(request.POST))
        return alert_acts.reopen_alert(alert_key=key, actor=door.actor(request), now=door.clock(), **sent)

    return _answer(request, key, "reopen", act)


def _answer(request: HttpRequest, key: UUID, action: str, act: Callable[[], Alert]) -> HttpResponse:
    """Check the relationship, act, and go back to where the person was, with an undo on offer."""
    now = door.clock()
    alert = find_alert(door.person(request), key, now)
    check_user_can(door.person(request), "act", alert.episode.patient, now)
    alert_acts.note_sight(alerts=[alert], actor=door.actor(request), now=now)  # the form they send stands beside it
    done = act()
    back = _next(request)
    mark = "&" if "?" in back else "?"
    marks: dict[str, str | int] = {"undo": str(key), "v": done.version, "done": action}
    query = urlencode(marks)
    return redirect(f"{back}{mark}{query}#alerts")


def _next(request: HttpRequest) -> str:
    wanted = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted.partition("#")[0] if wanted.startswith("/") and safe else reverse("alerts")
