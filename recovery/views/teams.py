"""Staff and teams, for administrators; and the page of a one-time link, for the invited."""

from datetime import datetime, time, timedelta
from typing import Any

from allauth.account.decorators import reauthentication_required
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from recovery.exceptions import Invalid, RecoveryError
from recovery.forms_identity import (
    STAFF_ROLES,
    ActiveForm,
    FirstPasswordForm,
    InviteForm,
    MembershipForm,
    RoleForm,
    TeamForm,
)
from recovery.permissions import check_user_can_administer
from recovery.selectors import teams as seen
from recovery.services import staff
from recovery.views import door


def show_staff(request: HttpRequest) -> HttpResponse:
    user, now = door.person(request), door.clock()
    filters = {key: request.GET.get(key, "")[:100] for key in ("q", "role", "gone")}
    people = seen.staff(user, now, search=filters["q"], role=filters["role"], show_gone=filters["gone"] == "yes")
    context = {"people": people, "teams": seen.teams(user, now), "filters": filters, "roles": STAFF_ROLES}
    return render(request, "pages/team.html", context)


@require_http_methods(["GET", "POST"])
def invite(request: HttpRequest) -> HttpResponse:
    """Asks who it is again before anybody new may come in."""
    check_user_can_administer(door.person(request))
    return _invite(request)


@reauthentication_required(allow_get=True)
def _invite(request: HttpRequest) -> HttpResponse:
    form = InviteForm(request.POST or None, teams=seen.team_choices())
    if request.method == "POST" and form.is_valid():
        said = dict(form.cleaned_data)
        said["team_keys"] = tuple(said.pop("teams"))
        try:
            secret = staff.invite(**said, user=door.person(request), actor=door.actor(request), now=door.clock())
        except RecoveryError as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
        else:
            return _link(request, secret, f"{said['first_name']} {said['last_name']}")
    return render(request, "pages/team_invite.html", {"form": form}, status=422 if form.errors else 200)


def _link(request: HttpRequest, secret: str, name: str) -> HttpResponse:
    """Shown once; the secret stands after the #, so that no proxy and no log ever sees it."""
    base = settings.PUBLIC_URL.rstrip("/") or f"{request.scheme}://{request.get_host()}"
    hours = int(staff.INVITATION_LASTS.total_seconds() // 3600)
    context = {"link": f"{base}{reverse('welcome')}#{secret}", "name": name, "hours": hours}
    return render(request, "pages/team_link.html", context)


def show_member(request: HttpRequest, pk: int) -> HttpResponse:
    now = door.clock()
    one = seen.member(door.person(request), pk, now)
    context = {"one": one, "roles": STAFF_ROLES, "teams": seen.team_choices(), "is_self": pk == door.person(request).pk}
    return render(request, "pages/team_member.html", context)


def _asked_by(request: HttpRequest) -> dict[str, Any]:
    return {"user": door.person(request), "actor": door.actor(request), "now": door.clock()}


def _cleaned(request: HttpRequest, form: Form) -> dict[str, Any]:
    check_user_can_administer(door.person(request))
    return door.cleaned(form)


@require_POST
def change_role(request: HttpRequest, pk: int) -> HttpResponse:
    said = _cleaned(request, RoleForm(request.POST))
    return _change_role(request, pk, said)


@reauthentication_required
def _change_role(request: HttpRequest, pk: int, said: dict[str, Any]) -> HttpResponse:
    staff.change_role(person_id=pk, **said, **_asked_by(request))
    messages.success(request, "The role is changed; it counts from their next click.")
    return redirect("team_member", pk=pk)


@require_POST
def set_active(request: HttpRequest, pk: int) -> HttpResponse:
    is_active = _cleaned(request, ActiveForm(request.POST))["active"] == "yes"
    staff.set_active(person_id=pk, is_active=is_active, **_asked_by(request))
    words = "can sign in again" if is_active else "is signed out everywhere and cannot sign in"
    messages.success(request, f"This person {words}.")
    return redirect("team_member", pk=pk)


@require_POST
def new_link(request: HttpRequest, pk: int) -> HttpResponse:
    one = seen.member(door.person(request), pk, door.clock())
    return _new_link(request, pk, one.name)


@reauthentication_required
def _new_link(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    return _link(request, staff.send_new_link(person_id=pk, **_asked_by(request)), name)


@require_POST
def add_membership(request: HttpRequest, pk: int) -> HttpResponse:
    said = _cleaned(request, MembershipForm(request.POST))
    until = None
    if said["until"]:  # the day named is the last one
        until = datetime.combine(said["until"] + timedelta(days=1), time(), door.zone())
    staff.add_membership(person_id=pk, team_key=said["team"], until=until, **_asked_by(request))
    messages.success(request, "They belong to the team from now on.")
    return redirect("team_member", pk=pk)


@require_POST
def end_membership(request: HttpRequest, pk: int, membership: int) -> HttpResponse:
    staff.end_membership(membership_id=membership, **_asked_by(request))
    messages.success(request, "They no longer see that team's patients.")
    return redirect("team_member", pk=pk)


@require_POST
def open_team(request: HttpRequest) -> HttpResponse:
    said = _cleaned(request, TeamForm(request.POST))
    staff.open_team(**said, **_asked_by(request))
    messages.success(request, "The team is open.")
    return redirect("team")


@require_http_methods(["GET", "POST"])
@login_not_required
def welcome(request: HttpRequest) -> HttpResponse:
    """Where a one-time link leads. The secret comes after the # and is sent with the form, never in an address."""
    problem = ""
    if request.method == "POST":
        form = FirstPasswordForm(request.POST)
        try:
            said = door.cleaned(form)
            user = staff.accept_invitation(
                secret=request.POST.get("secret", "")[:200], password=said["password"], now=door.clock()
            )
        except Invalid as error:
            problem = error.message
        else:
            messages.success(request, f"Your password is set. Sign in as {user.get_username()}.")
            return redirect("login")
    context = {"problem": problem, "secret": request.POST.get("secret", "")}
    return render(request, "pages/welcome.html", context, status=422 if problem else 200)
