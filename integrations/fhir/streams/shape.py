"""A shape: what all Observations of one kind share, checked in full once; and which Observations fit a stream.

Validating each reading against the R4B model costs 0.14 ms. A reading taken apart (`mapping.take_apart`) leaves its
*shape* behind: the Observation with placeholders for whatever varies. A shape seen before is valid, so only the
varying values need a look.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import orjson

from integrations.fhir import codes, validation
from integrations.fhir.documents.references import named, references_of
from integrations.fhir.outcomes import FhirError
from integrations.fhir.primitives import DAY_MS
from integrations.fhir.streams import template, units
from integrations.fhir.streams.template import MARK, At, End, placeholder
from recovery.services.intake import Reference, SeriesKey, Unmapped

# Elements that a stream may hold. The others (component, note, derivedFrom, text, contained ...) tend to differ from
# reading to reading or need more than one number: such Observations are documents.
STREAM_ELEMENTS = frozenset(
    "resourceType meta language implicitRules extension identifier basedOn status category code subject encounter"
    " effectiveDateTime effectiveInstant effectivePeriod issued performer valueQuantity valueInteger valueSampledData"
    " interpretation bodySite method device referenceRange".split()
)
# Extension values of which there are few: as constants they make few series. Others make the reading a document.
_FEW = frozenset(
    "valueBoolean valueCode valueCoding valueCodeableConcept valueUri valueUrl valueCanonical valueReference".split()
)
MOST_SHAPES = 4096
MOST_SERIES = 20_000

# Benign values in place of placeholders, to check a shape as a whole Observation.
_STAND_INS: Mapping[str, Any] = {
    "value": 1,
    "data": "1",
    "at": "2020-01-01T00:00:00Z",
    "end": "2020-01-02T00:00:00Z",
    "end_text": "2020-01-02T00:00:00Z",
    "issued": "2020-01-01T00:00:00Z",
    "subject": "Patient/1",
    "device": "Device/1",
    "id": "1",
    "version": "1",
    "updated": "2020-01-01T00:00:00Z",
}
_LABORATORY = (codes.OBSERVATION_CATEGORY, "laboratory")
_SURVEY = (codes.OBSERVATION_CATEGORY, "survey")


@dataclass(slots=True)
class Shape:
    """A valid kind of streamed Observation. `series` remembers the keys made from it."""

    laid_out: str
    at: At
    end: End | None
    is_packet: bool
    metric: str
    system: str
    code: str
    unit: str
    scale: float
    shift: float
    source: str
    tier: str
    span_ms: int
    unmapped: Unmapped | None
    sampled: dict[str, Any] = field(default_factory=dict)
    series: dict[tuple[str, str], SeriesKey] = field(default_factory=dict)
    references: dict[Reference, str] = field(default_factory=dict)

    def series_of(self, patient: str, device: str) -> SeriesKey:
        """The series key for a patient id and a device reference ("" when the shape has none)."""
        key = self.series.get((patient, device))
        if key is None:
            if len(self.series) >= MOST_SERIES:
                self.series.clear()
            key = self.series[patient, device] = self._make(patient, device)
        return key

    def _make(self, patient: str, device: str) -> SeriesKey:
        fixed = {"subject": f"Patient/{patient}"} | ({"device": device} if device else {})
        return SeriesKey(
            patient=patient,
            metric=self.metric,
            system=self.system,
            code=self.code,
            unit=self.unit,
            scale=self.scale,
            shift=self.shift,
            source=(device or self.source)[:200],
            tier=self.tier,
            span_ms=self.span_ms,
            shape="packet" if self.is_packet else "number",
            template=template.compose(self.laid_out, fixed, self.at, self.end),
            references=named(self.references, device, "Observation.device"),
        )


class ShapeBook:
    """The shapes seen so far, least recently used forgotten first."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[bytes, At, End | None], Shape] = OrderedDict()
        self._lock = Lock()

    def find(self, marked: Mapping[str, Any], at: At, end: End | None) -> Shape | None:
        """The shape of a marked Observation, or None when it is not valid or does not fit a stream."""
        try:
            content = orjson.dumps(marked, default=template.write_decimal, option=orjson.OPT_SORT_KEYS)
        except TypeError:  # half characters, or nested too deeply for any FHIR resource
            return None
        key = (content, at, end)
        with self._lock:
            shape = self._known.get(key)
            if shape is not None:
                self._known.move_to_end(key)
                return shape
        shape = build(marked, at, end)
        if shape is not None:
            with self._lock:
                self._known[key] = shape
                if len(self._known) > MOST_SHAPES:
                    self._known.popitem(last=False)
        return shape


def build(marked: Mapping[str, Any], at: At, end: End | None) -> Shape | None:
    """A new Shape, or None when the Observation must go to the documents shelf (which says what is wrong with it)."""
    if _has_rare_extension(marked):
        return None
    try:
        validation.check(_filled(marked), "Observation")
    except FhirError:
        return None
    codings = codings_of(marked.get("code"))
    if any(coding in codes.FACTORS for coding in codings):
        return None
    meaning = meaning_of(codings, marked)
    source, tier = source_of(marked)
    sampled = marked.get("valueSampledData") or {}
    return Shape(
        laid_out=template.layout(_with_server_fields(marked)),
        at=at,
        end=end,
        is_packet=bool(sampled),
        source=source,
        tier=tier,
        span_ms=_span_ms(meaning["unit"], sampled, end),
        sampled={key: sampled[key] for key in ("origin", "period", "factor") if key in sampled},
        references=references_of(marked, "Observation"),
        **meaning,
    )


