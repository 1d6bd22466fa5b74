"""One patient's course beside a second measure, another operation of theirs, or people like them."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from recovery.forms import CompareForm
from recovery.models import Episode
from recovery.presenters import wording
from recovery.presenters.compare import compare_view
from recovery.presenters.patient import banner
from recovery.selectors.allergies import allergies_of
from recovery.selectors.befallen import befallen
from recovery.selectors.patient import said_of
from recovery.selectors.people import find_episode, operation_of, person_of
from recovery.selectors.similar import course_of, other_operations, similar_to
from recovery.selectors.snapshot import MetricSaid
from recovery.selectors.sparks import metric_that_matters
from recovery.selectors.timeline import observed
from recovery.views import door


@require_GET
def show_compare(request: HttpRequest, key: UUID) -> HttpResponse:
    door.check_is_staff(request)
    now, user = door.clock(), door.person(request)
    episode = find_episode(user, key, now)
    said, asked = said_of(episode), CompareForm(request.GET).asked()
    choices = {one.key: one for one in said.metrics.values() if one.curve} if said else {}
    metrics = _chosen(asked, choices, metric_that_matters(said) if said else None)
    wanted = [one.key for one in metrics]
    others = other_operations(user, episode, now)
    other = next((one for one in others if one.key == asked["other"]), None)
    like = similar_to(episode, wanted[0], now) if asked["similar"] and wanted else None
    detail = {"metrics": wanted, "other": str(other.key) if other else "", "similar": like.people if like else None}
    door.note(request, now, "view_compare", patient_ids=[episode.patient_id], entity=f"Episode/{key}", detail=detail)
    operation = operation_of(episode)
    seen, theirs = observed(episode, now, wanted), course_of(other, wanted, now) if other else {}
    befell = befallen(episode, now)
    context = {
        "view": compare_view(metrics, choices, seen, theirs, like, operation, befell, now, door.zone()),
        "banner": banner(person_of(episode.patient), operation, said, now, allergies_of(episode.patient_id)),
        "episode_key": key,
        "similar": asked["similar"],
        **_named(wanted, others, other),
    }
    return render(request, "pages/compare.html", context)


def _chosen(asked: Mapping[str, Any], choices: Mapping[str, MetricSaid], usual: MetricSaid | None) -> list[MetricSaid]:
    """The measure asked for, or the usual one, and another beside it where one was asked for."""
    first, second = choices.get(asked["measure"]) or usual, choices.get(asked["beside"])
    return [one for one in (first, second if second is not first else None) if one is not None]


def _named(wanted: list[str], others: Sequence[Episode], other: Episode | None) -> dict[str, Any]:
    """What the page's own form shows as chosen, and may choose of the person's other operations."""
    day = wording.calendar_day(other.surgery_end, door.zone()) if other and other.surgery_end else ""
    return {
        "first": wanted[0] if wanted else "",
        "second": wanted[1] if len(wanted) > 1 else "",
        "others": [(one.key, _name(one.procedure_text), one.surgery_end) for one in others],
        "other": other,
        "other_name": f"{_name(other.procedure_text)}, {day}" if other and day else "",
    }


def _name(text: str) -> str:
    return text or "Operation"
