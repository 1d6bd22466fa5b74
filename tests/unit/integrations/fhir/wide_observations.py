"""A Hypothesis strategy for valid Observations of every form: each value type, precision and place for detail."""

import json
from datetime import datetime
from typing import Any

from hypothesis import strategies as st

from tests.unit.integrations.fhir.observations import UCUM

_words = st.text(
    st.characters(min_codepoint=33, max_codepoint=0x1FFFF, exclude_categories=("Cs", "Cc", "Zs", "Zl", "Zp")),
    min_size=1,
    max_size=20,
)
# Decimals are written in every legal way; they stand in the text as they are drawn.
_decimals = st.from_regex(r"-?(0|[1-9][0-9]{0,9})(\.[0-9]{1,10})?([eE][+-]?[0-9]{1,2})?", fullmatch=True).map(
    lambda text: f"<number {text}>"
)
_small = st.integers(-1000, 1000)
_offsets = st.sampled_from(["Z", "+00:00", "-00:00", "+01:00", "-05:30", "+05:45", "+14:00", "-12:00"])
_fractions = st.sampled_from(["", ".5", ".50", ".123", ".123456", ".000", ".999999999"])
_instants = st.builds(
    lambda moment, fraction, offset: moment.strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0") + fraction + offset,
    st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 1, 1)),
    _fractions,
    _offsets,
)
_dates = st.one_of(_instants, st.sampled_from(["1971", "2026-01", "2024-02-29", "9998-12-31", "0002-01-01"]))
_units = st.sampled_from(
    [
        {"unit": "beats/minute", "system": UCUM, "code": "/min"},
        {"unit": "bpm"},
        {"system": UCUM, "code": "kPa"},
        {"unit": "°C"},
        {"system": UCUM, "code": "[degF]", "unit": "F"},
        {},
        {"unit": "x", "system": "urn:u", "code": "y z"},
    ]
)
_quantities = st.builds(lambda value, unit: {"value": value, **unit}, _decimals, _units)
_compared = st.builds(lambda one, sign: {**one, "comparator": sign}, _quantities, st.sampled_from(["<", ">=", "<="]))
_codes = st.sampled_from(
    [
        ("http://loinc.org", "8867-4"),
        ("http://loinc.org", "8310-5"),
        ("http://loinc.org", "85354-9"),
        ("http://loinc.org", "1988-5"),
        ("urn:mine", "x"),
        ("http://snomed.info/sct", "364075005"),
    ]
)
_concepts = st.one_of(
    st.builds(lambda one: {"coding": [{"system": one[0], "code": one[1]}]}, _codes),
    st.builds(lambda one, text: {"coding": [{"system": one[0], "code": one[1]}], "text": text}, _codes, _words),
    st.builds(lambda text: {"text": text}, _words),
)
_extensions = st.lists(
    st.one_of(
        st.builds(lambda value: {"url": "http://example.org/s", "valueString": value}, _words),
        st.builds(lambda value: {"url": "http://example.org/d", "valueDecimal": value}, _decimals),
        st.builds(lambda value: {"url": "http://example.org/q", "valueQuantity": value}, _quantities),
        st.just({"url": "http://example.org/c", "valueCode": "left"}),
        st.just({"url": "http://example.org/n", "extension": [{"url": "side", "valueBoolean": True}]}),
        st.just({"url": "http://example.org/p", "_valueString": {"extension": [{"url": "urn:a", "valueCode": "b"}]}}),
    ),
    min_size=1,
    max_size=2,
)


def _period(pair: tuple[datetime, datetime]) -> dict[str, str]:
    start, end = sorted(pair)
    return {name: f"{one:%Y-%m-%dT%H:%M:%S}Z".rjust(20, "0") for name, one in (("start", start), ("end", end))}


