"""The FHIR resources that every wearable import makes: a person, their device, readings over a stretch of time.

Pure. Times without a published time zone are written as UTC, so "a day" is the day that the file names.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from integrations.fhir.codes import ORIGIN
from integrations.fhir.streams.units import UCUM
from recovery.exact_json import ExactDecimal
from recovery.twin.metrics import LOINC

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Measure:
    """How a column is sent: code with system and name, UCUM unit."""

    key: str
    system: str
    code: str
    display: str
    unit: str


STEPS_A_DAY = Measure("steps", LOINC, "41950-7", "Number of steps in 24 hour Measured", "{steps}/d")
STEPS = Measure("steps", LOINC, "55423-8", "Number of steps in unspecified time Pedometer", "{steps}")


def person(fhir_id: str, origin: str, gender: str | None = None) -> Json:
    """A real, unnamed volunteer; `origin` says whose data this is and under which licence."""
    tag = {"system": ORIGIN, "code": "volunteer", "display": origin}
    found: Json = {"resourceType": "Patient", "id": fhir_id, "meta": {"tag": [tag]}}
    return {**found, "gender": gender} if gender else found


def device(fhir_id: str, patient_id: str, name: str, manufacturer: str) -> Json:
    return {
        "resourceType": "Device",
        "id": fhir_id,
        "manufacturer": manufacturer,
        "deviceName": [{"name": name, "type": "user-friendly-name"}],
        "patient": {"reference": f"Patient/{patient_id}"},
    }


def reading(measure: Measure, text: str, patient_id: str, device_id: str, start: datetime, end: datetime) -> Json:
    """One number over [start, end), written to the digit as the file has it."""
    value: int | ExactDecimal = int(text) if text.isdigit() else ExactDecimal(text)
    return {
        "resourceType": "Observation",
        "id": f"{device_id}-{measure.key}-{start:%Y%m%dT%H%M%S}",
        "status": "final",
        "code": {"coding": [{"system": measure.system, "code": measure.code, "display": measure.display}]},
        "subject": {"reference": f"Patient/{patient_id}"},
        "device": {"reference": f"Device/{device_id}"},
        "effectivePeriod": {"start": instant(start), "end": instant(end)},
        "valueQuantity": {"value": value, "unit": measure.unit, "system": UCUM, "code": measure.unit},
    }


def day_reading(measure: Measure, text: str, patient_id: str, device_id: str, day: date) -> Json:
    start = datetime(day.year, day.month, day.day)
    return reading(measure, text, patient_id, device_id, start, start + timedelta(days=1))


def instant(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}Z"


def is_number(text: str) -> bool:
    """A plain decimal; blank, nan and the like are missing, which is not zero."""
    whole, point, fraction = text.removeprefix("-").partition(".")
    return whole.isascii() and whole.isdigit() and (not point or (fraction.isascii() and fraction.isdigit()))
