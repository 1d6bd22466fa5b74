"""Dates stand for stretches of time; exact times come back as they were written."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.fhir.primitives import exact_time, span, to_ms, write_time


def ms(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp() * 1000)  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("2024", ms(2024, 1, 1), ms(2025, 1, 1)),
        ("2024-02", ms(2024, 2, 1), ms(2024, 3, 1)),
        ("2024-12", ms(2024, 12, 1), ms(2025, 1, 1)),
        ("2024-02-29", ms(2024, 2, 29), ms(2024, 3, 1)),
        ("2024-05-04T10:00:00Z", ms(2024, 5, 4, 10), ms(2024, 5, 4, 10, 0, 1)),
        ("2024-05-04T10:00:00+02:00", ms(2024, 5, 4, 8), ms(2024, 5, 4, 8, 0, 1)),
        ("2024-05-04T10:00:00.5Z", ms(2024, 5, 4, 10) + 500, ms(2024, 5, 4, 10) + 600),
        ("2024-05-04T10:00:00.123456Z", ms(2024, 5, 4, 10) + 123, ms(2024, 5, 4, 10) + 124),
        ("2016-12-31T23:59:60Z", ms(2017, 1, 1), ms(2017, 1, 1, 0, 0, 1)),
        ("9999-12-31", ms(9999, 12, 31), ms(9999, 12, 31) + 86_400_000),
    ],
)
def test_a_date_is_the_range_of_its_precision(text: str, low: int, high: int) -> None:
    found = span(text)
    assert (found.low_ms, found.high_ms) == (low, high)


def test_a_search_may_leave_out_the_seconds_and_a_resource_may_not() -> None:
    assert span("2024-05-04T10:00Z", lenient=True).high_ms - ms(2024, 5, 4, 10) == 60_000
    with pytest.raises(ValueError, match="seconds"):
        span("2024-05-04T10:00Z")


@given(
    st.integers(min_value=-2_000_000_000_000, max_value=4_000_000_000_000),
    st.sampled_from(["Z", "+00:00", "-00:00", "+05:30", "-11:00", "+14:00"]),
    st.integers(min_value=0, max_value=3),
)
def test_an_exact_time_is_written_and_read_back(at_ms: int, offset: str, digits: int) -> None:
    at_ms -= at_ms % 10 ** (3 - digits)
    text = write_time(at_ms, offset, digits)
    found = exact_time(text)
    assert found is not None and (found.ms, found.offset, found.digits) == (at_ms, offset, digits)
    assert write_time(found.ms, found.offset, found.digits) == text


def test_milliseconds_survive_a_datetime() -> None:
    assert to_ms(datetime(2024, 5, 4, 10, 0, 0, 123_999, tzinfo=UTC)) == ms(2024, 5, 4, 10) + 123
