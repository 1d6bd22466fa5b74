"""The pathway that an episode runs on, as everyone who plans by it reads it."""

import logging
from dataclasses import dataclass
from typing import Any

from recovery.exceptions import Invalid
from recovery.models import Episode, Pathway
from recovery.pathway_plan import DEFAULT_PLAN, Plan

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
