"""What-if answers against simulation, and the rails they keep to."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit, logit

from recovery.twin import METRICS, Profile, cold_start, fold, load
from recovery.twin.errors import OutsideDomain
from recovery.twin.forecast import belief_of, day_level
from recovery.twin.what_if import EVIDENCE_WORDS, LEVERS, Z95, Situation, fewer, odds_ratio, share_above, what_if
from tests.unit.twin.twin_cases import stream

PARAMS = cold_start()
OPEN = Profile(procedure="colectomy_open", age_years=70.0, sex="female")
NOW = 150.0
STATE = fold(None, PARAMS, OPEN, load(stream(), NOW)).state
WHO = Situation(STATE, OPEN, NOW, {"readmission": (0.11, 0.07, 0.17)})


def test_every_lever_says_what_kind_of_evidence_it_has_and_where_it_is_from():
    for lever in LEVERS.values():
        assert lever.evidence in EVIDENCE_WORDS
        assert lever.source.text and lever.source.mark in "VG"
        assert lever.low <= lever.start <= lever.high
        assert lever.caution


def test_only_a_trial_is_called_causal_and_an_assumption_never_moves_a_risk():
    assert [one.key for one in LEVERS.values() if one.evidence == "causal"] == ["remote_care"]
    assert all(not one.outcome for one in LEVERS.values() if one.evidence == "assumption")


def test_a_shift_moves_every_quantile_of_every_day_by_the_amount():
    answer = what_if(LEVERS["beta_blocker"], 8.0, WHO, PARAMS)
    assert answer.chance is None
    assert [band.day for band in answer.days] == list(range(7, 14))
    for band in answer.days:
        np.testing.assert_allclose(np.array(band.before) - np.array(band.after), 8.0)


def test_the_band_before_is_the_law_of_drawn_readings():
    bound = PARAMS.for_metric("heart_rate", OPEN)
    belief, _ = belief_of(STATE, bound)
    mean, var = day_level(belief, bound, [8.0])
    drawn = np.random.default_rng(5).normal(mean[0], np.sqrt(var[0]), 200_000) - 5.0
    after = what_if(LEVERS["beta_blocker"], 5.0, WHO, PARAMS).days[1].after
    np.testing.assert_allclose(after, np.quantile(drawn, (0.05, 0.25, 0.5, 0.75, 0.95)), atol=0.12)


def test_moved_odds_are_those_of_simulated_patients():
    lever = LEVERS["walking"]
    chance = what_if(lever, 10.0, WHO, PARAMS).chance
    middle, low, high = (float(logit(p)) for p in WHO.risks["readmission"])
    rng = np.random.default_rng(11)
    own = rng.normal(middle, (high - low) / (2 * Z95), 400_000)
    effect = rng.normal(lever.size * 10.0, lever.spread * 10.0, 400_000)
    after, difference = expit(own + effect), expit(own + effect) - expit(own)
    assert chance.after[0] == pytest.approx(np.median(after), abs=0.002)
    np.testing.assert_allclose(chance.after[1:], np.quantile(after, (0.05, 0.95)), atol=0.002)
    np.testing.assert_allclose(chance.difference[1:], np.quantile(difference, (0.05, 0.95)), atol=0.002)


def test_ten_percent_more_steps_is_the_published_odds_ratio():
    assert odds_ratio(LEVERS["walking"], 10.0) == pytest.approx(0.60)
    before, after = (what_if(LEVERS["walking"], amount, WHO, PARAMS).chance.after[0] for amount in (0.0, 10.0))
    assert (after / (1 - after)) / (before / (1 - before)) == pytest.approx(0.60)


def test_nothing_moved_is_nothing_changed():
    answer = what_if(LEVERS["walking"], 0.0, WHO, PARAMS)
    assert answer.chance.after == pytest.approx(answer.chance.before, abs=0.002)
    assert all(band.before == band.after for band in answer.days)


def test_more_walking_never_raises_the_risk_and_more_never_less_than_less():
    found = [what_if(LEVERS["walking"], amount, WHO, PARAMS).chance.after[0] for amount in (0, 5, 10, 15, 20)]
    assert found == sorted(found, reverse=True)


def test_the_chance_of_pain_is_that_of_drawn_reports():
    bound = PARAMS.for_metric("pain", OPEN)
    belief, _ = belief_of(STATE, bound)
    mean, var = day_level(belief, bound, [7.0])
    drawn = METRICS["pain"].transform.inverse(np.random.default_rng(2).normal(mean[0], np.sqrt(var[0]), 200_000))
    assert share_above(WHO, bound)[0] == pytest.approx((drawn > 3.5).mean(), abs=0.004)


def test_a_trials_difference_is_taken_off_with_its_interval():
    chance = fewer(LEVERS["remote_care"], (0.5, 0.5, 0.5))
    assert chance.after[0] == pytest.approx(0.36)
    assert chance.after[1] < chance.after[0] < chance.after[2] < 0.5
    assert chance.difference[0] == pytest.approx(-0.14)


@pytest.mark.parametrize(
    ("key", "amount", "who", "words"),
    [
        ("walking", 25.0, WHO, "0 to 20"),
        ("walking", -5.0, WHO, "0 to 20"),
        ("walking", float("nan"), WHO, "0 to 20"),
        ("walking", 10.0, replace(WHO, profile=Profile(procedure="knee_replacement")), "Colectomy".lower()),
        ("walking", 10.0, replace(WHO, risks={}), "No risk"),
        ("walking", 10.0, replace(WHO, now_hour=-4.0), "not ended"),
        ("walking", 10.0, replace(WHO, now_hour=24.0 * 20), "days 1 to 14"),
        ("remote_care", 1.0, replace(WHO, now_hour=24.0), "days 7 to 14"),
        ("beta_blocker", 5.0, replace(WHO, state=None), "never been read"),
        ("beta_blocker", 5.0, replace(WHO, profile=replace(OPEN, age_years=12.0)), "adults"),
    ],
)
def test_outside_its_domain_nothing_is_answered_and_the_reason_is_said(key, amount, who, words):
    with pytest.raises(OutsideDomain, match=words):
        what_if(LEVERS[key], amount, who, PARAMS)


def test_a_trials_difference_larger_than_the_chance_does_not_carry_over():
    painless = replace(LEVERS["remote_care"], size=0.99)
    with pytest.raises(OutsideDomain, match="carry over"):
        what_if(painless, 1.0, WHO, PARAMS)


def test_operations_whose_names_hold_commas_are_told_apart():
    stepping = next(lever for lever in LEVERS.values() if "colectomy_open" in lever.procedures)
    hip = replace(WHO, profile=Profile(procedure="hip_replacement", age_years=70.0, sex="female"))
    with pytest.raises(OutsideDomain, match="; colectomy, open"):
        what_if(stepping, stepping.low, hip, PARAMS)
