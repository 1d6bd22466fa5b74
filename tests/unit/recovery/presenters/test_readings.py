"""Exports cannot carry formulas, and every row says what became of it."""

from datetime import UTC, datetime

from recovery.presenters.readings import CSV_HEADER, csv_row
from recovery.selectors.timeline import Reading

AT = datetime(2026, 3, 3, 12, tzinfo=UTC)


def test_a_formula_in_a_device_name_is_quoted():
    row = csv_row(Reading(AT, 24.0, 82.0, "Device/w", "=HYPERLINK(1)", "consumer", AT, ""), "heart_rate")
    assert row[CSV_HEADER.index("device")] == "'=HYPERLINK(1)"


def test_a_negative_hour_is_a_number_and_not_quoted():
    row = csv_row(Reading(AT, -5.0, 82.0, "Device/w", "Watch", "consumer", AT, ""), "heart_rate")
    assert row[CSV_HEADER.index("hours_after_surgery")] == "-5.000"


def test_unit_and_refusal_travel_with_the_value():
    row = csv_row(
        Reading(AT, 1.0, 900.0, "", "", "self_report", AT, "outside the plausible range 20 to 250"), "heart_rate"
    )
    assert row[CSV_HEADER.index("unit")] == "/min"
    assert row[CSV_HEADER.index("refused")] == "outside the plausible range 20 to 250"
