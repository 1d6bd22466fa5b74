"""The fast replay of a backtest is the twin, the risk and the alerts of the product, and never looks ahead."""

from dataclasses import replace

import numpy as np
import pytest

from recovery.twin.alert_policy import DEFAULT_POLICY, without_hypotheses
from recovery.twin.alerts import candidates
from recovery.twin.cold_start import cold_start
from recovery.twin.daily_forecast import forecast_rows
from recovery.twin.evaluate_backtest_bins import dated_bins, looks_of
from recovery.twin.evaluate_backtest_evidence import Spans, free_days, tally
from recovery.twin.evaluate_backtest_figures import area, rate, share
from recovery.twin.evaluate_backtest_judge import PolicyJudge, partial_news2
from recovery.twin.evaluate_backtest_run import Plan, replay
from recovery.twin.evaluate_backtest_subjects import Fact, Subject
from recovery.twin.evaluate_backtest_twins import CohortTwin, Row
from recovery.twin.fit_cohort import Case
from recovery.twin.fold import Request, fold_many, load
from recovery.twin.hazard_store import shipped_model
from recovery.twin.hypotheses_store import shipped_for
from recovery.twin.measurement import Samples
from recovery.twin.metrics import METRICS
from recovery.twin.population_store import synthetic_population
from recovery.twin.profile import Profile
from recovery.twin.risk import assess
from recovery.twin.simulate import simulate
from recovery.twin.surprise import features
from recovery.twin.suspicion import consider

LAST = 150


def messy_case(seed: int, operation: str = "knee_replacement") -> Case:
    """Six-hourly uploads, some a day or three late, some twice, a second device, artefacts and a clock ahead."""
    rng = np.random.default_rng(seed)
    profile = Profile(operation, 70.0, "male", surgery_end_hour_of_day=9.5)
    made = simulate(seed, cold_start(), profile, last_hour=LAST, complication="pneumonia", onset_hour=80.0)
    case = Case(f"p{seed}", 0.0, profile)
    for key, samples in made.samples.items():
        hours = np.concatenate([samples.hours, samples.hours[::7], samples.hours[::11]])
        values = np.concatenate([samples.values, samples.values[::7], samples.values[::11] * 1.02])
        values[::97] = 9999.0
        series = np.concatenate(
            [np.zeros(len(samples.hours)), np.zeros(len(samples.hours[::7])), np.ones(len(samples.hours[::11]))]
        )
        sent = np.ceil(hours / 6) * 6 + 2 * rng.random(len(hours))
        sent += np.where(rng.random(len(hours)) < 0.05, rng.choice([20.0, 70.0], len(hours)), 0.0)
        sent[::53] -= 9.0
        tiers = np.where(series > 0, 1, 2)
        case.samples[key] = Samples.of(hours, values, tiers, series.astype(int), samples.span_hours[0])
        case.arrived[key] = sent
    return case


def known(case: Case, hour: float) -> dict[str, Samples]:
    return {key: s.take(case.arrived[key] <= hour) for key, s in case.samples.items()}


@pytest.mark.parametrize("params", [cold_start(), synthetic_population()], ids=["published", "with a day law"])
@pytest.mark.parametrize("every", [1, 6])
def test_many_twins_carried_on_are_the_twins_that_a_fold_makes(params, every):
    cases = [messy_case(seed) for seed in range(3)]
    rows = [
        Row(i, key, bound, *dated_bins(METRICS[key], case.samples[key], case.arrived[key], every, bound))
        for i, case in enumerate(cases)
        for key in case.samples
        for bound in [params.for_metric(key, case.profile)]
    ]
    twins = CohortTwin(rows, LAST + 24, params.version, params.outlier_bound)
    for look in range(0, LAST + 1, every):
        twins.move_to(look)
        if look not in (6, 24, 48, 96, 150):
            continue
        wanted = fold_many([Request(None, c.profile, load(known(c, look), look)) for c in cases], params)
        for i, fold in enumerate(wanted):
            _same_state(fold.state, twins.state(i))
            _same_features(features(fold.state, params, look, cases[i].profile), twins, i)


