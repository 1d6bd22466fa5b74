"""When drugs were begun, changed and last given."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from recovery.exact_json import ExactDecimal
from recovery.selectors.drug_changes import changes, taking_of

START = datetime(2026, 3, 1, 8, tzinfo=UTC)
END = START + timedelta(days=10)
OPIOID = {"medicationCodeableConcept": {"text": "Oxycodone"}}


def given(hours: float, milligrams: str = "10", **more: Any) -> dict[str, Any]:
    at = (START + timedelta(hours=hours)).isoformat()
    dose = {"dose": {"value": ExactDecimal(milligrams), "unit": "mg"}}
    base = {"resourceType": "MedicationAdministration", "status": "completed", "effectiveDateTime": at, "dosage": dose}
    return {**base, **OPIOID, **more}


def ordered(hours: float, status: str = "active", **more: Any) -> dict[str, Any]:
    at = (START + timedelta(hours=hours)).isoformat()
    return {
        "resourceType": "MedicationRequest",
        "status": status,
        "intent": "order",
        "authoredOn": at,
        **OPIOID,
        **more,
    }


def told(*documents: dict[str, Any], by: datetime = END) -> list[tuple[float, str]]:
    takings = [taking for one in documents if (taking := taking_of(one)) is not None]
    return [((one.at - START) / timedelta(hours=1), one.word) for one in changes(takings, START, by)]


def test_doses_are_one_stretch_until_two_days_bring_none() -> None:
    doses = [given(6), given(12), given(30, "5"), given(130, "5")]
    assert told(*doses) == [
        (6, "Oxycodone 10 mg begun"),
        (30, "Oxycodone 10 mg to 5 mg"),
        (30, "Oxycodone last given"),
        (130, "Oxycodone 5 mg again"),
        (130, "Oxycodone last given"),
    ]


def test_a_drug_given_yesterday_is_not_called_over() -> None:
    assert told(given(6), by=START + timedelta(hours=30)) == [(6, "Oxycodone 10 mg begun")]


def test_a_drug_from_before_surgery_is_not_begun_after_it() -> None:
    assert told(ordered(-400), given(6)) == []


def test_an_order_ends_when_it_says_so_and_one_stopped_without_a_time_ends_nothing() -> None:
    bounds = {"boundsPeriod": {"end": (START + timedelta(hours=72)).isoformat()}}
    ending = ordered(0, dosageInstruction=[{"timing": {"repeat": bounds}}])
    assert told(ending) == [(0, "Oxycodone begun"), (72, "Oxycodone ended")]
    assert told(ordered(0, "stopped")) == [(0, "Oxycodone begun")]


@pytest.mark.parametrize(
    "document",
    [
        given(6, status="entered-in-error"),
        given(6, status="not-done"),
        ordered(6, "draft"),
        ordered(6, intent="proposal"),
        ordered(6, doNotPerform=True),
        given(6, effectiveDateTime="2026"),
        given(6, medicationCodeableConcept={}),
        {"resourceType": "Condition"},
    ],
)
def test_what_was_not_taken_or_has_no_time_or_name_is_no_change(document: dict[str, Any]) -> None:
    assert told(document) == []
