"""Enrolment, and what is planned for an episode: thin pages over `services.enrolling` and `services.episode_moves`."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from recovery.exceptions import NotFound, RecoveryError
from recovery.forms_plan import AdoptForm, EnrolForm, MoveForm, PathwayForm, SurgeonForm, TransferForm, WhyForm
from recovery.permissions import check_user_can_enrol, visible_episodes
from recovery.presenters import plans as words
from recovery.selectors import plans, schedule
from recovery.selectors.surgeons import surgeons_known
from recovery.services import enrolling, episode_moves
from recovery.views import door


@require_http_methods(["GET", "POST"])
def enrol(request: HttpRequest) -> HttpResponse:
    """The schedule and the form. What is wrong is said beside its field, and what was typed stays."""
    if not door.person(request).is_clinical:
        raise NotFound("This page is for the care team.")
    form = _form(request)
    if request.method == "POST" and form.is_valid():
        try:
            episode = enrolling.enrol(
                token=form.cleaned_data["token"],
                person=form.person(),
                operation=form.operation(),
                team_key=form.cleaned_data["team"],
                pathway_key=form.cleaned_data["pathway"],
                is_another_person=form.cleaned_data["is_another_person"],
                user=door.person(request),
                actor=door.actor(request),
                now=door.clock(),
            )
        except RecoveryError as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
        else:
            messages.success(request, "Enrolled. The twin starts with the first reading.")
            return redirect("patient", key=episode.key)
    return _page(request, form)


def _form(request: HttpRequest) -> EnrolForm:
    user, now = door.person(request), door.clock()
    choices: dict[str, Any] = {
        "zone": door.zone(),
        "teams": plans.teams_of(user, now),
        "pathways": [(one.key, one.name) for one in plans.active_pathways()],
        "demo": settings.DEMO,
    }
    if request.method == "POST":
        return EnrolForm(request.POST, **choices)
    return EnrolForm(initial=_prefilled(request), **choices)


def _prefilled(request: HttpRequest) -> dict[str, Any]:
    """From a row of the schedule; the ticket says nothing by itself, and opens nothing to whoever may not see it."""
    initial: dict[str, Any] = {"is_synthetic": settings.DEMO}
    found = schedule.read_ticket(door.person(request), request.GET.get("from", ""), door.clock())
    if found is None:
        return initial
    patient, said = found
    door.note(request, door.clock(), "view", patient_ids=[patient.pk], entity="schedule")
    return initial | {
        "record_number": patient.record_number,
        "family_name": patient.family_name,
        "given_name": patient.given_name,
        "birth_date": patient.birth_date,
        "sex": patient.sex,
        "procedure": said["procedure"],
        "text": "" if said["procedure"] else said["text"],
        "start": datetime.fromisoformat(said["at"]).astimezone(door.zone()).replace(tzinfo=None),
        "is_synthetic": patient.is_synthetic,
    }


def _page(request: HttpRequest, form: EnrolForm) -> HttpResponse:
    user, now = door.person(request), door.clock()
    rows = schedule.announced(user, now)
    if rows:
        door.note(request, now, "view", patient_ids=sorted({row.patient_id for row in rows}), entity="schedule")
    pathways = [(one, words.pathway_line(one)) for one in plans.active_pathways()]
    context = {
        "form": form,
        "announced": rows,
        "sees_schedule": schedule.user_can_see_schedule(user, now),
        "teams": plans.teams_of(user, now),
        "surgeons": _names(request),
        "pathways": pathways,
        "zone": str(door.zone()),
        "looks_the_same": "is_another_person" in form.errors or bool(form.data.get("is_another_person")),
    }
    return render(request, "pages/enrol.html", context, status=422 if form.errors else 200)


@require_POST
def adopt(request: HttpRequest, key: UUID) -> HttpResponse:
    check_user_can_enrol(door.person(request))
    team = door.cleaned(AdoptForm(request.POST))["team"]
    enrolling.adopt(
        key=key, team_key=team, pathway_key="", user=door.person(request), actor=door.actor(request), now=door.clock()
    )
    messages.success(request, "The patient is entrusted to your team.")
    return redirect("patient", key=key)


def show_plan(request: HttpRequest, key: UUID) -> HttpResponse:
    door.check_is_staff(request)
    now, zone = door.clock(), door.zone()
    plan = plans.plan_of_episode(door.person(request), key, now, episode_moves.UNDO_LASTS)
    door.note(request, now, "view", patient_ids=[plan.patient_id], entity="plan")
    teams = dict(plans.teams_but(None))
    rows = [(one, words.WHAT[one.what], words.change_words(one, teams, zone)) for one in plan.changes]
    move = MoveForm(initial={"end": plan.operation.surgery_end, "start": plan.surgery_start}, zone=zone)
    context = {
        "plan": plan,
        "changes": rows,
        "line": words.pathway_line(plan.pathway),
        "zone": str(zone),
        "start": plan.surgery_start.astimezone(zone) if plan.surgery_start else None,
        "end": plan.operation.surgery_end.astimezone(zone) if plan.operation.surgery_end else None,
        "move": move,
        "surgeons": _names(request),
    }
    return render(request, "pages/enrol_plan.html", context)


@require_POST
def move(request: HttpRequest, key: UUID) -> HttpResponse:
    said = _seen_and_cleaned(request, key, MoveForm(request.POST, zone=door.zone()))
    episode_moves.move_day_zero(
        key=key,
        end=said["end"],
        start=said["start"],
        reason=said["reason"],
        user=door.person(request),
        actor=door.actor(request),
        now=door.clock(),
    )
    messages.success(request, "The operation is moved. Days, check-ins and the twin are counted from it again.")
    return redirect("plan", key=key)


def _names(request: HttpRequest) -> list[str]:
    """Surgeons to pick from, each name once."""
    return list(dict.fromkeys(name for _, name in surgeons_known(door.person(request), door.clock())))


@require_POST
def set_surgeon(request: HttpRequest, key: UUID) -> HttpResponse:
    said = _seen_and_cleaned(request, key, SurgeonForm(request.POST))
    episode_moves.set_surgeon(
        key=key,
        name=said["surgeon"],
        reason=said["reason"],
        user=door.person(request),
        actor=door.actor(request),
        now=door.clock(),
    )
    messages.success(request, "The surgeon is written to the record.")
    return redirect("plan", key=key)


@require_POST
def transfer(request: HttpRequest, key: UUID) -> HttpResponse:
    said = _seen_and_cleaned(request, key, TransferForm(request.POST))
    user, now = door.person(request), door.clock()
    change = episode_moves.transfer(
        key=key, team_key=said["team"], reason=said["reason"], user=user, actor=door.actor(request), now=now
    )
    messages.success(request, "The patient is entrusted to the other team.")
    if visible_episodes(user, now).filter(key=key).exists():
        return redirect("plan", key=key)
    return render(request, "pages/enrol_gone.html", {"change": change})


@require_POST
def finish(request: HttpRequest, key: UUID) -> HttpResponse:
    said = _seen_and_cleaned(request, key, WhyForm(request.POST))
    episode_moves.finish(
        key=key, reason=said["reason"], user=door.person(request), actor=door.actor(request), now=door.clock()
    )
    messages.success(request, "The patient is no longer followed. The record stays.")
    return redirect("plan", key=key)


@require_POST
def change_pathway(request: HttpRequest, key: UUID) -> HttpResponse:
    form = PathwayForm(request.POST)
    said = _seen_and_cleaned(request, key, form)
    pathway, version = form.chosen()
    episode_moves.change_pathway(
        key=key,
        pathway_key=pathway,
        version=version,
        reason=said["reason"],
        user=door.person(request),
        actor=door.actor(request),
        now=door.clock(),
    )
    messages.success(request, "The patient is on the other pathway.")
    return redirect("plan", key=key)


@require_POST
def undo(request: HttpRequest, key: UUID) -> HttpResponse:
    change = episode_moves.undo(change_key=key, user=door.person(request), actor=door.actor(request), now=door.clock())
    messages.success(request, "Taken back.")
    return redirect("plan", key=change.episode.key)


def _seen_and_cleaned(request: HttpRequest, key: UUID, form: Any) -> dict[str, Any]:
    """Raises NotFound to a stranger before anything is said about the form."""
    door.check_is_staff(request)
    if not visible_episodes(door.person(request), door.clock()).filter(key=key).exists():
        raise NotFound("There is no such patient, or it is not one of yours.")
    return door.cleaned(form)
