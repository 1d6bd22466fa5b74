"""The template gives back what was sent, to the digit and to the offset."""

from typing import Any

import pytest
from hypothesis import given, settings

from integrations.fhir.streams import template
from integrations.fhir.streams.mapping import map_observation
from integrations.fhir.streams.template import Filling
from recovery.exact_json import ExactDecimal
from recovery.services.intake import NumberReading, PacketReading
from tests.unit.integrations.fhir.observations import heart_rate, json_of, observation_texts, sampled

UPDATED = "2026-02-01T00:00:00.000Z"


def filling(reading: NumberReading | PacketReading) -> Filling:
    if isinstance(reading, NumberReading):
        row = {"value": reading.value, "digits": reading.digits}
    else:
        row = {"data": reading.data, "end_ms": reading.end_ms}
    return Filling("x1", 1, UPDATED, reading.at_ms, slots=reading.slots, **row)


def read_back(observation: dict[str, Any]) -> dict[str, Any] | None:
    mapped = map_observation(0, observation)
    return None if mapped is None else json_of(template.render(mapped.reading.series.template, filling(mapped.reading)))


def exactly(value: Any) -> Any:
    """JSON with numbers as they are written, so that 1.50 and 1.5 differ."""
    if isinstance(value, ExactDecimal):
        return ("decimal", value.text)
    if isinstance(value, dict):
        return {key: exactly(child) for key, child in value.items()}
    return [exactly(item) for item in value] if isinstance(value, list) else value


def as_sent(observation: dict[str, Any]) -> dict[str, Any]:
    """What a read must give: as sent, with the server's id, version and time of change."""
    meta = {**observation.get("meta", {}), "versionId": "1", "lastUpdated": UPDATED}
    return exactly({**observation, "id": "x1", "meta": meta})


@settings(max_examples=600, deadline=None)
@given(observation_texts())
def test_whatever_fits_a_stream_reads_back_as_it_was_sent(text: str) -> None:
    observation = json_of(text)
    found = read_back(observation)
    if found is not None:
        assert exactly(found) == as_sent(observation)


def test_most_generated_observations_do_fit_a_stream() -> None:
    """Guards the property above against passing because nothing fits."""
    fitted = []

    @settings(max_examples=300, deadline=None, database=None)
    @given(observation_texts())
    def run(text: str) -> None:
        fitted.append(map_observation(0, json_of(text)) is not None)

    run()
    assert sum(fitted) > 40


@pytest.mark.parametrize("number", ["72", "36.90", "36.9", "0.00", "-3.50", "100000000000000", "0.1", "1234567.125"])
def test_a_number_reads_back_to_the_digit(number: str) -> None:
    text = f'{{"value": {number}, "unit": "x"}}'
    found = read_back(heart_rate(valueQuantity=json_of(text)))
    assert found is not None and exactly(found["valueQuantity"]["value"]) == exactly(json_of(number))


@pytest.mark.parametrize("number", ["1e2", "7.2E1", "-0", "-0.0", "0.12345678901234567890", "9007199254740993"])
def test_a_number_that_a_double_cannot_give_back_is_left_to_the_documents(number: str) -> None:
    text = f'{{"value": {number}, "unit": "x"}}'
    assert read_back(heart_rate(valueQuantity=json_of(text))) is None


@pytest.mark.parametrize(
    "when",
    [
        "2026-01-05T08:00:00Z",
        "2026-01-05T08:00:00+00:00",
        "2026-01-05T23:59:59.5-05:30",
        "1969-12-31T23:59:59.001+14:00",
    ],
)
def test_a_time_reads_back_with_its_offset_and_fraction(when: str) -> None:
    found = read_back(heart_rate(effectiveDateTime=when))
    assert found is not None and found["effectiveDateTime"] == when


def test_the_order_of_keys_does_not_make_a_new_series() -> None:
    sent = heart_rate()
    turned = dict(reversed(list(sent.items())))
    first, second = map_observation(0, sent), map_observation(1, turned)
    assert first is not None and second is not None
    assert first.reading.series == second.reading.series


def test_identifiers_and_issued_do_not_make_a_new_series() -> None:
    one = heart_rate(identifier=[{"system": "urn:a", "value": "1"}], issued="2026-01-05T09:00:00Z")
    two = heart_rate(identifier=[{"system": "urn:a", "value": "2"}], issued="2026-01-05T10:00:00Z")
    first, second = map_observation(0, one), map_observation(1, two)
    assert first is not None and second is not None
    assert first.reading.series == second.reading.series and first.reading.slots != second.reading.slots


def test_a_packet_reads_back_with_its_words_for_missing_values() -> None:
    found = read_back(sampled("70 E 72.50 U"))
    assert found is not None
    assert found["valueSampledData"]["data"] == "70 E 72.50 U"
    assert found["effectivePeriod"] == {"start": "2026-01-05T08:00:00Z", "end": "2026-01-05T12:00:00Z"}


def test_an_uncommon_period_is_kept_with_the_reading_and_a_common_one_with_the_series() -> None:
    odd = heart_rate(
        effectiveDateTime=None, effectivePeriod={"start": "2026-01-05T08:00:00Z", "end": "2026-01-05T08:00:37Z"}
    )
    day = heart_rate(
        effectiveDateTime=None, effectivePeriod={"start": "2026-01-05T00:00:00Z", "end": "2026-01-06T00:00:00Z"}
    )
    first, second = map_observation(0, odd), map_observation(1, day)
    assert first is not None and second is not None
    assert first.reading.slots == '["2026-01-05T08:00:37Z"]' and second.reading.slots is None
    assert (first.reading.series.span_ms, second.reading.series.span_ms) == (0, 86_400_000)
    assert exactly(read_back(odd)) == as_sent(odd) and exactly(read_back(day)) == as_sent(day)
