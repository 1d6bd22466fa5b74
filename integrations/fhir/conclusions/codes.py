"""Codes and addresses that several conclusions share: the model as their method, metrics as what they are about."""

from typing import Any

from recovery.selectors.snapshot import Said
from recovery.twin.metrics import METRICS

BASE = "https://twinweb.example"
UCUM = "http://unitsofmeasure.org"
METHODS = f"{BASE}/CodeSystem/method"
RECOVERY = f"{BASE}/CodeSystem/recovery-index"
STATES = f"{BASE}/CodeSystem/recovery-state"
MILESTONES = f"{BASE}/CodeSystem/milestone"
PRODUCT = "Recovery twin"
# R4 standard extension; as-text: the reason is in words beside it.
ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
ABSENT_REASONS = "http://terminology.hl7.org/CodeSystem/data-absent-reason"

Json = dict[str, Any]


def profile(name: str) -> str:
    """The canonical address of one of our published profiles or extensions."""
    return f"{BASE}/StructureDefinition/{name}"


def method(model_version: str) -> Json:
    coding = {"system": METHODS, "version": model_version, "code": "recovery-twin", "display": PRODUCT}
    return {"coding": [coding], "text": f"Recovery twin {model_version}"}


def coded(name: str) -> str:
    """A key of ours as a code: FHIR's own codes have hyphens, and its ids may have no underscore."""
    return name.replace("_", "-")


def measure(metric: str) -> Json:
    """The public codes of what a metric measures."""
    known = METRICS.get(metric)
    codings = [{"system": code.system, "code": code.code} for code in known.codes] if known else []
    return {"coding": codings, "text": known.label} if codings and known else {"text": metric}


def quantity(value: float, unit: str, comparator: str = "") -> Json:
    said: Json = {"value": value}
    if comparator:
        said["comparator"] = comparator
    return {**said, "unit": unit, "system": UCUM, "code": unit}


def readings_used(said: Said) -> list[Json]:
    """The newest reading of each metric that the snapshot stands on, each once."""
    ids = dict.fromkeys(one.reading for one in said.metrics.values() if one.reading)
    return [{"reference": f"Observation/{name}"} for name in ids]
