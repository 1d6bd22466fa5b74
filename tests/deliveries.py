"""Deliveries for tests: the plain form in which a door hands things to the services."""

import hashlib
from datetime import UTC, date, datetime, timedelta
from typing import Any

from recovery.services.intake import (
    Delivery,
    DeviceFacts,
    DocumentWrite,
    EpisodeFacts,
    NumberReading,
    PacketReading,
    PatientFacts,
    SeriesKey,
)

SURGERY_END = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR_MS = 3_600_000


def ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def patient(index: int = 0, fhir_id: str = "p1", **facts: Any) -> DocumentWrite:
    said = {"family_name": "Hartmann", "given_name": "Ida", "birth_date": date(1950, 5, 4), "sex": "female", **facts}
    content = {"resourceType": "Patient", "name": [{"family": said["family_name"]}]}
    return DocumentWrite(index, "Patient", "put", content, fhir_id, facts=PatientFacts(**said))


def procedure(
    index: int = 1, patient_id: str = "p1", end: datetime = SURGERY_END, key: str = "knee_replacement"
) -> DocumentWrite:
    facts = EpisodeFacts(key, "Total knee replacement", end - timedelta(hours=2), end, "active")
    content = {"resourceType": "Procedure", "status": "completed", "end": end.isoformat()}
    return DocumentWrite(index, "Procedure", "put", content, f"{patient_id}-op", patient=patient_id, facts=facts)


def device(index: int = 2, fhir_id: str = "watch", patient_id: str = "p1", tier: str = "cleared") -> DocumentWrite:
    return DocumentWrite(
        index, "Device", "put", {"resourceType": "Device"}, fhir_id, patient=patient_id, facts=DeviceFacts(tier=tier)
    )


def series(
    patient_id: str = "p1",
    metric: str = "heart_rate",
    unit: str = "/min",
    shape: str = "number",
    span_ms: int = 0,
    source: str = "Device/watch",
    scale: float = 1.0,
    shift: float = 0.0,
) -> SeriesKey:
    template = f'{{"of":"{patient_id}","metric":"{metric}","unit":"{unit}","source":"{source}"}}'
    return SeriesKey(
        patient_id, metric, "http://loinc.org", metric, unit, scale, shift, source, "consumer", shape, template, span_ms
    )


def number(index: int, hour: float, value: float, key: SeriesKey | None = None, digits: int = 0) -> NumberReading:
    return NumberReading(index, key or series(), ms(SURGERY_END) + round(hour * HOUR_MS), value, digits)


def packet(index: int, hour: float, values: list[float | None], key: SeriesKey | None = None) -> PacketReading:
    """Hourly SampledData from `hour` on; None is E (no valid value)."""
    start = ms(SURGERY_END) + round(hour * HOUR_MS)
    data = " ".join("E" if value is None else f"{value:g}" for value in values)
    digest = int.from_bytes(hashlib.sha256(data.encode()).digest()[:6], "big")
    points = tuple((start + k * HOUR_MS, value) for k, value in enumerate(values) if value is not None)
    key = key or series(shape="packet", span_ms=HOUR_MS)
    return PacketReading(index, key, start, start + len(values) * HOUR_MS, data, digest, points)


def enrolment(patient_id: str = "p1") -> Delivery:
    """A patient, the operation and a wearable."""
    return Delivery(
        "test", documents=(patient(0, patient_id), procedure(1, patient_id), device(2, "watch", patient_id))
    )
