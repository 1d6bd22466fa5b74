"""A maker's answer as FHIR: {"readings": [{"type", "start", "end"?, "value"}], "until"}. Pure.

`until` says from when to ask next time; the answer is whole up to it. A reading that cannot be read is left out and
counted: one garbled row must not keep back the others for ever.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from recovery.exact_json import ExactDecimal
from recovery.services.documents import instant
from recovery.twin.metrics import LOINC
from recovery.vendors.providers import Kind, Provider

UCUM = "http://unitsofmeasure.org"
LARGEST = 1e9  # beyond it, and for NaN, nothing is a reading of a body
AHEAD = timedelta(minutes=5)  # a watch's clock may run ahead a little


@dataclass(frozen=True, slots=True)
class Told:
    """`left_out`: rows that could not be read, or of a kind that the settings do not name."""

    observations: tuple[dict[str, Any], ...]
    until: datetime
    left_out: int


def told_by(
    provider: Provider, said: Mapping[str, Any], *, patient: str, device: str, since: datetime, now: datetime
) -> Told:
    """`until` never lies before `since` nor after `now`, whatever the maker says."""
    rows = said.get("readings")
    rows = rows if isinstance(rows, list) else []
    found = [_observation(provider, one, patient, device, now) for one in rows if isinstance(one, dict)]
    kept = tuple(one for one in found if one is not None)
    until = _time(said.get("until"))
    return Told(kept, min(max(until or since, since), now), len(rows) - len(kept))


def device_of(fhir_id: str, patient: str, provider: Provider) -> dict[str, Any]:
    return {
        "resourceType": "Device",
        "id": fhir_id,
        "deviceName": [{"name": provider.name, "type": "user-friendly-name"}],
        "patient": {"reference": f"Patient/{patient}"},
    }


def _observation(
    provider: Provider, row: Mapping[str, Any], patient: str, device: str, now: datetime
) -> dict[str, Any] | None:
    kind = provider.kinds.get(str(row.get("type")))
    start, end, value = _time(row.get("start")), _time(row.get("end")), row.get("value")
    if kind is None or start is None or not _is_number(value) or max(start, end or start) > now + AHEAD:
        return None
    if end is not None and end <= start:
        return None
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": kind.code, "display": kind.display}]},
        "subject": {"reference": f"Patient/{patient}"},
        "device": {"reference": f"Device/{device}"},
        **_when(start, end),
        "valueQuantity": _quantity(kind, value),
    }


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LARGEST


def _quantity(kind: Kind, value: Any) -> dict[str, Any]:
    number: int | ExactDecimal = value if isinstance(value, int) else ExactDecimal(repr(value))
    return {"value": number, "unit": kind.unit, "system": UCUM, "code": kind.unit}


def _when(start: datetime, end: datetime | None) -> dict[str, Any]:
    if end is None:
        return {"effectiveDateTime": instant(start)}
    return {"effectivePeriod": {"start": instant(start), "end": instant(end)}}


def _time(text: object) -> datetime | None:
    """A moment with its zone; anything else is none."""
    try:
        at = datetime.fromisoformat(text) if isinstance(text, str) else None
        return at.astimezone(UTC).replace(microsecond=0) if at is not None and at.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None