_moments = st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2100, 1, 1))
_periods = st.one_of(
    st.tuples(_moments, _moments).map(_period),
    st.builds(lambda start: {"start": start}, _dates),
    st.just({"start": "2026-01-05T08:00:00Z", "end": "2026-01-05T09:00:00+01:00"}),
    st.just({"start": "2026-01-05", "end": "2026-01-05"}),
)
_tokens = st.lists(
    st.one_of(st.from_regex(r"-?[0-9]{1,4}(\.[0-9]{1,3})?", fullmatch=True), st.sampled_from("EUL")),
    min_size=1,
    max_size=12,
)
_sampled = st.builds(
    lambda origin, period, tokens, more: {
        "origin": origin,
        "period": period,
        "dimensions": 1,
        "data": " ".join(tokens),
        **more,
    },
    _quantities,
    st.one_of(st.sampled_from([1, 4, 1000, 60000, 3600000]), st.sampled_from(["<number 0.5>", "<number 1000.0>"])),
    _tokens,
    st.sampled_from([{}, {"factor": "<number 0.10>"}, {"lowerLimit": -5, "upperLimit": "<number 5.0>"}]),
)
_values = st.one_of(
    st.builds(lambda value: {"valueQuantity": value}, st.one_of(_quantities, _quantities, _compared)),
    st.builds(lambda value: {"valueSampledData": value}, _sampled),
    st.builds(lambda value: {"valueInteger": value}, st.integers(-(2**31), 2**31 - 1)),
    st.builds(lambda value: {"valueString": value}, _words),
    st.builds(lambda value: {"valueBoolean": value}, st.booleans()),
    st.builds(lambda value: {"valueCodeableConcept": value}, _concepts),
    st.builds(lambda value: {"valuePeriod": value}, _periods),
    st.builds(lambda value: {"valueDateTime": value}, _dates),
    st.just({"valueTime": "08:15:00.5"}),
    st.just({"valueRange": {"low": {"value": "<number 1.50>"}, "high": {"value": 2}}}),
    st.just({"valueRatio": {"numerator": {"value": 1}, "denominator": {"value": 128}}}),
    st.just({"_valueString": {"extension": [{"url": "urn:masked", "valueCode": "masked"}]}}),
    st.just({"dataAbsentReason": {"text": "device off"}}),
    st.just({}),
)
_times = st.one_of(
    st.builds(lambda value: {"effectiveDateTime": value}, _dates),
    st.builds(lambda value: {"effectiveDateTime": value}, _instants),
    st.builds(lambda value: {"effectivePeriod": value}, _periods),
    st.builds(lambda value: {"effectiveInstant": value}, _instants),
    st.just({"effectiveTiming": {"event": ["2026-01-05T08:00:00Z"], "code": {"text": "daily"}}}),
    st.just({}),
)
_components = st.lists(
    st.builds(lambda code, value, more: {"code": code, **value, **more}, _concepts, _values, st.just({})),
    min_size=1,
    max_size=3,
)
_ME = {"reference": "Patient/p1"}
_DETAILS = {
    "identifier": st.lists(
        st.builds(
            lambda value, more: {"system": "urn:s", "value": value, **more},
            _words,
            st.sampled_from([{}, {"use": "official"}, {"period": {"start": "2020"}}]),
        ),
        min_size=1,
        max_size=5,
    ),
    "issued": _instants,
    "category": st.lists(_concepts, min_size=1, max_size=2),
    "note": st.lists(st.builds(lambda text: {"text": text}, _words), min_size=1, max_size=2),
    "extension": _extensions,
    "modifierExtension": st.just([{"url": "http://example.org/m", "valueBoolean": False}]),
    "component": _components,
    "interpretation": st.lists(_concepts, min_size=1, max_size=2),
    "bodySite": _concepts,
    "method": _concepts,
    "language": st.sampled_from(["de", "pt-BR"]),
    "device": st.sampled_from([{"reference": "Device/d1"}, {"display": "a strap"}, {"identifier": {"value": "7"}}]),
    "performer": st.just([_ME, {"display": "nurse"}]),
    "focus": st.just([{"reference": "Device/d1", "type": "Device"}]),
    "derivedFrom": st.just([{"reference": "https://elsewhere.example/fhir/Observation/1"}]),
    "referenceRange": st.just([{"low": {"value": "<number 50.0>"}, "text": "usual", "age": {"low": {"value": 18}}}]),
    "contained": st.just([{"resourceType": "Device", "id": "c", "deviceName": [{"name": "x", "type": "other"}]}]),
    "text": st.just({"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">72 &amp; ok</div>'}),
    "meta": st.sampled_from(
        [
            {"tag": [{"system": "urn:t", "code": "c"}]},
            {"profile": ["http://hl7.org/fhir/StructureDefinition/heartrate"], "source": "urn:gateway"},
            {"versionId": "9", "lastUpdated": "2001-01-01T00:00:00Z"},
            {"security": [{"system": "urn:sec", "code": "R"}], "extension": [{"url": "urn:x", "valueCode": "y"}]},
        ]
    ),
    "_status": st.just({"id": "s1"}),
    "_issued": st.just({"extension": [{"url": "urn:x", "valueCode": "y"}]}),
}


# What the streams shelf may hold.
_PLAIN_DETAILS = ("identifier", "issued", "category", "bodySite", "method", "device", "performer", "interpretation")
_plain_values = st.one_of(
    st.builds(lambda value: {"valueQuantity": value}, _quantities),
    st.builds(lambda value: {"valueSampledData": value}, _sampled),
    st.builds(lambda value: {"valueInteger": value}, st.integers(-(2**31), 2**31 - 1)),
)
_plain_times = st.one_of(
    st.builds(lambda value: {"effectiveDateTime": value}, _instants),
    st.builds(lambda value: {"effectivePeriod": value}, st.tuples(_moments, _moments).map(_period)),
)


@st.composite
def wide_observation_texts(draw: st.DrawFn) -> str:
    """JSON text of a valid Observation of Patient/p1 (Device/d1 is known), keys in any order."""
    plain = draw(st.booleans())  # of a form that can be streamed
    chosen = draw(st.sets(st.sampled_from(sorted(_PLAIN_DETAILS if plain else _DETAILS)), max_size=5))
    said: dict[str, Any] = {
        "resourceType": "Observation",
        "status": draw(st.sampled_from("registered preliminary final amended corrected unknown".split())),
        "code": draw(_concepts),
        "subject": _ME,
        **draw(_plain_values if plain else _values),
        **draw(_plain_times if plain else _times),
        **{name: draw(_DETAILS[name]) for name in sorted(chosen)},
    }
    parts = said.get("component", [])
    if any(name.startswith("value") for name in said) and any(one["code"] == said["code"] for one in parts):
        del said["component"]  # obs-7
    keys = draw(st.permutations(sorted(said)))
    text = json.dumps({name: said[name] for name in keys}, ensure_ascii=draw(st.booleans()))
    return _with_numbers(text)


def _with_numbers(text: str) -> str:
    """`"<number 1.50>"` as 1.50."""
    parts = text.split('"<number ')
    return parts[0] + "".join(part.replace('>"', "", 1) for part in parts[1:])
