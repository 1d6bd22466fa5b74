"""Offline only: reads a FHIR Bulk export (one NDJSON file per type, gzip or not) into plain cases for
fitting.

Not the FHIR door of the product: it takes the few elements that fitting needs and ignores the rest. Time is
hours after the end of surgery throughout.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from recovery.twin.measurement import Samples
from recovery.twin.metrics import Metric, metric_for_code
from recovery.twin.profile import Profile, procedure_for_snomed
from recovery.twin.risk_inputs import RiskFactors

SNOMED_OUTCOMES = {
    "433202001": "ssi",
    "233604007": "pneumonia",
    "57019000": "leak",
    "59282003": "vte",
    "49436004": "af",
    "14669001": "aki",
    "83132003": "bleeding",
    "710572000": "ileus",
}
SNOMED_HISTORY = {
    "44054006": "diabetes",
    "13645005": "copd",
    "42343007": "heart_failure",
    "709044004": "kidney_disease",
    "282825002": "atrial_fibrillation",
}
CURRENT_SMOKER = frozenset({"77176002"})
ASA, BODY_MASS_INDEX, BLOOD_LOSS, SMOKING = "97816-3", "39156-5", "55103-6", "72166-2"
YEAR_H = 24 * 365.25
KNEE_IMPLANT_TIER, LABORATORY_TIER, WRIST_TIER, REPORT_TIER = 0, 1, 2, 3
# To the unit of the metric, times a factor; what is not here is in that unit already or is no reading of this export.
# Creatinine 1 mg/dL = 88.42 umol/L (clinical reference, rule 16), haemoglobin 1 mmol/L = 1.6114 g/dL (16,114 g/mol).
FACTORS: Mapping[tuple[str, str], float] = {
    ("crp", "mg/dL"): 10.0,
    ("leukocytes", "10*3/uL"): 1.0,
    ("leukocytes", "/uL"): 1e-3,
    ("creatinine", "umol/L"): 1 / 88.42,
    ("haemoglobin", "g/L"): 0.1,
    ("haemoglobin", "mmol/L"): 1.6114,
}


@dataclass
class Case:
    """One operation: who, what was read (with its hour of arrival), and what happened."""

    patient: str
    surgery_end: float = 0.0
    profile: Profile = field(default_factory=Profile)
    factors: RiskFactors = field(default_factory=RiskFactors)
    samples: dict[str, Samples] = field(default_factory=dict)
    arrived: dict[str, np.ndarray[Any, np.dtype[np.float64]]] = field(default_factory=dict)
    diagnoses: list[tuple[float, float, str]] = field(default_factory=list)
    readmitted_h: float | None = None
    died_h: float | None = None


def read_cohort(folder: Path) -> list[Case]:
    """Every operation of the export, ordered by patient id. Diagnoses are (hour of diagnosis, of onset,
    outcome)."""
    cases = {row["id"]: Case(row["id"]) for row in resources(folder, "Patient")}
    for row in resources(folder, "Procedure"):
        _take_procedure(cases[_patient(row)], row)
    for row in resources(folder, "Patient"):
        _take_patient(cases[row["id"]], row)
    for row in resources(folder, "Condition"):
        _take_condition(cases[_patient(row)], row)
    for row in resources(folder, "Encounter"):
        _take_encounter(cases[_patient(row)], row)
    _take_observations(cases, folder)
    for case in cases.values():
        case.diagnoses.sort()
    return [cases[key] for key in sorted(cases)]


def resources(folder: Path, kind: str) -> Iterator[dict[str, Any]]:
    path = next((p for p in (folder / f"{kind}.ndjson.gz", folder / f"{kind}.ndjson") if p.exists()), None)
    if path is None:
        return
    opened = gzip.open(path, "rt") if path.suffix == ".gz" else path.open()
    with opened as lines:
        for line in lines:
            yield json.loads(line)


def data_hash(folder: Path) -> str:
    """SHA-256 over the uncompressed content of the export's files in name order: the same data, the same
    hash, whenever and however it was compressed."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.ndjson*")):
        digest.update(path.name.removesuffix(".gz").encode())
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as content:
            while block := content.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def _take_procedure(case: Case, row: Mapping[str, Any]) -> None:
    start, end = (_seconds(row["performedPeriod"][edge]) for edge in ("start", "end"))
    known = procedure_for_snomed(_code(row))
    clock = datetime.fromisoformat(row["performedPeriod"]["end"].replace("Z", "+00:00"))
    case.surgery_end = end
    case.profile = replace(
        case.profile,
        procedure=known.key if known else None,
        surgery_end_hour_of_day=clock.hour + clock.minute / 60,
    )
    case.factors = replace(case.factors, duration_h=(end - start) / 3600)


