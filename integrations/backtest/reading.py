"""Second pass: the rows of one group of patients to subjects, each row known from when it arrived at the hospital.

Arrival is `Observation.issued`, `Condition.recordedDate`, `Encounter.period.start` and the end of a Procedure; a death
is known when it happens, and what Patient and Device say from the beginning. What the words mean is decided by the
same mappers as at the FHIR door.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from integrations.backtest.observations import Reading, Untold, read_observation
from integrations.backtest.spill import Problems
from integrations.backtest.subject import Person, subject_of
from integrations.fhir import codes
from integrations.fhir.documents.facts import facts_of
from integrations.fhir.documents.paths import first, text, values_at
from integrations.fhir.primitives import span
from recovery.services.intake import DeviceFacts, EpisodeFacts, FindingFacts, PatientFacts
from recovery.twin.evaluate_backtest_subjects import Subject

RACE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-race"
_FAULTS = (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError)


@dataclass
class Group:
    """The subjects of one group in order of id, and what became of its rows."""

    subjects: list[Subject]
    ends: dict[str, datetime]
    problems: Problems
    used: Counter[str]
    synthetic: int = 0


@dataclass
class _Taken:
    people: dict[str, Person] = field(default_factory=dict)
    problems: Problems = field(default_factory=Problems)
    used: Counter[str] = field(default_factory=Counter)
    tiers: dict[str, str] = field(default_factory=dict)
    devices: dict[str, str] = field(default_factory=dict)


def read_group(path: Path, until: datetime | None, *, history_is_whole: bool) -> Group:
    """The subjects of a group file. Rows that arrived at or after `until` are not read.

    history_is_whole: the export lists conditions, so one that is not there is absent rather than not known.
    """
    taken = _Taken(people=defaultdict(Person))
    until_ms = None if until is None else until.timestamp() * 1000
    for kind, source, line in _rows(path):
        try:
            _take(taken, kind, source, orjson.loads(line), until_ms)
        except orjson.JSONDecodeError as error:
            taken.problems.add("not_readable", source, f"not JSON: {error.msg}")
        except Untold as why:
            taken.problems.add(why.kind, source, str(why))
        except _FAULTS as error:
            taken.problems.add("not_usable", source, f"{kind}: {type(error).__name__}: {error}"[:200])
    return _group(taken, until, history_is_whole)


def _rows(path: Path) -> Iterator[tuple[str, str, bytes]]:
    with path.open("rb") as file:
        for row in file:
            kind, source, line = row.split(b"\t", 2)
            yield kind.decode(), source.decode(), line


def _take(taken: _Taken, kind: str, source: str, resource: Any, until_ms: float | None) -> None:
    if not isinstance(resource, dict):
        raise Untold("not_readable", "the line is not a JSON object")
    if resource.get("resourceType") != kind:
        raise Untold("wrong_type", f"a {resource.get('resourceType')} in a file of {kind}")
    if kind == "Observation":
        _take_observation(taken, source, resource, until_ms)
        return
    facts = facts_of(kind, resource)
    if kind == "Patient" and isinstance(facts, PatientFacts):
        _take_patient(taken, resource, facts)
    elif kind == "Device" and isinstance(facts, DeviceFacts):
        name = f"Device/{resource['id']}"
        taken.tiers[name], taken.devices[name] = facts.tier, facts.name
        taken.used["Device"] += 1
    else:
        _take_event(taken, kind, resource, facts, until_ms)


def _take_patient(taken: _Taken, resource: Mapping[str, Any], facts: PatientFacts) -> None:
    person = taken.people[str(resource["id"])]
    if person.facts is not None:
        raise Untold("duplicate", f"Patient/{resource['id']} stands twice; the first is used")
    tags = {str(tag.get("code", "")).lower() for tag in values_at(resource, "meta.tag")}
    person.facts = facts
    person.is_synthetic = facts.is_synthetic or "synthetic" in tags or "htest" in tags
    person.attributes["sex"] = facts.sex
    person.attributes["race"] = _race(resource)
    site = first(resource, "managingOrganization.display", "managingOrganization.reference")
    if isinstance(site, str):
        person.attributes["site"] = site
    taken.used["Patient"] += 1


def _race(resource: Mapping[str, Any]) -> str:
    for extension in values_at(resource, "extension"):
        if extension.get("url") == RACE:
            shown = [part.get("valueCoding", {}).get("display") for part in values_at(extension, "extension")]
            return next((str(one) for one in shown if one), "not known")
    return "not known"


def _take_event(taken: _Taken, kind: str, resource: Mapping[str, Any], facts: object, until_ms: float | None) -> None:
    """A Procedure, Condition or Encounter."""
    person = taken.people[_patient(resource, "subject")]
    if kind == "Procedure":
        if not isinstance(facts, EpisodeFacts) or facts.surgery_end is None or facts.status == "cancelled":
            raise Untold("no_operation", "a procedure that is no finished operation known to the twin")
        if until_ms is None or facts.surgery_end.timestamp() * 1000 < until_ms:
            person.operations.append((facts.surgery_end, _local_hour(resource, facts.surgery_end), facts))
        else:
            raise Untold("after_until", "")
    elif isinstance(facts, FindingFacts):
        at = facts.recorded_at or facts.onset_at
        if at is None:
            raise Untold("no_time", f"{kind} without a date of recording or onset")
        if until_ms is not None and at.timestamp() * 1000 >= until_ms:
            raise Untold("after_until", "")
        person.findings.append((at.timestamp(), facts))
    taken.used[kind] += 1


def _local_hour(resource: Mapping[str, Any], end: datetime) -> float:
    """Clock hour of the end of surgery as it was written, so that the time of day is the patient's own."""
    said = first(resource, "performedPeriod.end", "performedDateTime")
    local = datetime.fromisoformat(said) if isinstance(said, str) and "T" in said else end
    return local.hour + local.minute / 60 + local.second / 3600