def _same_state(wanted, got):
    assert got.metrics.keys() == wanted.metrics.keys()
    for key, one in wanted.metrics.items():
        other = got.metrics[key]
        np.testing.assert_allclose(other.memory.belief.mean, one.memory.belief.mean, rtol=0, atol=1e-9)
        np.testing.assert_allclose(other.memory.belief.cov, one.memory.belief.cov, rtol=0, atol=1e-9)
        np.testing.assert_allclose(other.memory.card.as_array(), one.memory.card.as_array(), atol=1e-9)
        np.testing.assert_allclose(other.recent_hours, one.recent_hours)
        np.testing.assert_allclose(other.recent_surprises, one.recent_surprises, atol=1e-9)
        assert (other.worn_hours, other.last_reading_hour) == (one.worn_hours, one.last_reading_hour)


def _same_features(wanted, twins, patient):
    got = twins.features(twins.rows_of(np.array([patient])))
    names = {"mean_surprise": "mean_surprise_24h", "z": "deviation_z", "level": "level", "expected": "expected"}
    names |= {
        "worn_fraction": "worn_fraction_24h",
        "age_h": "hours_since_last_reading",
        "count_24h": "n_24h",
        "scatter": "scatter",
    }
    for place, row in enumerate(got.rows):
        one = wanted.metrics[twins.rows[row].metric]
        for mine, theirs in names.items():
            value = getattr(one, theirs)
            np.testing.assert_allclose(getattr(got, mine)[place], np.nan if value is None else value, atol=1e-9)
        assert got.baseline_is_known[place] == one.baseline_is_known


def with_a_bmi_effect(params):
    """The published start has none: heavier patients get a faster heart, for the test."""
    effect = np.zeros((7, 4))
    effect[0, 2] = 0.5
    curves = {key: replace(one, covariate_effects=effect) for key, one in params.by_metric["heart_rate"].items()}
    return replace(params, by_metric={**params.by_metric, "heart_rate": curves})


def test_a_bmi_that_becomes_known_late_makes_the_whole_past_anew():
    case, params, judge = messy_case(4), with_a_bmi_effect(cold_start()), PolicyJudge((shipped_model(),))
    said = replay([Subject(case, [Fact(100.0, "bmi", 41.0)])], judge, Plan(params))[0]
    without = replay([Subject(case)], judge, Plan(params))[0]
    assert said.forecasts[0] == without.forecasts[0]  # day 3 is before it was known
    assert said.forecasts[1].norm != without.forecasts[1].norm
    heavy = replace(case.profile, bmi=41.0)
    wanted = fold_many([Request(None, heavy, load(known(case, 168), 168.0))], params)[0].state
    for row, own in zip(forecast_rows(wanted, params, heavy, 168.0), said.forecasts[1].own, strict=True):
        np.testing.assert_allclose(own[2:], row[2:], rtol=1e-9)


HYPOTHESES = (shipped_for(cold_start().version),)


class Watching(PolicyJudge):
    """Holds each batch of judgements to the calls that the product makes for one patient."""

    def judge(self, looks, *, with_risks):
        got = super().judge(looks, with_risks=with_risks)
        for look, judgement in zip(looks, got, strict=True):
            suspected = consider(
                look.profile, look.features, look.factors, self.hypotheses[0], self.hazards[0], look.diagnosed
            )
            risks = assess(
                look.profile,
                look.features,
                look.hour,
                self.hazards[0],
                factors=look.factors,
                diagnosed=look.diagnosed,
                suspicion=suspected,
            )
            score = partial_news2(look)
            scores = () if score is None else (score,)
            told, memory = candidates(
                look.features,
                risks,
                scores,
                DEFAULT_POLICY,
                look.memory,
                refused=look.refused,
                suspicion=suspected,
            )
            if suspected.probability is not None:
                # What rests on one reading reaches no limit.
                raises = suspected.probability if suspected.sustained else 0.0
                np.testing.assert_allclose(judgement.measures["suspicion"], raises, rtol=1e-9)
            assert [(c.cause, c.severity, c.since_h) for c in told if c.change == "raised"] == [
                (c.cause, c.severity, c.since_h) for c in judgement.raised
            ]
            assert judgement.memory == memory
            if with_risks:
                numbers = [(r.outcome, r.horizon_h, r.probability, r.low, r.high, r.abstained_because) for r in risks]
                for one, row in zip(judgement.risks, numbers, strict=True):
                    assert (one.outcome, one.horizon_h, one.abstained_because) == (*row[:2], row[5])
                    if row[2] is not None:
                        np.testing.assert_allclose((one.probability, one.low, one.high), row[2:5], rtol=1e-9)
        return got


