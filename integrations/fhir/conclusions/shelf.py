"""The shelf of what this server concludes: per type, how its resources are found and rendered."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any
from uuid import UUID

from integrations.fhir.conclusions.audit_event import audit_event
from integrations.fhir.conclusions.concluded import Concluded
from integrations.fhir.conclusions.detected_issue import detected_issue
from integrations.fhir.conclusions.flag import flag
from integrations.fhir.conclusions.risk_assessment import risk_assessment, version_of
from recovery.selectors.fhir_alerts import AlertSaid, alerts_said
from recovery.selectors.fhir_audit import AuditQuery, audit_said
from recovery.selectors.fhir_risks import EpisodeSaid, current_said


@dataclass(frozen=True, slots=True)
class Source:
    """`one`: by id, or None. `many`: of these patients (FHIR ids; None: of all) beyond a row id, in order."""

    one: Callable[[str], Concluded | None]
    many: Callable[[Sequence[str] | None, int, int], list[Concluded]]


def _risk(found: EpisodeSaid) -> Concluded:
    resource = risk_assessment(found)
    return Concluded(found.episode_row_id, version_of(found), found.said.made_at, found.patient_id, resource)


def _alert(render: Callable[[AlertSaid], dict[str, Any]], found: AlertSaid) -> Concluded:
    return Concluded(found.row_id, found.number, found.changed_at, found.patient_id, render(found))


def _keyed(select: Callable[..., Iterable[Any]], render: Callable[[Any], Concluded]) -> Source:
    """A source whose ids are keys (UUIDs) of rows."""

    def one(fhir_id: str) -> Concluded | None:
        key = _key(fhir_id)
        return next((render(found) for found in select(key=key, limit=1)), None) if key is not None else None

    def many(patients: Sequence[str] | None, after: int, limit: int) -> list[Concluded]:
        return [render(found) for found in select(patients=patients, after=after, limit=limit)]

    return Source(one, many)


def _key(fhir_id: str) -> UUID | None:
    """A UUID in its one canonical spelling, so that each resource has one id."""
    try:
        key = UUID(fhir_id)
    except ValueError:
        return None
    return key if str(key) == fhir_id else None


def _one_audit_event(fhir_id: str) -> Concluded | None:
    if not fhir_id.isascii() or not fhir_id.isdigit() or fhir_id != str(int(fhir_id)) or len(fhir_id) > 18:
        return None
    return next((audit_event(found) for found in audit_said(AuditQuery(ids=[int(fhir_id)]))), None)


def _audit_events(patients: Sequence[str] | None, after: int, limit: int) -> list[Concluded]:
    """The newest; the trail is searched by `search.audit`."""
    return [audit_event(found) for found in audit_said(AuditQuery(patients=patients, limit=limit))]


CONCLUSIONS: Mapping[str, Source] = MappingProxyType(
    {
        "RiskAssessment": _keyed(current_said, _risk),
        "DetectedIssue": _keyed(alerts_said, partial(_alert, detected_issue)),
        "AuditEvent": Source(_one_audit_event, _audit_events),
        "Flag": _keyed(alerts_said, partial(_alert, flag)),
    }
)