def _take_observation(taken: _Taken, source: str, resource: dict[str, Any], until_ms: float | None) -> None:
    person = taken.people[_patient(resource, "subject")]
    arrived = _arrived_ms(resource)
    if until_ms is not None and arrived >= until_ms:
        raise Untold("after_until", "")
    if any(coding in codes.FACTORS for coding in _codings(resource)):
        facts = facts_of("Observation", resource)
        if not isinstance(facts, FindingFacts):
            raise Untold(
                "not_usable", f"{text(resource, 'code.text', 'code.coding.display')}: no value that can be read"
            )
        person.findings.append((arrived / 1000, facts))
        taken.used["Observation"] += 1
        return
    for reading in read_observation(resource, arrived):
        _keep(person, taken.problems, source, reading)
    taken.used["Observation"] += 1


def _keep(person: Person, problems: Problems, source: str, reading: Reading) -> None:
    """A reading sent again is the reading; it counts from when it first arrived."""
    if reading.notes:
        for note in reading.notes:
            problems.count[note] += 1
    held = person.readings.get(reading.key)
    if held is not None:
        problems.add("duplicate", source, f"the same {reading.metric or reading.code} was sent before")
        if held.arrived_ms <= reading.arrived_ms:
            return
    person.readings[reading.key] = reading


def _codings(resource: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for coding in resource["code"].get("coding", ()):
        yield str(coding.get("system", "")), str(coding.get("code", ""))


def _arrived_ms(resource: Mapping[str, Any]) -> float:
    said = resource.get("issued") or first(
        resource, "effectiveDateTime", "effectiveInstant", "effectivePeriod.end", "effectivePeriod.start"
    )
    if not isinstance(said, str):
        raise Untold("no_time", "an Observation without issued and effective time")
    return float(span(said).low_ms)


def _patient(resource: Mapping[str, Any], name: str) -> str:
    reference = resource[name]["reference"]
    kind, _, identity = str(reference).rpartition("/")
    if not kind.endswith("Patient") or not identity:
        raise Untold("no_patient", f"{name} {reference} is no Patient")
    return identity


def _group(taken: _Taken, until: datetime | None, history_is_whole: bool) -> Group:
    group = Group([], {}, taken.problems, taken.used)
    for patient in sorted(taken.people):
        person = taken.people[patient]
        if person.facts is None:
            group.problems.add("unknown_patient", f"Patient/{patient}", "rows of a patient who is not in the export")
            continue
        if not person.operations:
            group.problems.add("no_operation_in_time", f"Patient/{patient}", "no operation that the twin knows")
            continue
        if len(person.operations) > 1:
            group.problems.add("later_operation", f"Patient/{patient}", "the first operation is replayed")
        devices = (taken.tiers, taken.devices)
        subject = subject_of(patient, person, devices, until, history_is_whole=history_is_whole)
        group.subjects.append(subject)
        group.ends[patient] = datetime.fromtimestamp(subject.case.surgery_end, UTC)
        group.synthetic += person.is_synthetic
    return group
