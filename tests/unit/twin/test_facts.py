"""Facts: one table of sentences, numbers with the figures a person can use."""

import json

import pytest

from recovery.twin.facts import SENTENCES, Fact, spoken


@pytest.mark.parametrize(
    ("fact", "text"),
    [
        (
            Fact("above_own_curve", "respiratory_rate", "respiratory rate", 4.0, "/min", 9.0),
            "Respiratory rate 4 /min above own expected curve for 9 h",
        ),
        (
            Fact("below_own_curve", "temperature", "temperature", -0.62, "Cel"),
            "Temperature 0.62 °C below own expected curve",
        ),
        (Fact("worn", "wear", "", 0.25, "1"), "Device worn 25 % of the last 24 h"),
        (Fact("data_age", "data_age", "", 13.5, "h"), "Last reading 14 h ago"),
        (Fact("risk", "risk", "any complication", 0.312, "1", 72.0), "Any complication: 31 in 100 within 72 h"),
        (
            Fact("risk", "risk", "any complication", 0.312, "1", 72.0, 0.004, 0.5),
            "Any complication: 31 in 100 (at most 50) within 72 h",
        ),
        (
            Fact("risk", "risk", "any complication", 0.78, "1", 24.0, 0.779, 0.782),
            "Any complication: 78 in 100 (about 78) within 24 h",
        ),
        (
            Fact("risk", "risk", "any complication", 0.998, "1", 24.0, 0.995, 0.999),
            "Any complication: more than 99 in 100 within 24 h",
        ),
        (Fact("score", "news2", "NEWS2", 6.0), "NEWS2 6"),
        (Fact("age", "age", "age", 71.4, "a"), "Age 71 years"),
    ],
)
def test_a_fact_reads_as_a_phrase(fact, text):
    assert fact.text == text


def test_every_sentence_can_be_spoken():
    for key in SENTENCES:
        assert "{" not in Fact(key, "x", "pulse", 1.0, "/min", 2.0).text


def test_a_fact_comes_back_from_json():
    fact = Fact("above_own_curve", "pain", "pain", 2.0, "{score}", 5.0)
    assert Fact(**json.loads(json.dumps(fact.to_plain()))) == fact


@pytest.mark.parametrize(
    ("value", "text"), [(0.424, "0.42"), (4.06, "4.1"), (132.4, "132"), (3.0, "3"), (-2.5, "-2.5")]
)
def test_numbers_are_spoken_with_three_figures_at_most(value, text):
    assert spoken(value) == text
