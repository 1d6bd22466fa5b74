"""Which Observations are readings, and what they mean."""

from typing import Any

import pytest

from integrations.fhir import codes
from integrations.fhir.streams.mapping import map_observation
from integrations.fhir.streams.projection import project
from recovery.services.intake import NumberReading, PacketReading
from recovery.twin.metrics import METRICS
from tests.unit.integrations.fhir.observations import UCUM, heart_rate, json_of, sampled


def number(observation: dict[str, Any]) -> NumberReading:
    mapped = map_observation(0, observation)
    assert mapped is not None and isinstance(mapped.reading, NumberReading)
    return mapped.reading


def canonical(observation: dict[str, Any]) -> float:
    reading = number(observation)
    return reading.value * reading.series.scale + reading.series.shift


def quantity(value: str, code: str, **more: Any) -> dict[str, Any]:
    return {"value": json_of(value), "unit": code, "system": UCUM, "code": code, **more}


def coded(code: str, system: str = "http://loinc.org") -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


def test_a_heart_rate_becomes_a_number_of_the_twins_metric() -> None:
    reading = number(heart_rate())
    assert (reading.series.metric, reading.series.patient, reading.series.source) == ("heart_rate", "p1", "Device/d1")
    assert (reading.at_ms, reading.value, reading.digits) == (1767600000000, 72.0, 0)


def test_a_fahrenheit_reading_is_read_as_celsius_and_kept_as_sent() -> None:
    reading = number(heart_rate(code=coded("8310-5"), valueQuantity=quantity("98.6", "[degF]")))
    assert reading.series.metric == "temperature" and reading.value == 98.6
    assert reading.value * reading.series.scale + reading.series.shift == pytest.approx(37.0, abs=1e-9)


@pytest.mark.parametrize(
    ("code", "value", "unit", "expected"),
    [
        ("8310-5", "310.15", "K", 37.0),
        ("8867-4", "1.2", "/s", 72.0),
        ("8867-4", "1.2", "Hz", 72.0),
        ("8867-4", "72", "{beats}/min", 72.0),
        ("8867-4", "72", "1/min", 72.0),
        ("59408-5", "0.97", "1", 97.0),
        ("59408-5", "0.97", "{ratio}", 97.0),
        ("41957-2", "3.6", "km/h", 1.0),
        ("41957-2", "100", "cm/s", 1.0),
        ("41957-2", "1", "[ft_i]/s", 0.3048),
        ("55423-8", "120", "{steps}", 120.0),
        ("41950-7", "9000", "/d", 9000.0),
        ("41950-7", "9000", "{steps}/d", 9000.0),
        ("72514-3", "4", "{score}", 4.0),
        ("72514-3", "4", "1", 4.0),
    ],
)
def test_units_arrive_as_the_unit_of_the_metric(code: str, value: str, unit: str, expected: float) -> None:
    assert canonical(heart_rate(code=coded(code), valueQuantity=quantity(value, unit))) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("quantity_said", "reason"),
    [
        ({"value": 72}, "the unit is missing"),
        ({"value": 72, "unit": "per something"}, "the unit is missing"),
        ({"value": 72, "unit": "/min", "system": "urn:mine", "code": "/min"}, "the unit is missing"),
        ({"value": 72, "system": UCUM, "code": "kg"}, "does not convert"),
    ],
)
def test_a_unit_is_never_guessed(quantity_said: dict[str, Any], reason: str) -> None:
    mapped = map_observation(0, heart_rate(valueQuantity=quantity_said))
    assert mapped is not None and mapped.reading.series.metric == ""
    assert mapped.unmapped is not None and reason in mapped.unmapped.reason


@pytest.mark.parametrize(
    ("word", "code"), [("bpm", "8867-4"), ("beats/minute", "8867-4"), ("°F", "8310-5"), ("mmHg", "8480-6")]
)
def test_a_word_with_one_meaning_stands_for_its_unit(word: str, code: str) -> None:
    mapped = map_observation(0, heart_rate(code=coded(code), valueQuantity={"value": 100, "unit": word}))
    assert mapped is not None and mapped.unmapped is None


def test_an_unknown_code_is_kept_and_listed() -> None:
    mapped = map_observation(0, heart_rate(code={**coded("x-1", "urn:vendor"), "text": "Glow"}))
    assert mapped is not None and mapped.reading.series.metric == ""
    assert mapped.unmapped is not None
    assert (mapped.unmapped.system, mapped.unmapped.code, mapped.unmapped.display) == ("urn:vendor", "x-1", "Glow")


def laboratory(code: str, value: str, unit: str) -> dict[str, Any]:
    category = [{"coding": [{"system": codes.OBSERVATION_CATEGORY, "code": "laboratory"}]}]
    return heart_rate(code=coded(code), valueQuantity=quantity(value, unit), device=None, category=category)


