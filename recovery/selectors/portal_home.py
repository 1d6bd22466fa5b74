"""What stands on the patient's home page beside how they are doing: the task, own goals, the next visit, the plan."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings

from recovery.check_ins.forms import Form
from recovery.check_ins.schedule import Slot, next_slot
from recovery.exact_json import loads
from recovery.models import Document, OwnGoal
from recovery.pathway_plan import Watch
from recovery.selectors import check_ins
from recovery.selectors.check_ins import Response
from recovery.selectors.pathways import pathway_of

MOST_PLANS = 3
MOST_VISITS = 50


@dataclass(frozen=True, slots=True)
class Goal:
    key: UUID
    text: str
    closeness: int
    made_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Visit:
    """A planned Encounter: when, and what the hospital calls it."""

    at: datetime
    words: str
    place: str


@dataclass(frozen=True, slots=True)
class PlanText:
    """What the care team wrote into a care plan, and who."""

    title: str
    lines: tuple[str, ...]
    author: str


@dataclass(frozen=True, slots=True)
class Home:
    """`todo`: open check-ins with their forms, the most urgent first. `sent`: the newest response of this day."""

    todo: tuple[tuple[Slot, Form], ...]
    coming: Slot | None
    sent: Response | None
    goals: tuple[Goal, ...]
    visit: Visit | None
    plans: tuple[PlanText, ...]
    watch: tuple[Watch, ...]
    shows_numbers: bool
    zone: str
    hospital_zone: str


def home_of(patient_id: int, language: str, now: datetime) -> Home:
    """Raises NotFound for a patient without an episode."""
    episode = check_ins.episode_of(patient_id)
    plan, zone = pathway_of(episode).plan, check_ins.zone_of(episode)
    slots = check_ins.open_now(episode, language, now)
    newest = next(iter(check_ins.responses_of(episode)), None)
    today = now.astimezone(zone).date()
    return Home(
        todo=tuple((one, form) for one in slots if (form := check_ins.form_of(one.questionnaire))),
        coming=next_slot(check_ins.slots_of(episode), now),
        sent=newest if newest and newest.answered_at.astimezone(zone).date() == today else None,
        goals=goals_of(episode.pk),
        visit=_next_visit(patient_id, now),
        plans=_plans(patient_id),
        watch=plan.watch_hours,
        shows_numbers=plan.patient_sees_numbers,
        zone=zone.key,
        hospital_zone=settings.HOSPITAL_TIME_ZONE,
    )


def goals_of(episode_id: int) -> tuple[Goal, ...]:
    rows = OwnGoal.objects.filter(episode_id=episode_id, dropped_at__isnull=True).order_by("made_at", "pk")
    return tuple(Goal(one.key, one.text, one.closeness, one.made_at, one.updated_at) for one in rows)


def _next_visit(patient_id: int, now: datetime) -> Visit | None:
    """The first planned Encounter ahead, as the hospital's system sent it."""
    rows = Document.objects.filter(type="Encounter", patient_id=patient_id, deleted=False).order_by("-updated_at")
    found = [_visit(loads(row.content)) for row in rows[:MOST_VISITS]]
    ahead = [one for one in found if one is not None and one.at > now]
    return min(ahead, key=lambda one: one.at, default=None)


def _visit(content: Mapping[str, Any]) -> Visit | None:
    start = (content.get("period") or {}).get("start")
    if content.get("status") not in ("planned", "arrived") or not isinstance(start, str) or "T" not in start:
        return None
    kind: Mapping[str, Any] = next(iter(content.get("type") or ()), {})
    places: Sequence[Mapping[str, Any]] = content.get("location") or ()
    location = next((one.get("location") or {} for one in places), {})
    try:
        at = datetime.fromisoformat(start)
    except ValueError:
        return None
    return Visit(at, _text(kind), str(location.get("display", ""))) if at.tzinfo else None


def _text(concept: Mapping[str, Any]) -> str:
    coded = next((one.get("display") for one in concept.get("coding") or () if one.get("display")), "")
    return str(concept.get("text") or coded or "")


def _plans(patient_id: int) -> tuple[PlanText, ...]:
    """Care plans in force that people wrote and sent us; nothing here is of our making."""
    rows = Document.objects.filter(type="CarePlan", patient_id=patient_id, deleted=False).order_by("-updated_at")
    found = (_plan(loads(row.content)) for row in rows[:MOST_PLANS])
    return tuple(one for one in found if one is not None)


def _plan(content: Mapping[str, Any]) -> PlanText | None:
    if content.get("status") != "active":
        return None
    details = [one.get("detail") or {} for one in content.get("activity") or ()]
    lines = [str(one["description"]) for one in details if one.get("description")]
    about = [str(content["description"])] if content.get("description") else []
    author = (content.get("author") or {}).get("display", "")
    return PlanText(str(content.get("title") or ""), tuple(about + lines), str(author)) if about or lines else None
