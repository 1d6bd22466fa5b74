"""From what a group of rows said of one patient to a `Subject` of the replay: hours after surgery throughout."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np

from integrations.backtest.observations import Reading
from recovery.services.intake import EpisodeFacts, FindingFacts, PatientFacts
from recovery.twin.evaluate_backtest_judge import Lab
from recovery.twin.evaluate_backtest_run import LAST_H
from recovery.twin.evaluate_backtest_subjects import BASELINE_HOURS, Dated, Fact, Subject
from recovery.twin.fit_cohort import Case
from recovery.twin.measurement import Samples
from recovery.twin.metrics import Tier
from recovery.twin.profile import PROCEDURES, Profile
from recovery.twin.risk_inputs import HISTORY_LABELS, RiskFactors

DAYS_A_YEAR = 365.2425
HOUR_MS = 3_600_000.0
SEXES: dict[str, Any] = {"female": "female", "male": "male", "other": "other"}
AGE_BANDS = ((50, "under 50"), (65, "50 to 64"), (75, "65 to 74"))
OLDEST = "75 and older"
HISTORY = frozenset(HISTORY_LABELS) - {"smoker"}


@dataclass
class Person:
    """What the rows said of one patient."""

    facts: PatientFacts | None = None
    is_synthetic: bool = False
    attributes: dict[str, str] = field(default_factory=dict)
    operations: list[tuple[datetime, float, EpisodeFacts]] = field(default_factory=list)
    findings: list[tuple[float, FindingFacts]] = field(default_factory=list)
    readings: dict[tuple[object, ...], Reading] = field(default_factory=dict)


def subject_of(
    patient: str,
    person: Person,
    devices: tuple[dict[str, str], dict[str, str]],
    until: datetime | None,
    *,
    history_is_whole: bool,
) -> Subject:
    """The subject of the patient's first operation. The person has facts and an operation. devices: tier and name by
    reference."""
    tiers, names = devices
    end, clock_hour, operation = min(person.operations, key=lambda one: one[0])
    zero = end.timestamp()
    facts = person.facts or PatientFacts()
    age = (end.date() - facts.birth_date).days / DAYS_A_YEAR if facts.birth_date else None
    profile = Profile(operation.procedure or None, age, SEXES.get(facts.sex), surgery_end_hour_of_day=clock_hour)
    start = operation.surgery_start
    absent = dict.fromkeys(sorted(HISTORY), False) if history_is_whole else {}
    factors = RiskFactors(duration_h=(end - start).total_seconds() / 3600 if start else None, **absent)
    case = Case(patient, zero, profile, factors)
    died = facts.died_at
    if died is not None and (until is None or died < until):
        case.died_h = (died.timestamp() - zero) / 3600
    known = _findings(case, person, zero)
    labs = _readings(case, person, tiers, zero)
    until_h = np.inf if until is None else (until.timestamp() - zero) / 3600
    return Subject(case, known, labs, _attributes(person, names, operation, age), until_h)


def _findings(case: Case, person: Person, zero: float) -> list[Fact]:
    """Diagnoses and readmission of the case; the facts that the risk model reads, dated."""
    facts: list[Fact] = []
    for at, found in person.findings:
        hour = (at - zero) / 3600
        if found.kind == "complication" and found.key and hour > 0:
            onset = hour if found.onset_at is None else (found.onset_at.timestamp() - zero) / 3600
            case.diagnoses.append((hour, onset, found.key))
        elif found.kind == "stay" and found.key == "inpatient" and hour > 0:
            case.readmitted_h = hour if case.readmitted_h is None else min(case.readmitted_h, hour)
        elif found.kind == "factor" and found.number is not None:
            facts.append(Fact(hour, found.key, found.number))
        elif found.kind == "comorbidity" and found.key in HISTORY:
            facts.append(Fact(hour, found.key, 1.0))
    case.diagnoses.sort()
    return facts


def _readings(case: Case, person: Person, tiers: dict[str, str], zero: float) -> list[Dated]:
    """The samples of the case with their arrival; labs are returned."""
    rows: dict[str, list[tuple[float, float, float, str, float, float]]] = {}
    labs: list[Dated] = []
    for reading in person.readings.values():
        arrived = (reading.arrived_ms / 1000 - zero) / 3600
        if not reading.metric:
            labs += [
                Dated(max(arrived, hour), Lab(hour, reading.code, value, reading.unit))
                for hour, value in ((ms / HOUR_MS - zero / 3600, value) for ms, value in reading.points)
            ]
            continue
        tier = Tier[tiers.get(reading.source, reading.tier).upper()]
        mine = rows.setdefault(reading.metric, [])
        width = reading.span_ms / HOUR_MS
        for ms, value in reading.points:
            hour = (ms / 1000 - zero) / 3600
            if -BASELINE_HOURS <= hour <= LAST_H:
                mine.append((hour, value, float(tier), reading.source, width, arrived))
    for metric in sorted(rows):
        if rows[metric]:
            case.samples[metric], case.arrived[metric] = _samples(rows[metric])
    return sorted(labs)


def _samples(rows: list[tuple[float, float, float, str, float, float]]) -> tuple[Samples, Any]:
    rows.sort()
    sources = {source: float(n) for n, source in enumerate(sorted({row[3] for row in rows}))}
    table = np.array([(h, v, t, sources[s], w, a) for h, v, t, s, w, a in rows])
    hours, values, tier, series, width, arrived = table.T
    return Samples.of(hours, values, tier.astype(np.int64), series.astype(np.int64), width), arrived


def _attributes(person: Person, names: dict[str, str], operation: EpisodeFacts, age: float | None) -> dict[str, str]:
    """What subgroups are made by; 'not known' where it is not said."""
    known = PROCEDURES.get(operation.procedure)
    band = "not known" if age is None else next((label for limit, label in AGE_BANDS if age < limit), OLDEST)
    used = Counter(reading.source for reading in person.readings.values() if reading.source in names)
    device = max(sorted(used), key=lambda source: used[source], default="")
    return {
        **person.attributes,
        "age": band,
        "operation": known.label if known else operation.procedure_text or "not known",
        "device": names.get(device) or "none named",
    }