def test_a_laboratory_value_that_the_twin_does_not_follow_is_kept_and_is_not_called_unmapped() -> None:
    mapped = map_observation(0, laboratory("2345-7", "99", "mg/dL"))
    assert mapped is not None and mapped.unmapped is None and mapped.reading.series.metric == ""


@pytest.mark.parametrize(
    ("code", "value", "unit", "metric", "canonical"),
    [
        ("1988-5", "80", "mg/L", "crp", 80.0),
        ("30522-7", "8.0", "mg/dL", "crp", 80.0),
        ("1988-5", "80", "ug/mL", "crp", 80.0),
        ("6690-2", "9.1", "10*3/uL", "leukocytes", 9.1),
        ("26464-8", "9100", "/uL", "leukocytes", 9.1),
        ("6690-2", "9100", "/mm3", "leukocytes", 9.1),
        ("2160-0", "1.00", "mg/dL", "creatinine", 1.0),
        ("14682-9", "88.42", "umol/L", "creatinine", 1.0),
        ("14682-9", "0.08842", "mmol/L", "creatinine", 1.0),
        ("2160-0", "10", "mg/L", "creatinine", 1.0),
        ("718-7", "112", "g/L", "haemoglobin", 11.2),
        ("718-7", "10", "mmol/L", "haemoglobin", 16.114),
    ],
)
def test_a_laboratory_value_arrives_in_the_unit_of_its_sender(
    code: str, value: str, unit: str, metric: str, canonical: float
) -> None:
    reading = number(laboratory(code, value, unit))
    assert (reading.series.metric, reading.series.tier, reading.series.source) == (metric, "cleared", "laboratory")
    assert reading.value * reading.series.scale + reading.series.shift == pytest.approx(canonical, rel=1e-12)


@pytest.mark.parametrize(("code", "unit"), [("1988-5", "nmol/L"), ("6690-2", "mg/dL"), ("718-7", "[degF]")])
def test_a_laboratory_value_in_a_unit_that_does_not_convert_is_kept_unmapped_with_the_reason(
    code: str, unit: str
) -> None:
    mapped = map_observation(0, laboratory(code, "80", unit))
    assert mapped is not None and mapped.reading.series.metric == ""
    assert mapped.unmapped is not None and "does not convert" in mapped.unmapped.reason


def test_the_coding_that_is_known_decides_whatever_stands_first() -> None:
    both = {"coding": [{"system": "urn:iso:std:iso:11073:10101", "code": "147842"}, *coded("8867-4")["coding"]]}
    assert number(heart_rate(code=both)).series.metric == "heart_rate"


def test_an_integer_score_needs_no_unit_but_an_integer_rate_does() -> None:
    pain = heart_rate(code=coded("72514-3"), valueQuantity=None, valueInteger=6)
    rate = heart_rate(valueQuantity=None, valueInteger=72)
    assert number(pain).series.metric == "pain"
    mapped = map_observation(0, rate)
    assert mapped is not None and mapped.unmapped is not None and "no unit" in mapped.unmapped.reason


@pytest.mark.parametrize(
    "change",
    [
        {"status": "entered-in-error"},
        {"status": "cancelled"},
        {"status": "finished"},
        {"note": [{"text": "after a walk"}]},
        {"component": [{"code": {"text": "x"}, "valueInteger": 1}]},
        {"subject": {"reference": "Group/g"}},
        {"subject": None},
        {"subject": {"reference": "http://other.example/fhir/Patient/1"}},
        {"effectiveDateTime": "2026-01-05"},
        {"effectiveDateTime": "2026-01-05T08:00:00"},
        {"effectiveDateTime": "2026-01-05T08:00:00.123456Z"},
        {"effectiveDateTime": "2026-02-30T08:00:00Z"},
        {"effectiveDateTime": None},
        {"effectiveInstant": "2026-01-05T08:00:00Z"},
        {"valueQuantity": {"value": "72"}},
        {"valueQuantity": {"unit": "/min"}},
        {"valueQuantity": {"value": 72, "comparator": "<"}},
        {"valueQuantity": {"value": True}},
        {"valueString": "72"},
        {"dataAbsentReason": {"text": "off"}},
        {"issued": "yesterday"},
        {"identifier": []},
        {"identifier": [{"system": "urn:a"}]},
        {"extension": [{"url": "urn:x", "valueString": "unique"}]},
        {"_status": {"id": "x"}},
        {"text": {"status": "generated", "div": "<div xmlns='http://www.w3.org/1999/xhtml'>72</div>"}},
        {"code": None},
        {"contained": [{"resourceType": "Device", "id": "d"}]},
        {"identifier": [{"value": "\ud800"}]},
    ],
)
def test_what_is_not_one_plain_reading_is_a_document(change: dict[str, Any]) -> None:
    assert map_observation(0, heart_rate(**change)) is None


def test_an_extension_with_few_values_stays_a_reading() -> None:
    coded_extension = [{"url": "http://example.org/side", "valueCode": "left"}]
    assert number(heart_rate(extension=coded_extension)).series.metric == "heart_rate"


