"""Inputs that hold the outcome are refused by name and by what they hold; honest ones are let through."""

import numpy as np
import pandas as pd
import pytest

from recovery.twin.evaluate_leaks import LeakRefused, by_content, by_name, refuse_leaks

FACTS = [f"fact_{i}" for i in range(11)]


@pytest.fixture(scope="module")
def ward():
    """Made data: the outcome depends on the operation and a little on each of eleven facts; a quarter has it."""
    rng = np.random.default_rng(5)
    n = 5000
    frame = pd.DataFrame(rng.normal(size=(n, len(FACTS))), columns=FACTS).assign(
        operation=rng.choice(list("abcdefgh"), n)
    )
    odds = 0.2 * frame[FACTS].sum(axis=1)
    odds += frame.operation.map(dict(zip("abcdefgh", np.linspace(-1.5, 1, 8), strict=True))) - 1
    return frame.assign(happened=rng.random(n) < 1 / (1 + np.exp(-odds)))


def signs(ward, facts=FACTS, **columns):
    frame = ward.assign(**columns)
    found = by_content(frame, ward.happened, [*facts, *columns], ["operation"])
    return {(leak.column, leak.sign) for leak in found}


@pytest.mark.parametrize(
    "name",
    [
        "mortality_rsi",
        "complication_rsi",
        "ccsMort30Rate",
        "ccsComplicationRate",
        "mort30",
        "death_inhosp",
        "complication",
        "icu_days",
        "readmitted",
        "dis",
    ],
)
def test_known_leaks_are_refused_by_name(name):
    assert by_name([name])


@pytest.mark.parametrize(
    "name", ["age", "asa_status", "baseline_charlson", "ahrq_ccs", "distance", "preop_alb", "stayed"]
)
def test_honest_names_pass(name):
    assert by_name([name]) == []


def test_honest_inputs_pass(ward):
    assert signs(ward) == set()
    refuse_leaks(ward, ward.happened, FACTS, ["operation"])


def test_an_honest_predictor_beside_few_others_is_no_leak(ward):
    assert signs(ward, FACTS[:1], sum_of_many=ward[FACTS[1:]].sum(axis=1)) == set()


def test_a_copy_of_the_outcome_is_seen_under_any_name(ward):
    copy = ward.happened * 2.0 + np.sin(np.arange(len(ward)))
    assert ("innocent", "separates the outcome alone") in signs(ward, FACTS[:1], innocent=copy * 3)


def test_the_outcomes_own_rate_by_operation_is_seen(ward):
    rate = ward.operation.map(ward.happened.groupby(ward.operation).mean())
    assert signs(ward, typical=rate) == {("typical", "is the outcome's rate by operation")}


def test_a_number_coded_after_the_event_is_seen_by_what_it_adds(ward):
    coded = np.random.default_rng(1).normal(size=len(ward)) + 1.0 * ward.happened
    assert signs(ward, index=coded) == {("index", "lifts all other inputs")}


def test_with_few_events_a_lift_is_not_told_from_chance(ward):
    few = ward.iloc[:600]
    coded = np.random.default_rng(1).normal(size=len(few)) + 1.0 * few.happened
    assert signs(few, index=coded) == set()


def test_the_refusal_names_the_column_and_the_sign(ward):
    with pytest.raises(LeakRefused, match="complication_rsi: name, .*discharge coding"):
        refuse_leaks(ward.assign(complication_rsi=0.0), ward.happened, ["fact_0", "complication_rsi"], [])