def _take_patient(case: Case, row: Mapping[str, Any]) -> None:
    sex = row.get("gender")
    case.profile = replace(
        case.profile,
        sex=sex if sex in ("female", "male", "other") else None,
        age_years=-_hour(case, row["birthDate"] + "T00:00:00Z") / YEAR_H if "birthDate" in row else None,
    )
    if "deceasedDateTime" in row:
        case.died_h = _hour(case, row["deceasedDateTime"])
    absent = dict.fromkeys(SNOMED_HISTORY.values(), False)  # an export lists the conditions present
    case.factors = replace(case.factors, **absent)


def _take_condition(case: Case, row: Mapping[str, Any]) -> None:
    code, diagnosed = _code(row), _hour(case, row["recordedDate"])
    if code in SNOMED_OUTCOMES and diagnosed > 0:
        case.diagnoses.append((diagnosed, _hour(case, row["onsetDateTime"]), SNOMED_OUTCOMES[code]))
    elif code in SNOMED_HISTORY:
        case.factors = replace(case.factors, **{SNOMED_HISTORY[code]: True})


def _take_encounter(case: Case, row: Mapping[str, Any]) -> None:
    """A later inpatient stay is a readmission; the index stay began before surgery ended."""
    start = _hour(case, row["period"]["start"])
    if start > 0 and row.get("class", {}).get("code") == "IMP":
        case.readmitted_h = start if case.readmitted_h is None else min(case.readmitted_h, start)


def _take_observations(cases: Mapping[str, Case], folder: Path) -> None:
    readings: dict[tuple[str, str], list[tuple[float, float, float, int]]] = defaultdict(list)
    for row in resources(folder, "Observation"):
        case, code = cases[_patient(row)], _code(row)
        metric = metric_for_code(row["code"]["coding"][0].get("system", ""), code)
        if metric is not None:
            readings[case.patient, metric.key].extend(_readings(case, row, metric))
        else:
            _take_factor(case, code, row)
    for (patient, key), rows in readings.items():
        if not rows:
            continue
        hours, values, arrived, tiers = (np.array(column, float) for column in zip(*rows, strict=True))
        cases[patient].samples[key] = Samples.of(hours, values, tiers.astype(int))
        cases[patient].arrived[key] = arrived


def _readings(case: Case, row: Mapping[str, Any], metric: Metric) -> Iterator[tuple[float, float, float, int]]:
    """(hour, value, hour of arrival, tier) of one Observation; Fahrenheit becomes Celsius, `E` is no
    reading, nor is a laboratory value in a unit that does not convert."""
    arrival = _hour(case, row["issued"])
    if metric.family == "laboratory":
        factor = _factor(metric, row.get("valueQuantity", {}))
        if factor is not None:
            value = float(row["valueQuantity"]["value"]) * factor
            yield _hour(case, row["effectiveDateTime"]), value, arrival, LABORATORY_TIER
        return
    tier = WRIST_TIER if "device" in row else REPORT_TIER
    if "valueSampledData" not in row:
        tier = KNEE_IMPLANT_TIER if metric.key == "walking_speed" else tier
        yield _hour(case, row["effectiveDateTime"]), float(row["valueQuantity"]["value"]), arrival, tier
        return
    data = row["valueSampledData"]
    start, step = _hour(case, row["effectivePeriod"]["start"]), data["period"] / 3.6e6
    fahrenheit = data["origin"].get("code") == "[degF]"
    for index, text in enumerate(data["data"].split()):
        if text != "E":
            value = (float(text) - 32) * 5 / 9 if fahrenheit else float(text)
            yield start + (index + 0.5) * step, value, arrival, tier


def _factor(metric: Metric, quantity: Mapping[str, Any]) -> float | None:
    """What a quantity is multiplied by to be in the metric's unit; None when it does not convert or is a limit."""
    if "value" not in quantity or "comparator" in quantity:
        return None
    sent = quantity.get("code")
    return 1.0 if sent == metric.unit else FACTORS.get((metric.key, str(sent)))


def _take_factor(case: Case, code: str, row: Mapping[str, Any]) -> None:
    if code == ASA:
        case.factors = replace(case.factors, asa=float(row["valueInteger"]))
    elif code == BODY_MASS_INDEX:
        case.profile = replace(case.profile, bmi=float(row["valueQuantity"]["value"]))
    elif code == BLOOD_LOSS:
        case.factors = replace(case.factors, blood_loss_ml=float(row["valueQuantity"]["value"]))
    elif code == SMOKING:
        smoker = row["valueCodeableConcept"]["coding"][0]["code"] in CURRENT_SMOKER
        case.factors = replace(case.factors, smoker=smoker)


def _patient(row: Mapping[str, Any]) -> str:
    return str(row["subject"]["reference"]).removeprefix("Patient/")


def _code(row: Mapping[str, Any]) -> str:
    return str(row["code"]["coding"][0]["code"])


def _seconds(stamp: str) -> float:
    return datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp()


def _hour(case: Case, stamp: str) -> float:
    return (_seconds(stamp) - case.surgery_end) / 3600
