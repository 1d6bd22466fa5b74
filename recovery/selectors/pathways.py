"""The pathway that an episode runs on, as everyone who plans by it reads it."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, QuerySet

from recovery.exceptions import Invalid, NotFound
from recovery.models import Episode, Pathway
from recovery.pathway_plan import DEFAULT_PLAN, Plan
from recovery.twin.alert_policy import DEFAULT_POLICY

logger = logging.getLogger(__name__)
DEFAULT_DAYS = 30  # as services.twinning


@dataclass(frozen=True, slots=True)
class PathwaySeen:
    """One version. `key` blank and version 0: the episode has none, and the shipped plan stands in."""

    key: str
    version: int
    name: str
    procedure: str
    days: int
    plan: Plan

    @property
    def content(self) -> dict[str, Any]:
        """The plan as plain JSON, every part of it said."""
        return self.plan.to_plain()


NO_PATHWAY = PathwaySeen("", 0, "", "", DEFAULT_DAYS, DEFAULT_PLAN)


def pathway_of(episode: Episode) -> PathwaySeen:
    """What the episode runs on (select_related("pathway") saves a query)."""
    return NO_PATHWAY if episode.pathway is None else pathway_seen(episode.pathway)


def pathway_seen(pathway: Pathway) -> PathwaySeen:
    return PathwaySeen(pathway.key, pathway.version, pathway.name, pathway.procedure, pathway.days, plan_of(pathway))


def plan_of(pathway: Pathway) -> Plan:
    """The shipped plan stands in for one that cannot be read: a patient's check-ins do not stop for a bad edit."""
    try:
        return Plan.from_plain(pathway.content or {})
    except Invalid:
        logger.exception("the plan of pathway %s version %s cannot be read", pathway.key, pathway.version)
        return DEFAULT_PLAN


@dataclass(frozen=True, slots=True)
class VersionSeen:
    """One published version with its alert rules. `running`: followed episodes on it, of all teams."""

    seen: PathwaySeen
    policy: Mapping[str, Any]
    note: str
    published_at: datetime | None
    published_by: str
    is_active: bool
    running: int


def newest_pathways() -> tuple[VersionSeen, ...]:
    """The active version of each pathway, with everybody who runs on any version of it."""
    rows = list(Pathway.objects.filter(active=True).order_by("name"))
    running = dict(_running().values_list("pathway__key").annotate(n=Count("pk")))
    return tuple(_version(row, running.get(row.key, 0)) for row in rows)


def versions_of(key: str) -> tuple[VersionSeen, ...]:
    """Newest first. Raises NotFound for an unknown pathway."""
    rows = list(Pathway.objects.filter(key=key).order_by("-version"))
    if not rows:
        raise NotFound("There is no such pathway.")
    counted = dict(_running().filter(pathway__key=key).values_list("pathway_id").annotate(n=Count("pk")))
    return tuple(_version(row, counted.get(row.pk, 0)) for row in rows)


def _running() -> QuerySet[Episode]:
    return Episode.objects.filter(status__in=["planned", "active"], pathway__isnull=False)


def _version(row: Pathway, running: int) -> VersionSeen:
    return VersionSeen(
        seen=pathway_seen(row),
        policy=row.policy or DEFAULT_POLICY.to_plain(),
        note=row.note,
        published_at=row.published_at,
        published_by=row.published_by,
        is_active=row.active,
        running=running,
    )
