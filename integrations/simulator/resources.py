"""What the demo's senders send: FHIR R4 resources as JSON values, decimals exact.

Nothing here knows a shelf or a row: the door maps these as it maps anybody's. Every patient says in `meta` that they
are made up.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from integrations.fhir import codes
from integrations.simulator.cast import OPERATIONS, Member, Trouble
from integrations.simulator.ward import Ward, surgery_start
from recovery.exact_json import ExactDecimal
from recovery.twin.metrics import LOINC, METRICS, Metric
from recovery.twin.profile import SNOMED
from recovery.twin.simulate import SIMULATOR

Json = dict[str, Any]

UCUM = "http://unitsofmeasure.org"
NUMBERS = "https://twinweb.example/demo-record-number"
CONDITION_CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
CONDITION_CATEGORY = "http://terminology.hl7.org/CodeSystem/condition-category"
ENCOUNTER_CLASS = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
HOUR_MS = 3_600_000
ORIGIN_TAG = {
    "system": codes.ORIGIN,
    "code": "synthetic",
    "display": f"Synthetic: made up by the demo's simulator ({SIMULATOR}), no real person",
}
# SNOMED CT: key -> code, words. Those that the twin reads are the ones of integrations.fhir.codes.
CONDITIONS = {
    "diabetes": ("44054006", "Type 2 diabetes mellitus"),
    "copd": ("13645005", "Chronic obstructive lung disease"),
    "kidney_disease": ("709044004", "Chronic kidney disease"),
    "heart_failure": ("42343007", "Congestive heart failure"),
    "atrial_fibrillation": ("49436004", "Atrial fibrillation"),
    "hypertension": ("38341003", "Hypertensive disorder"),
    "osteoarthritis": ("396275006", "Osteoarthritis"),
    "reflux": ("235595009", "Gastroesophageal reflux disease"),
    "hypothyroidism": ("40930008", "Hypothyroidism"),
    "pneumonia": ("233604007", "Pneumonia"),
    "ssi": ("433202001", "Surgical site infection"),
    "leak": ("57019000", "Anastomotic leak"),
}
SMOKER, NEVER_SMOKED = ("77176002", "Smoker"), ("266919005", "Never smoked tobacco")
_CATEGORIES = {"steps": "activity", "pain": "survey"}
# How a sensor's metric is written: unit for people, UCUM code. The others use the metric's own unit for both.
_UNITS = {
    "heart_rate": ("beats/minute", "/min"),
    "respiratory_rate": ("breaths/minute", "/min"),
    "steps": ("steps", "{steps}"),
}


def written(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def decimal(value: float, decimals: int) -> int | ExactDecimal:
    """The number as a device shows it."""
    return ExactDecimal(f"{value:.{decimals}f}") if decimals else round(value)


def watch_of(member: Member) -> str:
    return f"Device/{member.key}-watch"


def implant_of(member: Member) -> str:
    return f"Device/{member.key}-knee"


# ---- who, and what was done


def patient(member: Member) -> Json:
    return {
        "resourceType": "Patient",
        "id": member.key,
        "meta": {"tag": [ORIGIN_TAG], "security": [{"system": codes.TEST_DATA[0], "code": codes.TEST_DATA[1]}]},
        "identifier": [{"system": NUMBERS, "value": member.key.upper()}],
        "active": True,
        "name": [{"use": "official", "family": member.family, "given": [member.given]}],
        "gender": member.sex,
        "birthDate": member.born.isoformat(),
    }


def watch(member: Member) -> Json:
    return _device(member, "watch", "Demo wristband", ("706767009", "Patient data recorder"))


def implant(member: Member) -> Json:
    """The smart knee; the type is the one by which the door knows implants."""
    device = _device(member, "knee", "Demo smart knee", ("86407004", "Orthopedic internal fixation system, device"))
    return device | {"udiCarrier": [{"deviceIdentifier": "DEMO-KNEE", "carrierHRF": f"(demo){member.key}"}]}


def _device(member: Member, suffix: str, name: str, kind: tuple[str, str]) -> Json:
    return {
        "resourceType": "Device",
        "id": f"{member.key}-{suffix}",
        "status": "active",
        "manufacturer": "Synthetic",
        "deviceName": [{"name": name, "type": "user-friendly-name"}],
        "version": [{"type": {"text": "firmware"}, "value": "1.4.2"}],
        "type": _snomed(*kind),
        "patient": _reference(member),
    }


def procedure(ward: Ward, member: Member) -> Json:
    operation = OPERATIONS[member.operation]
    return {
        "resourceType": "Procedure",
        "id": f"{member.key}-op",
        "status": "completed",
        "category": _snomed(codes.SURGICAL_PROCEDURE[1], "Surgical procedure"),
        "code": _snomed(operation.snomed, operation.text) if operation.snomed else {"text": operation.text},
        "subject": _reference(member),
        "performedPeriod": {"start": written(surgery_start(ward, member)), "end": written(ward.surgery_end(member))},
        "performer": [{"function": _snomed("304292004", "Surgeon"), "actor": {"display": operation.surgeon}}],
    }


def stay(ward: Ward, member: Member, left: bool) -> Json:
    start = surgery_start(ward, member) - timedelta(hours=3)
    period = {"start": written(start)} | ({"end": written(discharge(ward, member))} if left else {})
    return {
        "resourceType": "Encounter",
        "id": f"{member.key}-stay",
        "status": "finished" if left else "in-progress",
        "class": {"system": ENCOUNTER_CLASS, "code": "IMP", "display": "inpatient encounter"},
        "subject": _reference(member),
        "period": period,
    }


def discharge(ward: Ward, member: Member) -> datetime:
    return ward.surgery_end(member) + timedelta(hours=OPERATIONS[member.operation].home_after_h)


def history(ward: Ward, member: Member) -> list[Json]:
    """Conditions from before the operation."""
    since = written(ward.surgery_end(member) - timedelta(days=900))
    return [_condition(member, key) | {"onsetDateTime": since, "recordedDate": since} for key in member.history]


def diagnosis(ward: Ward, member: Member, trouble: Trouble) -> Json:
    """The complication, as recorded on its day of diagnosis."""
    said = _condition(member, trouble.kind)
    said["category"] = [{"coding": [{"system": CONDITION_CATEGORY, "code": "encounter-diagnosis"}]}]
    said["onsetDateTime"] = written(ward.anchor - timedelta(hours=trouble.hours_ago))
    said["recordedDate"] = written(diagnosed_at(ward, trouble))
    return said


def diagnosed_at(ward: Ward, trouble: Trouble) -> datetime:
    """When it was written into the record; long after today, as far as this ward goes, when it has not been."""
    hours = trouble.diagnosed_hours_ago
    return datetime.max.replace(tzinfo=UTC) if hours is None else ward.anchor - timedelta(hours=hours)


def _condition(member: Member, key: str) -> Json:
    return {
        "resourceType": "Condition",
        "id": f"{member.key}-{key.replace('_', '-')}",
        "clinicalStatus": {"coding": [{"system": CONDITION_CLINICAL, "code": "active"}]},
        "code": _snomed(*CONDITIONS[key]),
        "subject": _reference(member),
    }


def factors(ward: Ward, member: Member) -> list[Json]:
    """ASA class, body mass index and smoking, as asked before the operation."""
    at = written(surgery_start(ward, member) - timedelta(hours=12))
    return [
        _factor(member, "asa", "97816-3", "ASA physical status class", at) | {"valueInteger": member.asa},
        _factor(member, "bmi", "39156-5", "Body mass index", at)
        | {"valueQuantity": _quantity(decimal(member.bmi, 1), "kg/m2", "kg/m2")},
        _factor(member, "smoking", "72166-2", "Tobacco smoking status", at)
        | {"valueCodeableConcept": _snomed(*(SMOKER if member.smoker else NEVER_SMOKED))},
    ]


def blood_loss(ward: Ward, member: Member) -> Json:
    at = written(ward.surgery_end(member))
    lost = OPERATIONS[member.operation].blood_loss_ml
    said = _factor(member, "blood-loss", "55103-6", "Estimated blood loss", at)
    return said | {"valueQuantity": _quantity(lost, "mL", "mL")}


def _factor(member: Member, suffix: str, code: str, words: str, at: str) -> Json:
    return {
        "resourceType": "Observation",
        "id": f"{member.key}-{suffix}",
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": code, "display": words}], "text": words},
        "subject": _reference(member),
        "effectiveDateTime": at,
        "issued": at,
    }


# ---- readings


def packet(member: Member, key: str, start: datetime, values: NDArray[np.float64]) -> Json | None:
    """One SampledData of hourly values from `start` on, E where the watch was off; None when it never was on."""
    if np.isnan(values).all():
        return None
    metric = METRICS[key]
    tokens = ["E" if np.isnan(value) else str(decimal(value, metric.decimals)) for value in values]
    end = start + timedelta(hours=len(values))
    return _observation(member, metric, watch_of(member)) | {
        "effectivePeriod": {"start": written(start), "end": written(end)},
        "valueSampledData": {
            "origin": _quantity(0, *_unit(metric)),
            "period": HOUR_MS,
            "dimensions": 1,
            "data": " ".join(tokens),
        },
    }


def vital(member: Member, key: str, at: datetime, value: float) -> Json:
    """One number at one second, from the watch."""
    metric = METRICS[key]
    return _observation(member, metric, watch_of(member)) | {
        "effectiveDateTime": written(at),
        "valueQuantity": _quantity(decimal(value, metric.decimals), *_unit(metric)),
    }


def minute_of_steps(member: Member, start: datetime, count: int) -> Json:
    """Steps of one minute; a worn minute without steps is a zero, not a gap."""
    metric = METRICS["steps"]
    end = start + timedelta(minutes=1)
    return _observation(member, metric, watch_of(member)) | {
        "effectivePeriod": {"start": written(start), "end": written(end)},
        "valueQuantity": _quantity(count, *_unit(metric)),
    }


def report(member: Member, key: str, at: datetime, value: float) -> Json:
    """Pain as the patient says it, a blood value from the laboratory, or one value of the day from the implant."""
    metric = METRICS[key]
    device = None if key == "pain" or metric.family == "laboratory" else implant_of(member)
    said = _observation(member, metric, device)
    if key == "pain":
        said["performer"] = [_reference(member)]
    return said | {
        "effectiveDateTime": written(at),
        "valueQuantity": _quantity(decimal(value, metric.decimals), *_unit(metric)),
    }


def _observation(member: Member, metric: Metric, device: str | None) -> Json:
    code = metric.codes[0]
    usual = "vital-signs" if code.system == LOINC else "activity"
    category = "laboratory" if metric.family == "laboratory" else _CATEGORIES.get(metric.key, usual)
    said: Json = {
        "resourceType": "Observation",
        "status": "final",
        "category": [{"coding": [{"system": codes.OBSERVATION_CATEGORY, "code": category}]}],
        "code": {"coding": [{"system": code.system, "code": code.code, "display": metric.label}], "text": metric.label},
        "subject": _reference(member),
    }
    return said | ({"device": {"reference": device}} if device else {})


def _unit(metric: Metric) -> tuple[str, str]:
    return _UNITS.get(metric.key, (metric.unit, metric.unit))


def _quantity(value: int | ExactDecimal, unit: str, code: str) -> Json:
    return {"value": value, "unit": unit, "system": UCUM, "code": code}


def _snomed(code: str, words: str) -> Json:
    return {"coding": [{"system": SNOMED, "code": code, "display": words}], "text": words}


def _reference(member: Member) -> Json:
    return {"reference": f"Patient/{member.key}"}


def bundle(resources: Sequence[Json]) -> Json:
    """A batch: each entry stands for itself. What has an id of its own is put there."""
    return {"resourceType": "Bundle", "type": "batch", "entry": [_entry(one) for one in resources]}


def _entry(resource: Json) -> Json:
    kind, known = resource["resourceType"], resource.get("id")
    request = {"method": "PUT", "url": f"{kind}/{known}"} if known else {"method": "POST", "url": kind}
    return {"resource": resource, "request": request}
