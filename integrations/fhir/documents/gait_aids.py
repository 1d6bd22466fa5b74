"""Walking aids: what an Observation of equipment in use, or a DeviceUseStatement, tells of them."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from integrations.fhir import codes
from integrations.fhir.documents.paths import first, text, values_at
from integrations.fhir.primitives import from_ms, moment_of, span
from integrations.fhir.streams.shape import codings_of
from recovery.services.intake import FindingFacts
from recovery.twin.gait_aid import aid_named

Json = Mapping[str, Any]
KEY = "gait_aid"
_NEVER = ("entered-in-error", "intended", "cancelled")
_OVER = ("completed", "stopped")


def observed_aid(resource: Json) -> FindingFacts | None:
    """An Observation of LOINC 98181-1 whose value is a walking aid, or says that none is used."""
    concept, words = resource.get("valueCodeableConcept"), text(resource, "valueCodeableConcept.text", "valueString")
    aid = _aid(codings_of(concept), words or text(resource, "valueCodeableConcept.coding.display"))
    since = _moment(first(resource, "effectiveDateTime", "effectivePeriod.start", "effectiveInstant"))
    if not aid or since is None or resource.get("status") in _NEVER:
        return None
    until = _end(first(resource, "effectivePeriod.end"))
    return _finding(aid, "", since, until, _moment(resource.get("issued")) or since)


def used_aid(resource: Json) -> FindingFacts | None:
    """A DeviceUseStatement whose device is a walking aid by its words, by a contained Device, or by a Device to be
    looked up when the twin asks (`FindingFacts.code`). One that is over without saying when ended when it was said."""
    if resource.get("status") in _NEVER:
        return None
    said = _moment(resource.get("recordedOn"))
    since = _moment(first(resource, "timingPeriod.start", "timingDateTime")) or said
    device = resource.get("device") or {}
    reference = str(device.get("reference", ""))
    inside: Json = next((one for one in values_at(resource, "contained") if reference == f"#{one.get('id')}"), {})
    words = " ".join((str(device.get("display", "")), text(inside, "type.text", "type.coding.display")))
    aid = _aid(codings_of(inside.get("type")), words)
    if since is None or not (aid or reference.startswith("Device/")):
        return None
    until = _end(first(resource, "timingPeriod.end"))
    if until is None and resource.get("status") in _OVER:
        until = said or since
    return _finding(aid, "" if aid else reference, since, until, said or since)


def _finding(aid: str, reference: str, since: datetime, until: datetime | None, said: datetime) -> FindingFacts:
    key = f"{KEY}.{aid}" if aid else KEY
    return FindingFacts("factor", key, reference, "", None, since, until, said)


def _aid(codings: Iterable[tuple[str, str]], words: str) -> str:
    return next((codes.GAIT_AIDS[one] for one in codings if one in codes.GAIT_AIDS), "") or aid_named(words)


def _moment(said: object) -> datetime | None:
    return moment_of(said) if isinstance(said, str) else None


def _end(said: object) -> datetime | None:
    """A day stands for its last moment."""
    if not isinstance(said, str):
        return None
    return moment_of(said) if "T" in said else from_ms(span(said).high_ms - 1)
