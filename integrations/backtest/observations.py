"""One Observation to the readings in it: what was measured, when, in the twin's units. Follows the FHIR door's mapping
(`streams.shape`, `streams.packets`) without its validation, which a replay of a hospital's past has no use for."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from integrations.fhir import codes
from integrations.fhir.primitives import DAY_MS, exact_time, span
from integrations.fhir.streams import packets, units
from integrations.fhir.streams.mapping import NOT_MEASURED
from integrations.fhir.streams.shape import codings_of, meaning_of, source_of

LATE_MS = 24 * 3_600_000
"""A reading is counted as late when it arrives more than a day after it was measured."""
MOST_MEANINGS = 4096


class Untold(Exception):
    """A row that says nothing to a backtest; `kind` is how it is counted."""

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind


class Meaning(NamedTuple):
    metric: str
    code: str
    unit: str
    scale: float
    shift: float


@dataclass(frozen=True, slots=True)
class Reading:
    """Points of one series: (ms, value in canonical units). metric blank: a laboratory or other value under `code`.

    key: the same for the same reading sent again. notes: kinds of what is worth counting about it.
    """

    key: tuple[object, ...]
    metric: str
    code: str
    unit: str
    source: str
    tier: str
    span_ms: float
    arrived_ms: float
    points: tuple[tuple[float, float], ...]
    notes: tuple[str, ...] = ()


def read_observation(resource: Mapping[str, Any], arrived_ms: float) -> Iterator[Reading]:
    """The readings of an Observation and its components. Raises Untold when there is none."""
    if resource.get("status") in NOT_MEASURED:
        raise Untold("not_measured", f"status {resource['status']}")
    at_ms, end_ms = _times(resource)
    source, tier = source_of(resource)
    found = 0
    why = "no number that can be read"
    for part in (resource, *resource.get("component", ())):
        meaning = _meaning(part)
        if isinstance(meaning, str):
            why = meaning
            continue
        points, span_ms = _points(part, meaning, at_ms, end_ms)
        if points is None:
            continue
        found += 1
        key = (meaning, source, at_ms, points)
        notes = _notes(meaning, points, span_ms, arrived_ms)
        yield Reading(key, meaning.metric, meaning.code, meaning.unit, source, tier, span_ms, arrived_ms, points, notes)
    if not found:
        raise Untold("not_followed" if why != "no number that can be read" else "no_value", why)


_meanings: dict[tuple[object, ...], Meaning | str] = {}


def _meaning(part: Mapping[str, Any]) -> Meaning | str:
    """What a value means, or why it is not known. The same few codes and units come again and again."""
    quantity = part.get("valueQuantity") or part.get("valueSampledData", {}).get("origin", {})
    coding = part["code"].get("coding", ())
    key = (
        tuple((one.get("system"), one.get("code")) for one in coding),
        quantity.get("system"),
        quantity.get("code"),
        quantity.get("unit"),
        "valueInteger" in part,
    )
    known = _meanings.get(key)
    if known is None:
        if len(_meanings) >= MOST_MEANINGS:
            _meanings.clear()
        known = _meanings[key] = _looked_up(part)
    return known


def _looked_up(part: Mapping[str, Any]) -> Meaning | str:
    codings = codings_of(part.get("code"))
    said = meaning_of(codings, part)
    if said["metric"]:
        return Meaning(said["metric"], said["code"], said["unit"], said["scale"], said["shift"])
    known = codes.measure_of(codings)
    if known is None:
        return str(said["unmapped"].reason) if said["unmapped"] else "no metric is known for this code"
    measure = known[1]
    factors = units.conversion(said["unit"], measure.unit, measure.substance) if said["unit"] else None
    if factors is None:
        return f"the unit {said['unit'] or '(none)'} does not convert to {measure.unit}"
    return Meaning("", said["code"], measure.unit, *factors)


def _times(resource: Mapping[str, Any]) -> tuple[float, float | None]:
    """Start and, of a period, end in ms."""
    period = resource.get("effectivePeriod")
    if isinstance(period, Mapping):
        end = period.get("end")
        return _ms(period.get("start")), None if end is None else _ms(end)
    return _ms(resource.get("effectiveDateTime") or resource.get("effectiveInstant")), None


def _ms(said: object) -> float:
    """A day is not an hour: only a date with a time says when something was measured."""
    if not isinstance(said, str) or "T" not in said:
        raise Untold("no_time", "no exact time of measurement")
    exact = exact_time(said)
    return float(exact.ms if exact else span(said).low_ms)


def _points(
    part: Mapping[str, Any], meaning: Meaning, at_ms: float, end_ms: float | None
) -> tuple[tuple[tuple[float, float], ...] | None, float]:
    """(ms of the middle of what each value covers, value), and the span of one value; None without a number."""
    scale, shift = meaning.scale, meaning.shift
    sampled = part.get("valueSampledData")
    if isinstance(sampled, Mapping):
        if not packets.is_data(sampled.get("data")) or sampled.get("dimensions") != 1 or not sampled["period"] > 0:
            raise Untold("not_usable", "SampledData that cannot be read")
        width = float(sampled["period"])
        found = packets.points(sampled["data"], int(at_ms), dict(sampled))
        return tuple((ms + width / 2, value * scale + shift) for ms, value in found), width
    quantity = part.get("valueQuantity", {})
    value = part.get("valueInteger", quantity.get("value"))
    if value is None or isinstance(value, bool | str) or "comparator" in quantity:
        return None, 0.0
    width = end_ms - at_ms if end_ms is not None else DAY_MS if units.normal(meaning.unit) == "/d" else 0.0
    return ((at_ms + width / 2, float(value) * scale + shift),), width


def _notes(
    meaning: Meaning, points: tuple[tuple[float, float], ...], span_ms: float, arrived_ms: float
) -> tuple[str, ...]:
    notes = []
    if meaning.unit == "[degF]":
        notes.append("fahrenheit")
    if points:
        end = points[-1][0] + span_ms / 2
        if arrived_ms - end > LATE_MS:
            notes.append("late")
        elif arrived_ms < points[-1][0] - span_ms / 2:
            notes.append("before_measured")
    return tuple(notes)
