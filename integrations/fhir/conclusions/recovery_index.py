"""The recovery index as an Observation: what the last snapshot of each postoperative day said. Pure.

The value is the state that the pages show; each component is a metric's deviation from the person's own expected
course, in standard deviations, with the level now, the expected one and the 90 % band beside it. Where the twin says
nothing there is a reason in place of a value, never a zero.
"""

from typing import Any

from integrations.fhir.conclusions.codes import (
    ABSENT_REASONS,
    BASE,
    PRODUCT,
    RECOVERY,
    STATES,
    Json,
    coded,
    method,
    profile,
    quantity,
    readings_used,
)
from integrations.fhir.conclusions.concluded import with_head
from integrations.fhir.primitives import to_ms
from recovery.selectors.fhir_days import DaySaid
from recovery.selectors.snapshot import MetricSaid
from recovery.services.documents import instant

COURSE, GATES = profile("expected-course"), profile("gate-decisions")
DECISIONS = f"{BASE}/CodeSystem/gate-decision"
NO_DATA = "no_data"
CODE = "recovery-state"


def index_id(found: DaySaid) -> str:
    return f"{found.episode_key}-day{found.day}"


def recovery_index(found: DaySaid) -> dict[str, Any]:
    said = found.said
    body = {
        "status": "final" if found.is_over else "preliminary",
        "category": [_code("derived", "Derived by a model")],
        "code": _code(CODE, "State of recovery"),
        "subject": {"reference": f"Patient/{found.patient_fhir_id}"},
        "effectivePeriod": {"start": instant(found.starts_at), "end": instant(said.made_at)},
        "issued": instant(said.made_at),
        "performer": [{"display": PRODUCT}],
        "method": method(said.model_version),
        "derivedFrom": readings_used(said),
        **_state(said.state, said.sentence),
        "note": [{"text": one} for one in _notes(found)],
        "component": [_component(metric) for metric in said.metrics.values()],
    }
    at = said.made_at
    return with_head("Observation", index_id(found), version_of(found), instant(at), body, profile("recovery-index"))


def version_of(found: DaySaid) -> int:
    """Grows with each snapshot of the day, and once more when the day is over."""
    return 2 * to_ms(found.said.made_at) + found.is_over


def _code(code: str, text: str) -> Json:
    return {"coding": [{"system": RECOVERY, "code": code, "display": text}], "text": text}


def _state(state: str, sentence: str) -> Json:
    if state == NO_DATA:
        return {"dataAbsentReason": _absent("unknown", sentence or "No reading has arrived yet.")}
    return {"valueCodeableConcept": {"coding": [{"system": STATES, "code": coded(state)}], "text": sentence or state}}


def _absent(code: str, text: str) -> Json:
    return {"coding": [{"system": ABSENT_REASONS, "code": code}], "text": text}


def _component(metric: MetricSaid) -> Json:
    said: Json = {"code": _code(f"deviation-{coded(metric.key)}", f"{metric.label}: deviation from own course")}
    course = _course(metric)
    extensions = [{"url": COURSE, "extension": course}] if course else []
    extensions += _gates(metric)
    if extensions:
        said = {"extension": extensions, **said}
    if metric.deviation is None:
        return {**said, "dataAbsentReason": _absent("unknown", f"{metric.label}: not read in time to be compared.")}
    deviation = {**quantity(metric.deviation, "{SD}"), "unit": "SD"}
    return {**said, "valueQuantity": deviation}


def _course(metric: MetricSaid) -> list[Json]:
    """What was read last and what was expected, in the metric's unit, with the band of 90 %."""
    found = [
        {"url": name, "valueQuantity": quantity(value, metric.unit)}
        for name, value in (("now", metric.now), ("expected", metric.expected), ("usual", metric.norm))
        if value is not None
    ]
    if metric.low90 is not None and metric.high90 is not None:
        low, high = quantity(metric.low90, metric.unit), quantity(metric.high90, metric.unit)
        found.append({"url": "interval", "valueRange": {"low": low, "high": high}})
    return found


def _gates(metric: MetricSaid) -> list[Json]:
    """How many readings met each decision of the gate when they were last judged."""
    counts = {
        "accepted": metric.gates.accepted,
        "down-weighted": metric.gates.down_weighted,
        "rejected": metric.gates.rejected,
    }
    return [
        {
            "url": GATES,
            "extension": [
                {"url": "decision", "valueCoding": {"system": DECISIONS, "code": code}},
                {"url": "count", "valueUnsignedInt": count},
            ],
        }
        for code, count in counts.items()
        if count
    ]


def _notes(found: DaySaid) -> list[str]:
    until = found.said.data_until
    age = f"Readings until {instant(until)}." if until else "No reading has arrived yet."
    return [f"Postoperative day {found.day}.", *found.said.reasons, age]
