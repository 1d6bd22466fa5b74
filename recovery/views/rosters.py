"""Who is on call, and the addresses of a team's own systems. Everybody of the team reads, its leads write."""

from datetime import datetime
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_GET, require_POST

from recovery.alert_forms import HookForm, TurnForm
from recovery.exceptions import Forbidden, NotFound
from recovery.models import Team
from recovery.notify.hook import secret_of
from recovery.presenters.rosters import roster_view
from recovery.selectors.notifications import hooks_of
from recovery.selectors.roster import may_write_roster, team_roster, teams_of
from recovery.services import reaching, rosters
from recovery.views import door


@require_GET
def show_roster(request: HttpRequest) -> HttpResponse:
    door.check_is_staff(request)
    now, user = door.clock(), door.person(request)
    teams = teams_of(user, now)
    wanted = request.GET.get("team", "")
    team = next((one for one in teams if one.key == wanted), teams[0] if teams and not wanted else None)
    if wanted and team is None:
        raise NotFound("There is no such team, or it is not one of yours.")
    context: dict[str, object] = {"teams": teams, "team": team}
    if team is not None:
        view = roster_view(team_roster(user, team, now), door.zone())
        hooks = [(one, secret_of(str(one.key))) for one in hooks_of(team)] if view.may_edit else []
        context |= {"roster": view, "hooks": hooks, "now": _local(now)}
    return render(request, "pages/roster.html", context)


@require_POST
def add_turn(request: HttpRequest, team: str) -> HttpResponse:
    mine, now = _team(request, team), door.clock()
    sent = door.cleaned(TurnForm(request.POST))
    rosters.add_shift(
        team=mine,
        user_id=sent["user"],
        level=sent["level"],
        start=_aware(sent["start"]),
        until=_aware(sent["until"]),
        actor=door.actor(request),
        now=now,
    )
    return _back(mine)


@require_POST
def remove_turn(request: HttpRequest, team: str, pk: int) -> HttpResponse:
    mine = _team(request, team)
    rosters.remove_shift(team=mine, shift_id=pk, actor=door.actor(request), now=door.clock())
    return _back(mine)


@require_POST
def add_hook(request: HttpRequest, team: str) -> HttpResponse:
    mine = _team(request, team)
    sent = door.cleaned(HookForm(request.POST))
    reaching.add_hook(team=mine, url=sent["url"], actor=door.actor(request), now=door.clock())
    return _back(mine)


@require_POST
def remove_hook(request: HttpRequest, team: str, hook: UUID) -> HttpResponse:
    mine = _team(request, team)
    reaching.remove_hook(team=mine, key=hook, actor=door.actor(request), now=door.clock())
    return _back(mine)


def _team(request: HttpRequest, key: str) -> Team:
    """The team, for one of its leads. Raises NotFound to strangers, Forbidden to its other members."""
    door.check_is_staff(request)
    now, user = door.clock(), door.person(request)
    team = next((one for one in teams_of(user, now) if one.key == key), None)
    if team is None:
        raise NotFound("There is no such team, or it is not one of yours.")
    if not may_write_roster(user, team, now):
        raise Forbidden("The team's leads write its roster.")
    return team


def _aware(moment: datetime) -> datetime:
    """What was typed is the hospital's clock; Django has read it as UTC."""
    return timezone.make_naive(moment, timezone.get_current_timezone()).replace(tzinfo=door.zone())


def _local(moment: datetime) -> str:
    return moment.astimezone(door.zone()).strftime("%Y-%m-%dT%H:00")


def _back(mine: Team) -> HttpResponse:
    return redirect(f"{reverse('roster')}?{urlencode({'team': mine.key})}")
