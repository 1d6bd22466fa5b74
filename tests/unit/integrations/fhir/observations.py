"""Observations for tests: one plain wearable reading, and Hypothesis strategies for valid ones."""

from typing import Any

from hypothesis import strategies as st

from integrations.fhir import wire

UCUM = "http://unitsofmeasure.org"


def heart_rate(**changes: Any) -> dict[str, Any]:
    """A heart rate as a wristband sends it; `changes` replace elements, None removes one."""
    said = {
        "resourceType": "Observation",
        "status": "final",
        "category": [
            {
                "coding": [
                    {"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs"}
                ]
            }
        ],
        "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4", "display": "Heart rate"}]},
        "subject": {"reference": "Patient/p1"},
        "device": {"reference": "Device/d1"},
        "effectiveDateTime": "2026-01-05T08:00:00Z",
        "valueQuantity": {"value": 72, "unit": "beats/minute", "system": UCUM, "code": "/min"},
        **changes,
    }
    return {key: value for key, value in said.items() if value is not None}


def sampled(data: str = "70 71 E 73", **changes: Any) -> dict[str, Any]:
    """Four hours of heart rate as one SampledData."""
    value = {"origin": {"value": 0, "unit": "beats/minute", "system": UCUM, "code": "/min"}, "period": 3600000}
    said = {
        "valueQuantity": None,
        "effectiveDateTime": None,
        "valueSampledData": {**value, "dimensions": 1, "data": data},
    }
    period = {"start": "2026-01-05T08:00:00Z", "end": "2026-01-05T12:00:00Z"}
    return heart_rate(**{**said, "effectivePeriod": period, **changes})


def json_of(text: str) -> Any:
    """The value as the door reads it (decimals exact)."""
    return wire.parse(text.encode())


_texts = st.text(
    st.characters(min_codepoint=33, max_codepoint=0x2FFF, exclude_categories=("Cs", "Cc", "Zs")),
    min_size=1,
    max_size=30,
)
_numbers = st.from_regex(r"-?(0|[1-9][0-9]{0,7})(\.[0-9]{1,6})?([eE][+-]?[0-9]{1,2})?", fullmatch=True)
_offsets = st.sampled_from(["Z", "+00:00", "-00:00", "+02:00", "-05:30", "+14:00"])
_fractions = st.sampled_from(["", ".5", ".12", ".123", ".123456", ".000"])
_times = st.builds(
    lambda moment, fraction, offset: moment.strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0") + fraction + offset,
    st.datetimes(
        min_value=__import__("datetime").datetime(1971, 1, 1), max_value=__import__("datetime").datetime(2100, 1, 1)
    ),
    _fractions,
    _offsets,
)
_partial = st.sampled_from(["2026", "2026-01", "2026-01-05"])
_units = st.sampled_from(
    [
        {"unit": "beats/minute", "system": UCUM, "code": "/min"},
        {"unit": "bpm"},
        {},
        {"unit": "x", "system": "urn:u", "code": "y"},
    ]
)
_extension = st.sampled_from(
    [
        {"url": "http://example.org/side", "valueCode": "left"},
        {"url": "http://example.org/note", "valueString": "resting"},
        {"url": "http://example.org/d", "valueDecimal": "<decimal>"},
        {
            "url": "http://example.org/s",
            "_valueString": {"extension": [{"url": "http://example.org/a", "valueBoolean": True}]},
        },
    ]
)
_identifiers = st.lists(st.fixed_dictionaries({"system": st.just("urn:s"), "value": _texts}), min_size=1, max_size=4)


def _optional(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.none(), strategy)


@st.composite
def observation_texts(draw: st.DrawFn) -> str:
    """JSON text of a valid Observation with one number or one SampledData, decimals written in every legal way."""
    import json

    number = draw(_numbers)
    value: dict[str, Any]
    if draw(st.booleans()):
        value = {
            "valueQuantity": {"value": "<number>", **draw(_units)},
            "effectiveDateTime": draw(st.one_of(_times, _partial)),
        }
    else:
        tokens = draw(
            st.lists(
                st.one_of(st.from_regex(r"-?[0-9]{1,3}(\.[0-9]{1,2})?", fullmatch=True), st.sampled_from("EUL")),
                min_size=1,
                max_size=8,
            )
        )
        start = draw(_times)
        value = {
            "valueSampledData": {
                "origin": {"value": "<number>", **draw(_units)},
                "period": draw(st.sampled_from([1, 1000, 3600000])),
                "dimensions": 1,
                "data": " ".join(tokens),
            },
            "effectivePeriod": {"start": start, "end": start},
        }
    extras = {
        "identifier": draw(_optional(_identifiers)),
        "issued": draw(_optional(_times)),
        "extension": draw(_optional(st.lists(_extension, min_size=1, max_size=2))),
        "meta": draw(_optional(st.just({"tag": [{"system": "urn:t", "code": "c"}], "versionId": "9"}))),
        "note": draw(_optional(st.just([{"text": "after a walk"}]))),
        "bodySite": draw(_optional(st.builds(lambda text: {"text": text}, _texts))),
    }
    whole = heart_rate(**{"valueQuantity": None, "effectiveDateTime": None, **value, **extras})
    text = json.dumps(whole, ensure_ascii=draw(st.booleans()))
    return text.replace('"<number>"', number).replace('"<decimal>"', "1.50")
