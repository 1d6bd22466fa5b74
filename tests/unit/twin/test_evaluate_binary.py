"""The protocol: patients never split, leaks refused before a fit, intervals that hold the truth."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from recovery.twin.evaluate_binary import Study, evaluate, figures, intervals, out_of_fold
from recovery.twin.evaluate_leaks import LeakRefused
from recovery.twin.fit_challenger import Linear, Stack, Trees


class Spy:
    """A member that remembers whom it saw and answers for others only."""

    def fit(self, frame, happened):
        self.seen = set(frame.patient)
        return self

    def probability(self, frame):
        assert not self.seen & set(frame.patient)
        return np.full(len(frame), 0.5)


@pytest.fixture(scope="module")
def study():
    rng = np.random.default_rng(11)
    n = 500
    frame = pd.DataFrame({"patient": rng.integers(0, 220, n), "x": rng.normal(size=n), "w": rng.choice(["a", "b"], n)})
    happened = rng.random(n) < 1 / (1 + np.exp(-1.2 * frame.x + 1.5 * (frame.w == "a")))
    return Study("made", frame, happened.to_numpy(), ("x",), ("w",), "patient")


def test_no_patient_is_on_both_sides_of_a_fold(study):
    assert (out_of_fold(study, lambda _: Spy(), 0) == 0.5).all()


def test_a_leaking_study_is_refused_before_any_fit(study):
    class Never:
        def fit(self, frame, happened):
            raise AssertionError("fitted")

    leaking = Study("made", study.frame.assign(mort30=0.0), study.happened, ("x", "mort30"), (), "patient")
    with pytest.raises(LeakRefused):
        evaluate(leaking, {"never": lambda _: Never()}, [0])


def test_the_interval_is_about_as_wide_as_theory_says(study):
    """Hanley and McNeil 1982 give the standard error of an AUROC."""
    rng = np.random.default_rng(2)
    y = rng.random(800) < 0.3
    p = 1 / (1 + np.exp(-(rng.normal(size=800) + 1.2 * y)))
    low, high = intervals(y, [p], np.arange(800))
    area, ones, zeros = roc_auc_score(y, p), y.sum(), (~y).sum()
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    variance = (area * (1 - area) + (ones - 1) * (q1 - area**2) + (zeros - 1) * (q2 - area**2)) / (ones * zeros)
    assert low[0] < area < high[0]
    assert (high[0] - low[0]) / (2 * 1.96 * np.sqrt(variance)) == pytest.approx(1.0, abs=0.2)


def test_repeated_rows_of_a_patient_do_not_narrow_the_interval():
    rng = np.random.default_rng(4)
    y = rng.random(150) < 0.4
    p = np.clip(0.4 + 0.2 * y + 0.2 * rng.normal(size=150), 0.01, 0.99)
    once, fourfold = (intervals(np.repeat(y, k), [np.repeat(p, k)], np.repeat(np.arange(150), k)) for k in (1, 4))
    assert fourfold[1][0] - fourfold[0][0] == pytest.approx(once[1][0] - once[0][0], rel=1e-9)


def test_true_probabilities_are_found_calibrated(study):
    rng = np.random.default_rng(8)
    p = rng.uniform(0.05, 0.95, 4000)
    made = Study("made", pd.DataFrame({"patient": np.arange(4000)}), rng.random(4000) < p, (), (), "patient")
    found = figures(made, [p])
    assert found["calibration_slope"] == pytest.approx(1.0, abs=0.1)
    assert found["expected_over_observed"] == pytest.approx(1.0, abs=0.04)
    assert found["brier"] == pytest.approx((p * (1 - p)).mean(), abs=0.01)


def test_the_stack_is_calibrated_out_of_folds_and_no_worse_than_its_members(study):
    inputs = (study.numbers, study.categories)
    makers = {
        "linear": lambda _: Linear(*inputs),
        "stack": lambda s: Stack([Linear(*inputs), Trees(*inputs, rounds=30)], s.group),
    }
    found = evaluate(study, makers, [0])
    assert found["stack"]["auroc"] >= found["linear"]["auroc"] - 0.03
    assert 0.7 <= found["stack"]["calibration_slope"] <= 1.3
    assert found["stack"]["auroc_95"][0] < found["stack"]["auroc"] < found["stack"]["auroc_95"][1]
