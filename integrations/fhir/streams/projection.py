"""Numbers drawn from an Observation that is a document: components, notes, unusual forms (design section 5)."""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from integrations.fhir import codes
from integrations.fhir.primitives import LOCAL_REFERENCE, span
from integrations.fhir.streams import packets, template
from integrations.fhir.streams.mapping import NOT_MEASURED
from integrations.fhir.streams.shape import codings_of, meaning_of, source_of
from recovery.exact_json import ExactDecimal
from recovery.services.intake import ProjectedSample, SeriesKey, Unmapped

Projection = tuple[tuple[ProjectedSample, ...], tuple[Unmapped, ...]]


def project(observation: Mapping[str, Any], patient: str | None) -> Projection:
    """The samples in a *valid* Observation document, and what could not be mapped.

    None from one that was entered in error or cancelled, has no exact time (a day is not an hour), or is no
    Patient's. A value with a comparator, an absent value and the tokens E, U, L are no numbers.
    """
    at_ms = _start_ms(observation)
    if patient is None or at_ms is None or observation.get("status") in NOT_MEASURED:
        return (), ()
    samples: list[ProjectedSample] = []
    unmapped: list[Unmapped] = []
    for part in (observation, *observation.get("component", ())):
        numbers = list(_numbers(part, at_ms))
        codings = codings_of(part.get("code"))
        if not numbers or any(coding in codes.FACTORS for coding in codings):
            continue
        meaning = meaning_of(codings, part)
        missing = meaning.pop("unmapped")
        unmapped += [missing] if missing else []
        series = _series(patient, meaning, observation, part)
        samples += [ProjectedSample(series, at, value, digits) for at, value, digits in numbers]
    return tuple(samples), tuple(unmapped)


def _start_ms(observation: Mapping[str, Any]) -> int | None:
    period = observation.get("effectivePeriod", {})
    text = observation.get("effectiveDateTime") or observation.get("effectiveInstant") or period.get("start")
    return span(text).low_ms if isinstance(text, str) and "T" in text else None


def _numbers(part: Mapping[str, Any], at_ms: int) -> Iterable[tuple[int, float, int]]:
    """(ms, value, digits) of each number in an Observation or component."""
    quantity = part.get("valueQuantity", {})
    value = part.get("valueInteger", quantity.get("value"))
    if value is not None and "comparator" not in quantity:
        number, digits = template.split_number(value) or (float(value) + 0.0, _digits(value))
        yield at_ms, number, digits
    sampled = part.get("valueSampledData", {})
    is_scaled = "value" in sampled.get("origin", {}) and sampled.get("dimensions") == 1
    if is_scaled and packets.is_data(sampled.get("data")) and sampled["period"] > 0:
        for at, number in packets.points(sampled["data"], at_ms, sampled):
            yield at, number, 0


def _digits(value: object) -> int:
    exponent = value.as_tuple().exponent if isinstance(value, ExactDecimal) else 0
    return min(max(0, -exponent), 20) if isinstance(exponent, int) else 0


def _series(
    patient: str, meaning: Mapping[str, Any], observation: Mapping[str, Any], part: Mapping[str, Any]
) -> SeriesKey:
    source, tier = source_of(observation)
    sampled = part.get("valueSampledData")
    mark = ["projected", meaning["system"], meaning["code"], meaning["unit"], source]
    return SeriesKey(
        patient=patient,
        source=source,
        tier=tier,
        shape="projected",
        template=orjson.dumps(mark).decode(),
        span_ms=round(float(sampled["period"])) if sampled else 0,
        **meaning,
    )


def patient_of(reference: object) -> str | None:
    """The id in a reference to a local Patient."""
    text = reference.get("reference") if isinstance(reference, dict) else None
    match = LOCAL_REFERENCE.fullmatch(text) if isinstance(text, str) else None
    return match.group(2) if match and match.group(1) == "Patient" else None