def test_a_baseline_factor_is_no_reading() -> None:
    assert map_observation(0, heart_rate(code=coded("39156-5"), valueQuantity=quantity("27.1", "kg/m2"))) is None


def test_missing_values_in_sampled_data_are_no_points() -> None:
    mapped = map_observation(0, sampled("70 E 72 U L 75"))
    assert mapped is not None and isinstance(mapped.reading, PacketReading)
    hours = [(at - 1767600000000) // 3600000 for at, _ in mapped.reading.points]
    assert hours == [0, 2, 5] and [value for _, value in mapped.reading.points] == [70.0, 72.0, 75.0]
    assert mapped.reading.series.span_ms == 3600000


def test_origin_and_factor_scale_sampled_data() -> None:
    value = {
        "origin": {"value": 40, "system": UCUM, "code": "/min"},
        "period": 1000,
        "factor": 2,
        "dimensions": 1,
        "data": "10 11",
    }
    mapped = map_observation(0, sampled(valueSampledData=value))
    assert mapped is not None and isinstance(mapped.reading, PacketReading)
    assert [value for _, value in mapped.reading.points] == [60.0, 62.0]


def test_a_waveform_stays_text() -> None:
    value = {"origin": {"value": 0, "system": UCUM, "code": "mV"}, "period": 4, "dimensions": 1, "data": "1 2 3"}
    mapped = map_observation(0, sampled(valueSampledData=value))
    assert mapped is not None and isinstance(mapped.reading, PacketReading) and mapped.reading.points == ()


@pytest.mark.parametrize("data", ["", " ", "70 x", "70,71", "NaN", "1_000", "inf", "70  ", "٧"])
def test_data_that_is_no_sampled_data_does_not_become_a_packet(data: str) -> None:
    assert map_observation(0, sampled(data)) is None


def test_the_same_packet_sent_again_later_has_the_same_digest() -> None:
    first, again = (
        map_observation(0, sampled(issued="2026-01-05T13:00:00Z")),
        map_observation(1, sampled(issued="2026-01-06T13:00:00Z")),
    )
    assert first is not None and again is not None
    assert isinstance(first.reading, PacketReading) and isinstance(again.reading, PacketReading)
    assert (first.reading.digest, first.reading.series) == (again.reading.digest, again.reading.series)


@pytest.mark.parametrize(
    ("change", "source", "tier"),
    [
        ({}, "Device/d1", "consumer"),
        ({"device": None}, "unspecified", "consumer"),
        ({"device": None, "performer": [{"reference": "Patient/p1"}]}, "self-report", "self_report"),
        ({"device": {"display": "home cuff"}}, "home cuff", "consumer"),
    ],
)
def test_the_source_is_the_device_or_how_the_reading_came_about(change: dict[str, Any], source: str, tier: str) -> None:
    series = number(heart_rate(**change)).series
    assert (series.source, series.tier) == (source, tier)


@pytest.mark.parametrize("key", sorted(METRICS))
def test_every_metric_can_arrive_under_each_of_its_codes(key: str) -> None:
    metric = METRICS[key]
    for code in metric.codes:
        reading = number(heart_rate(code=coded(code.code, code.system), valueQuantity=quantity("1", metric.unit)))
        assert (reading.series.metric, reading.series.scale, reading.series.shift) == (key, 1.0, 0.0)


def blood_pressure(**changes: Any) -> dict[str, Any]:
    parts = [
        {"code": coded("8867-4"), "valueQuantity": quantity("71", "/min")},
        {"code": coded("59408-5"), "dataAbsentReason": {"text": "cold hands"}},
    ]
    return heart_rate(code=coded("85354-9"), valueQuantity=None, component=parts, **changes)


def test_components_of_a_document_project_their_numbers_and_absent_ones_do_not() -> None:
    samples, unmapped = project(blood_pressure(), "p1")
    assert [(one.series.metric, one.value, one.series.shape) for one in samples] == [("heart_rate", 71.0, "projected")]
    assert unmapped == ()


@pytest.mark.parametrize(
    "change", [{"status": "entered-in-error"}, {"status": "cancelled"}, {"effectiveDateTime": "2026-01-05"}]
)
def test_a_document_without_a_sure_time_or_truth_projects_nothing(change: dict[str, Any]) -> None:
    assert project(blood_pressure(**change), "p1") == ((), ())


def test_a_value_below_detection_projects_nothing() -> None:
    below = heart_rate(valueQuantity=quantity("5", "/min", comparator="<"))
    assert project(below, "p1") == ((), ())


def test_a_document_with_a_number_that_a_double_cannot_give_back_still_projects_it() -> None:
    samples, _ = project(heart_rate(valueQuantity={**quantity("1", "/min"), "value": json_of("7.2e1")}), "p1")
    assert [one.value for one in samples] == [72.0]