def _span_ms(unit: str, sampled: Mapping[str, Any], end: End | None) -> int:
    """The time that one value covers from its start on: a SampledData period, an effectivePeriod, a total per day."""
    if sampled:
        return round(float(sampled["period"]))
    if end is not None:
        return end[2]
    return DAY_MS if units.normal(unit) == "/d" else 0


def _has_rare_extension(value: Any) -> bool:
    if isinstance(value, list):
        return any(_has_rare_extension(item) for item in value)
    if not isinstance(value, dict):
        return False
    held = value.get("extension", ())
    for extension in held if isinstance(held, list) else ():
        if not isinstance(extension, dict) or any(key[:5] == "value" and key not in _FEW for key in extension):
            return True
    return any(key.startswith("_") or _has_rare_extension(child) for key, child in value.items())


def _filled(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _filled(child) for key, child in value.items()}
    if isinstance(value, list):
        return [_filled(item) for item in value]
    if isinstance(value, str) and value.startswith(MARK):
        return _STAND_INS.get(value[1:], "x")
    return value


def _with_server_fields(marked: Mapping[str, Any]) -> dict[str, Any]:
    meta = {"versionId": placeholder("version"), "lastUpdated": placeholder("updated"), **marked.get("meta", {})}
    return {**marked, "id": placeholder("id"), "meta": meta}


def codings_of(concept: object) -> list[codes.Coding]:
    """(system, code) of each coding of a CodeableConcept that has a code."""
    codings = concept.get("coding", ()) if isinstance(concept, dict) else ()
    coded = [one for one in codings if isinstance(one, dict) and "code" in one]
    return [(str(one.get("system", "")), str(one["code"])) for one in coded]


def meaning_of(codings: list[codes.Coding], observation: Mapping[str, Any]) -> dict[str, Any]:
    """metric, system, code, unit, scale, shift and unmapped of an Observation or one of its components.

    `unit` is the UCUM code as sent (or the word, where there is no code).
    """
    known = codes.measure_of(codings)
    (system, code), measure = known if known else (codings[0] if codings else ("", _text(observation)), None)
    sent, unit, is_bare = _unit_of(observation)
    factors, reason = _conversion(measure, sent, is_bare)
    metric = measure.metric if measure and factors else ""
    unmapped = Unmapped(system, code, unit, _text(observation), reason) if reason else None
    scale, shift = factors if factors and metric else (1.0, 0.0)
    return {
        "metric": metric,
        "system": system[:200],
        "code": code[:100],
        "unit": unit[:60],
        "scale": scale,
        "shift": shift,
        "unmapped": unmapped,
    }


def _unit_of(observation: Mapping[str, Any]) -> tuple[str | None, str, bool]:
    """(UCUM code or None, unit as sent for people to read, whether it is a bare integer)."""
    if "valueInteger" in observation:
        return None, "", True
    quantity = observation.get("valueQuantity") or observation.get("valueSampledData", {}).get("origin", {})
    sent = units.code_of(quantity.get("system"), quantity.get("code"), quantity.get("unit"))
    return sent, sent or str(quantity.get("code") or quantity.get("unit") or ""), False


def _conversion(
    measure: codes.Measure | None, sent: str | None, is_bare: bool
) -> tuple[tuple[float, float] | None, str]:
    """((scale, shift) or None, why it is unmapped or "")."""
    if measure is None:
        return None, "no metric is known for this code"
    if is_bare:
        return ((1.0, 0.0), "") if measure.is_a_count else (None, "the number has no unit")
    if sent is None:
        return None, "the unit is missing or is not a known UCUM unit"
    if sent in measure.also:
        return measure.also[sent], ""
    factors = units.conversion(sent, measure.unit, measure.substance)
    return factors, "" if factors else f"the unit does not convert to {measure.unit}"


def _text(observation: Mapping[str, Any]) -> str:
    concept = observation.get("code", {})
    shown = [one.get("display") for one in concept.get("coding", ()) if isinstance(one, dict)]
    return str(concept.get("text") or next((name for name in shown if name), ""))[:100]


def source_of(observation: Mapping[str, Any]) -> tuple[str, str]:
    """(source, tier) of an Observation. A Device's own tier, once it is known here, goes before this one.

    Without a device: surveys and what patients report themselves are self-report, laboratories are cleared
    instruments, all else is trusted no more than a consumer device.
    """
    device = observation.get("device")
    if isinstance(device, dict):
        return str(device.get("reference") or device.get("display") or "device")[:200], "consumer"
    categories = {coding for concept in observation.get("category", ()) for coding in codings_of(concept)}
    performers = [str(one.get("reference", "")) for one in observation.get("performer", ()) if isinstance(one, dict)]
    if _SURVEY in categories or any(who.startswith(("Patient/", "RelatedPerson/")) for who in performers):
        return "self-report", "self_report"
    if _LABORATORY in categories:
        return "laboratory", "cleared"
    return "unspecified", "consumer"
