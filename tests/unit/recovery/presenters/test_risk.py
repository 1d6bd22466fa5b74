"""Risk in words: out of 100, a time frame, the event, the interval, both sides; silence with its reason."""

from dataclasses import replace

from recovery.presenters.risk import risk_card, short_risk
from recovery.selectors.snapshot import Risk, RiskReason

RISK = Risk(
    "complication",
    "any complication",
    168,
    0.12,
    0.07,
    0.19,
    "",
    (RiskReason("heart rate 8 /min above own curve for 6 h", "raises", 0.4),),
    (),
    "published-1",
    "made up for a test",
)


def test_a_risk_says_denominator_horizon_event_interval_and_both_sides():
    card = risk_card(RISK)
    assert card.sentence == "12 in 100 people like this: any complication within 7 days."
    assert card.interval == "Likely between 7 and 19 in 100 (90 % interval)."
    assert card.others == "88 in 100 do not."


def test_a_list_row_says_the_same_in_short():
    assert short_risk(RISK) == ("12 in 100 (7 to 19)", "any complication within 7 days")


def test_a_list_row_never_says_fewer_than_one_to_one():
    assert short_risk(replace(RISK, probability=0.002, low=0.001, high=0.004))[0] == "fewer than 1 in 100"
    assert short_risk(replace(RISK, probability=0.02, low=0.001, high=0.04))[0] == "2 in 100 (at most 4)"


def test_a_withheld_risk_has_a_reason_and_no_number():
    card = risk_card(replace(RISK, probability=None, low=None, high=None, abstained="no reading for 48 hours."))
    assert card.withheld == "No reading for 48 hours."
    assert not any(char.isdigit() for char in card.sentence + card.interval + card.others + card.point_at)


def test_a_list_row_says_why_there_is_no_number():
    withheld = replace(RISK, probability=None, abstained="The model was made for adults.")
    assert short_risk(withheld) == ("No number", "The model was made for adults.")
    assert short_risk(None) == ("No number", "not estimated yet")


def test_reasons_are_facts_with_direction():
    (reason,) = risk_card(RISK).reasons
    assert (reason.text, reason.effect) == ("heart rate 8 /min above own curve for 6 h", "raises")


def test_the_bar_lies_within_its_whole():
    card = risk_card(replace(RISK, probability=1.0, low=0.0, high=1.0))
    assert (card.point_at, card.range_start, card.range_width) == ("100.00%", "0.00%", "100.00%")
