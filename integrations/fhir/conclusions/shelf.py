"""The shelf of what this server concludes: per type, how its resources are found and rendered."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any
from uuid import UUID

from integrations.fhir.conclusions import definitions, origins
from integrations.fhir.conclusions.audit_event import audit_event
from integrations.fhir.conclusions.care_plan import care_plan
from integrations.fhir.conclusions.concluded import Concluded
from integrations.fhir.conclusions.detected_issue import detected_issue
from integrations.fhir.conclusions.flag import flag
from integrations.fhir.conclusions.goal import goal
from integrations.fhir.conclusions.recovery_index import recovery_index
from integrations.fhir.conclusions.recovery_index import version_of as index_version
from integrations.fhir.conclusions.risk_assessment import risk_assessment, version_of
from integrations.fhir.primitives import to_ms
from recovery.selectors.fhir_alerts import AlertSaid, alerts_said
from recovery.selectors.fhir_audit import AuditQuery, audit_said
from recovery.selectors.fhir_days import DaySaid, days_said
from recovery.selectors.fhir_plans import PlanSaid, plans_said
from recovery.selectors.fhir_risks import EpisodeSaid, current_said, earlier_said
from recovery.selectors.fhir_search import Criterion
from recovery.twin.milestones import ALL_MILESTONES

Named = Callable[[Sequence[Criterion]], list[Concluded] | None]
_KEY = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_DAY_ID, _GOAL_ID = re.compile(rf"({_KEY})-day(0|-?[1-9][0-9]{{0,3}})"), re.compile(rf"({_KEY})-[a-z0-9-]+")
# Goals of one episode have places of their own, in the order of the milestones.
_GOALS_OF_AN_EPISODE = 64


def _nobody(criteria: Sequence[Criterion]) -> list[Concluded] | None:
    return None


@dataclass(frozen=True, slots=True)
class Source:
    """`one`: by id, or None. `many`: of these patients (FHIR ids; None: of all) beyond a row id, in order.

    `named`: those that a search can only mean, where its criteria say it outright; None: ask `many`, `chunk` at a time.
    `versions`: all that are kept of one, newest first, where earlier ones are kept.
    """

    one: Callable[[str], Concluded | None]
    many: Callable[[Sequence[str] | None, int, int], list[Concluded]]
    named: Named = _nobody
    versions: Callable[[str], list[Concluded]] | None = None
    chunk: int = 500


def _risk(found: EpisodeSaid) -> Concluded:
    resource = risk_assessment(found)
    return Concluded(found.episode_row_id, version_of(found), found.said.made_at, found.patient_id, resource)


def _alert(render: Callable[[AlertSaid], dict[str, Any]], found: AlertSaid) -> Concluded:
    return Concluded(found.row_id, found.number, found.changed_at, found.patient_id, render(found))


def _plan(found: PlanSaid) -> Concluded:
    return Concluded(found.row_id, to_ms(found.changed_at), found.changed_at, found.patient_id, care_plan(found))


def _day(found: DaySaid) -> Concluded:
    return Concluded(found.place, index_version(found), found.said.made_at, found.patient_id, recovery_index(found))


def _keyed(
    select: Callable[..., Iterable[Any]],
    render: Callable[[Any], Concluded],
    versions: Callable[[str], list[Concluded]] | None = None,
) -> Source:
    """A source whose ids are keys (UUIDs) of rows."""

    def one(fhir_id: str) -> Concluded | None:
        key = _key(fhir_id)
        return next((render(found) for found in select(key=key, limit=1)), None) if key is not None else None

    def many(patients: Sequence[str] | None, after: int, limit: int) -> list[Concluded]:
        return [render(found) for found in select(patients=patients, after=after, limit=limit)]

    return Source(one, many, versions=versions)


def _key(fhir_id: str) -> UUID | None:
    """A UUID in its one canonical spelling, so that each resource has one id."""
    try:
        key = UUID(fhir_id)
    except ValueError:
        return None
    return key if str(key) == fhir_id else None


def _risk_versions(fhir_id: str) -> list[Concluded]:
    key = _key(fhir_id)
    return [_risk(found) for found in earlier_said(key)] if key is not None else []


# ---- Goals: several of one episode ---


def _goals(found: PlanSaid) -> list[Concluded]:
    order = list(ALL_MILESTONES)
    version, at = to_ms(found.changed_at), found.changed_at
    return [
        Concluded(
            found.row_id * _GOALS_OF_AN_EPISODE + order.index(one.key), version, at, found.patient_id, goal(found, one)
        )
        for one in found.milestones
        if one.key in ALL_MILESTONES
    ]


def _one_goal(fhir_id: str) -> Concluded | None:
    match = _GOAL_ID.fullmatch(fhir_id)
    plans = plans_said(key=UUID(match.group(1)), limit=1) if match else ()
    return next((one for plan in plans for one in _goals(plan) if one.resource["id"] == fhir_id), None)


def _many_goals(patients: Sequence[str] | None, after: int, limit: int) -> list[Concluded]:
    plans = plans_said(patients=patients, after=after // _GOALS_OF_AN_EPISODE - 1, limit=limit)
    return [one for plan in plans for one in _goals(plan) if one.row_id > after][:limit]


# ---- The recovery index: one a day ---


def _one_day(fhir_id: str) -> Concluded | None:
    match = _DAY_ID.fullmatch(fhir_id)
    if match is None:
        return None
    return next((_day(found) for found in days_said(key=UUID(match.group(1)), day=int(match.group(2)))), None)


def _many_days(patients: Sequence[str] | None, after: int, limit: int) -> list[Concluded]:
    return [_day(found) for found in days_said(patients=patients, after=after, limit=limit)]


# ---- The audit trail ---


def _one_audit_event(fhir_id: str) -> Concluded | None:
    if not fhir_id.isascii() or not fhir_id.isdigit() or fhir_id != str(int(fhir_id)) or len(fhir_id) > 18:
        return None
    return next((audit_event(found) for found in audit_said(AuditQuery(ids=[int(fhir_id)]))), None)


def _audit_events(patients: Sequence[str] | None, after: int, limit: int) -> list[Concluded]:
    """The newest; the trail is searched by `search.audit`."""
    return [audit_event(found) for found in audit_said(AuditQuery(patients=patients, limit=limit))]


CONCLUSIONS: Mapping[str, Source] = MappingProxyType(
    {
        "RiskAssessment": _keyed(current_said, _risk, _risk_versions),
        "DetectedIssue": _keyed(alerts_said, partial(_alert, detected_issue)),
        "AuditEvent": Source(_one_audit_event, _audit_events),
        "Flag": _keyed(alerts_said, partial(_alert, flag)),
        "CarePlan": _keyed(plans_said, _plan),
        "Goal": Source(_one_goal, _many_goals),
        "Observation": Source(_one_day, _many_days, chunk=40),
        "Provenance": Source(origins.one, origins.many, origins.named, chunk=50),
        **{name: Source(one, many) for name, (one, many) in definitions.sources().items()},
    }
)
