"""What is planned for one episode, what was changed of it, and what can be chosen instead."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from recovery.models import Episode, EpisodeChange, Pathway, Team, User
from recovery.permissions import can, current_team_ids
from recovery.selectors.pathways import PathwaySeen, pathway_of, pathway_seen
from recovery.selectors.people import Operation, Person, find_episode, operation_of, person_of

CHANGES_SHOWN = 30


@dataclass(frozen=True, slots=True)
class ChangeSeen:
    """`before` and `after` as stored: presenters word them."""

    key: UUID
    what: str
    before: dict[str, object]
    after: dict[str, object]
    reason: str
    at: datetime
    who: str
    undone_at: datetime | None
    undone_by: str
    can_undo: bool


@dataclass(frozen=True, slots=True)
class EpisodePlan:
    person: Person
    operation: Operation
    patient_id: int
    surgery_start: datetime | None
    pathway: PathwaySeen
    newest_version: int
    teams: tuple[tuple[str, str], ...]
    pathways: tuple[PathwaySeen, ...]
    changes: tuple[ChangeSeen, ...]
    may_change: bool


def plan_of_episode(user: User, key: UUID, now: datetime, undo_lasts: timedelta) -> EpisodePlan:
    """Raises NotFound where the patient's existence is secret."""
    episode = find_episode(user, key, now)
    pathway = pathway_of(episode)
    active = [pathway_seen(row) for row in Pathway.objects.filter(active=True).order_by("name")]
    newest = next((one.version for one in active if one.key == pathway.key), pathway.version)
    return EpisodePlan(
        person=person_of(episode.patient),
        operation=operation_of(episode),
        patient_id=episode.patient_id,
        surgery_start=episode.surgery_start,
        pathway=pathway,
        newest_version=newest,
        teams=teams_but(episode.team),
        pathways=tuple(one for one in active if (one.key, one.version) != (pathway.key, pathway.version)),
        changes=_changes(episode, now, undo_lasts),
        may_change=can(user, "plan", episode.patient, now),
    )


def teams_but(team: Team | None) -> tuple[tuple[str, str], ...]:
    others = Team.objects.exclude(pk=team.pk) if team else Team.objects.all()
    return tuple(others.order_by("name").values_list("key", "name"))


def teams_of(user: User, now: datetime) -> list[tuple[str, str]]:
    mine = Team.objects.filter(pk__in=current_team_ids(user, now))
    return list(mine.order_by("name").values_list("key", "name"))


def active_pathways() -> tuple[PathwaySeen, ...]:
    return tuple(pathway_seen(row) for row in Pathway.objects.filter(active=True).order_by("name"))


def _changes(episode: Episode, now: datetime, undo_lasts: timedelta) -> tuple[ChangeSeen, ...]:
    seen: set[str] = set()
    said = []
    for row in EpisodeChange.objects.filter(episode=episode).order_by("-pk")[:CHANGES_SHOWN]:
        is_newest = row.undone_at is None and row.what not in seen
        if row.undone_at is None:
            seen.add(row.what)
        can_undo = is_newest and now - row.at <= undo_lasts
        said.append(
            ChangeSeen(
                key=row.key,
                what=row.what,
                before=row.before,
                after=row.after,
                reason=row.reason,
                at=row.at,
                who=row.actor_name,
                undone_at=row.undone_at,
                undone_by=row.undone_by,
                can_undo=can_undo and not (row.what == "day_zero" and row.before.get("end") is None),
            )
        )
    return tuple(said)
