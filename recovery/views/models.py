"""The models: what is served, training, comparison, and changes with their reasons. For administrators and stewards;
the card and its 31 source attributes are for all staff."""

from datetime import date, datetime, time
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from recovery.exceptions import NotFound
from recovery.forms import AnswerForm, ReasonForm, ShadowForm, TrainingForm
from recovery.models import User
from recovery.permissions import check_user_can_steward_models, user_can_steward_models
from recovery.presenters.hypotheses_card import hypotheses_json, hypotheses_view
from recovery.presenters.models import KINDS, PLAN, back_words, models_view, run_line, version_view
from recovery.presenters.source_attributes import RULE, Subject, attributes, card_json
from recovery.selectors.model_card import model_card
from recovery.selectors.models import latest_report, models_page, served_version, training_page, version_page
from recovery.services import model_changes, training
from recovery.views import door


@require_GET
def show_models(request: HttpRequest) -> HttpResponse:
    user = _steward(request)
    context = {"view": models_view(models_page(user), door.zone()), "kinds": KINDS, "plan": PLAN}
    return render(request, "pages/models.html", context)


@require_GET
def show_version(request: HttpRequest, pk: int) -> HttpResponse:
    page = version_page(_steward(request), pk)
    context = {"view": version_view(page, door.zone()), "attributes": attributes(Subject(page.version, page.report))}
    return render(request, "pages/model_version.html", context | {"rule": RULE})


@require_GET
def show_card(request: HttpRequest, kind: str) -> HttpResponse:
    """The model card of what is in service."""
    subject = _subject(request, kind)
    context = {
        "hypotheses": hypotheses_view(model_card().hypotheses),
        "attributes": attributes(subject),
        "version": subject.version,
        "kinds": KINDS,
        "kind": kind,
        "rule": RULE,
    }
    return render(request, "pages/model_card.html", context)


@require_GET
def card_as_json(request: HttpRequest, kind: str) -> HttpResponse:
    said = card_json(_subject(request, kind)) | {"hypotheses": hypotheses_json(model_card().hypotheses)}
    return JsonResponse(said, json_dumps_params={"indent": 1})


@require_GET
def show_training(request: HttpRequest, pk: int) -> HttpResponse:
    _steward(request)
    return render(request, "pages/training.html", {"run": run_line(training_page(pk), door.zone())})


@require_POST
def train(request: HttpRequest) -> HttpResponse:
    user, now = door.person(request), door.clock()
    asked = door.cleaned(TrainingForm(request.POST))
    run = training.ask(
        kind=asked["kind"],
        since=_begin(asked["since"]),
        until=min(_begin(asked["until"]), now),
        cut_at=_begin(asked["cut_at"]) if asked["cut_at"] else None,
        held_out=asked["held_out"],
        under=asked["under"],
        seed=7 if asked["seed"] is None else asked["seed"],
        user=user,
        actor=door.actor(request),
        now=now,
    )
    return redirect("model_training", pk=run.pk)


@require_POST
def cancel_training(request: HttpRequest, pk: int) -> HttpResponse:
    training.cancel(run_id=pk, user=door.person(request), actor=door.actor(request), now=door.clock())
    return redirect("model_training", pk=pk)


@require_POST
def propose(request: HttpRequest, pk: int) -> HttpResponse:
    reason = door.cleaned(ReasonForm(request.POST))["reason"]
    model_changes.propose(version_id=pk, reason=reason, **_who(request))
    messages.success(request, "Proposed. A second person must approve it.", extra_tags="good")
    return redirect("models")


@require_POST
def answer(request: HttpRequest, pk: int) -> HttpResponse:
    said = door.cleaned(AnswerForm(request.POST))
    step = model_changes.approve if said["answer"] == "approve" else model_changes.refuse
    change = step(change_id=pk, reason=said["reason"], **_who(request))
    words = (
        "In service. Twins are being brought up to date in the background." if change.status == "done" else "Closed."
    )
    messages.success(request, words, extra_tags="good")
    return redirect("models")


@require_POST
def shadow(request: HttpRequest, pk: int) -> HttpResponse:
    said = door.cleaned(ShadowForm(request.POST))
    model_changes.set_shadow(version_id=pk, on=said["on"] == "yes", reason=said["reason"], **_who(request))
    return redirect("model_version", pk=pk)


@require_POST
def roll_back(request: HttpRequest, kind: str) -> HttpResponse:
    reason = door.cleaned(ReasonForm(request.POST))["reason"]
    model_changes.roll_back(kind=kind, reason=reason, **_who(request))
    back = back_words(served_version(kind, model_card()))
    messages.success(request, f"{back}. Twins are being brought up to date.", extra_tags="good")
    return redirect("models")


def _steward(request: HttpRequest) -> User:
    user = door.person(request)
    check_user_can_steward_models(user)
    return user


def _who(request: HttpRequest) -> dict[str, Any]:
    return {"user": door.person(request), "actor": door.actor(request), "now": door.clock()}


def _subject(request: HttpRequest, kind: str) -> Subject:
    """What is in service; for staff and stewards: a patient is told by the page about the model."""
    user = door.person(request)
    if kind not in KINDS or not (user.is_clinical or user_can_steward_models(user)):
        raise NotFound("There is no such card.")
    return Subject(served_version(kind, model_card()), latest_report())


def _begin(day: date) -> datetime:
    """The start of that day in the hospital's time."""
    return datetime.combine(day, time.min, tzinfo=door.zone())