def test_many_patients_are_judged_as_each_alone_is_live():
    cases = [messy_case(seed, op) for seed, op in enumerate(("knee_replacement", "colectomy", "colectomy"))]
    cases[1].diagnoses.append((90.0, 80.0, "pneumonia"))
    said = replay(
        [Subject(case) for case in cases], Watching((shipped_model(),), hypotheses=HYPOTHESES), Plan(cold_start(), 3)
    )
    assert any(one.raised for one in said)


def test_nothing_said_before_an_hour_changes_with_what_comes_after_it():
    cases = [messy_case(seed) for seed in range(3)]
    judge, plan = PolicyJudge((shipped_model(),)), Plan(cold_start())
    whole = replay([Subject(case) for case in cases], judge, plan)
    cut = []
    for case in cases:
        early = Case(case.patient, 0.0, case.profile, case.factors)
        for key, samples in case.samples.items():
            there = case.arrived[key] < 77
            early.samples[key], early.arrived[key] = samples.take(there), case.arrived[key][there]
        cut.append(Subject(early, until_h=77.0))
    for one, part in zip(whole, replay(cut, judge, plan), strict=True):
        assert part.raised == [row for row in one.raised if row.hour < 77]
        assert [look for look, _ in part.trace] == [look for look, _ in one.trace if look < 77]
        kept = [(h, e.outcome, e.horizon_h, e.probability) for h, e in one.risks if h < 77]
        assert [(h, e.outcome, e.horizon_h) for h, e in part.risks] == [row[:3] for row in kept]
        assert [e.probability for _, e in part.risks] == pytest.approx([row[3] for row in kept], nan_ok=True)


def test_the_dead_are_not_looked_at():
    case = messy_case(1)
    case.died_h = 50.0
    said = replay([Subject(case)], PolicyJudge((shipped_model(),)), Plan(cold_start()))[0]
    assert max(look for look, _ in said.trace) < 50 and not said.forecasts


def test_a_patient_without_a_reading_is_looked_at_and_gets_no_risk():
    said = replay(
        [Subject(Case("p", 0.0, Profile("colectomy", 60.0)))], PolicyJudge((shipped_model(),)), Plan(cold_start())
    )
    assert {e.abstained_because for _, e in said[0].risks} == {"no_reading_yet"}
    assert said[0].forecasts[0].own == said[0].forecasts[0].norm


def test_a_reading_of_the_future_waits_until_its_hour():
    assert looks_of(np.array([2.2, 9.0, -50.0]), np.array([8.5, 3.0, -60.0]), 3).tolist() == [9, 9, 0]


def test_alarms_are_counted_as_the_scorer_counts_them():
    spans = [Spans(94.0, 140.0, 380.0, "pneumonia")]
    free = free_days(spans, 500.0)
    assert free == [0.0, 24.0, 48.0, 72.0, 384.0, 408.0, 432.0, 456.0, 480.0]
    told = tally([10.0, 93.0, 100.0, 150.0, 400.0], spans, free)
    assert told["events"] == [["pneumonia", 40.0]]
    assert (told["alarms"], told["true"], told["false"], told["free_days"]) == (5, 2, 3, 9)


def test_intervals_are_those_of_the_textbooks():
    assert share(8, 10) == pytest.approx([0.8, 0.4902, 0.9433], abs=1e-4)  # Wilson; Newcombe 1998
    assert rate(10, 1) == pytest.approx([10, 4.795, 18.390], abs=1e-3)  # Garwood 1936
    got = area(np.array([0.9, 0.8, 0.4, 0.3]), np.array([True, False, True, False]))
    assert got[0] == 0.75 and area(np.array([0.1]), np.array([True])) is None


def test_without_hypotheses_the_stand_ins_alarm_in_a_replay_as_they_do_live():
    assert PolicyJudge((shipped_model(),)).in_force == without_hypotheses(DEFAULT_POLICY) != DEFAULT_POLICY
    assert PolicyJudge((shipped_model(),), hypotheses=HYPOTHESES).in_force == DEFAULT_POLICY
