"""Numbers with unit and time; never "None", "nan" or "undefined"."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from recovery.presenters import wording

NOW = datetime(2026, 3, 6, 14, 5, tzinfo=UTC)


def test_a_missing_number_is_said_in_words():
    assert wording.number(None) == "no reading"
    assert wording.quantity(None, "heart_rate", "/min") == "no reading"


@pytest.mark.parametrize(
    ("value", "metric", "code", "words"),
    [
        (37.24, "temperature", "Cel", "37.2\u00a0°C"),
        (1204.0, "steps", "/d", "1\u202f204\u00a0steps a day"),
        (94.0, "spo2", "%", "94\u00a0%"),
        (112.4, "knee_rom", "deg", "112°"),
        (-0.04, "temperature", "Cel", "0.0\u00a0°C"),
    ],
)
def test_a_quantity_carries_its_unit(value, metric, code, words):
    assert wording.quantity(value, metric, code) == words


def test_a_negative_number_has_a_true_minus_sign():
    assert wording.number(-3.0) == "\u22123"


def test_a_span_of_one_number_is_one_number():
    assert wording.span(71.2, 71.4, "heart_rate") == "71"
    assert wording.span(64.0, 80.0, "heart_rate") == "64 to 80"
    assert wording.span(None, 80.0, "heart_rate") == ""


@pytest.mark.parametrize(
    ("ago", "words"),
    [
        (timedelta(seconds=20), "just now"),
        (timedelta(minutes=2), "2 min ago"),
        (timedelta(hours=5), "5 h ago"),
        (timedelta(days=3), "3 days ago"),
        (timedelta(minutes=-30), "in the future: check the device clock"),
    ],
)
def test_an_age_is_the_coarsest_honest_unit(ago, words):
    assert wording.age_of(NOW - ago, NOW) == words


def test_what_never_happened_has_no_age():
    assert wording.age_of(None, NOW) == "never"


@pytest.mark.parametrize(
    ("hour", "words"),
    [
        (0.0, "day 0"),
        (23.99, "day 0"),
        (24.0, "day 1"),
        (-5.0, "surgery within 24 h"),
        (-30.0, "1 day before surgery"),
        (-50.0, "2 days before surgery"),
        (None, "day of surgery not known"),
    ],
)
def test_day_k_is_the_24_hours_from_surgery_end_plus_24k(hour, words):
    assert wording.recovery_day(hour) == words


def test_times_are_the_hospitals():
    assert wording.clock(NOW, ZoneInfo("Europe/Oslo")) == "Fri 6 Mar 15:05"


def test_an_age_in_years_counts_birthdays():
    assert wording.birth(date(1956, 3, 7), date(2026, 3, 6)) == "7 Mar 1956 (69 y)"
    assert wording.birth(None, date(2026, 3, 6)) == "birth date not known"
