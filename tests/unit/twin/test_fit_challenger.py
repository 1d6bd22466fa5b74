"""The challengers: slopes by operation where there are some, blends of log odds, words of many levels."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from recovery.twin.fit_challenger import MANY_LEVELS, Blend, Linear, Trees, log_odds


@pytest.fixture(scope="module")
def frame():
    """Age raises the risk after operation a and lowers it after b; 60 surgeons, one in three of them worse."""
    rng = np.random.default_rng(12)
    n = 3000
    made = pd.DataFrame(
        {"age": rng.normal(60, 10, n), "operation": rng.choice(["a", "b"], n), "surgeon": rng.integers(0, 60, n)}
    ).astype({"surgeon": str})
    slope = np.where(made.operation == "a", 1.0, -1.0)
    odds = slope * (made.age - 60) / 10 + 1.5 * (made.surgeon.astype(int) % 3 == 0) - 0.5
    return made.assign(happened=rng.random(n) < 1 / (1 + np.exp(-odds)))


def area(member, frame):
    train, test = frame.iloc[:2000], frame.iloc[2000:]
    return roc_auc_score(test.happened, member.fit(train, train.happened).probability(test))


def test_crossing_finds_slopes_that_differ_by_operation(frame):
    assert area(Linear(["age"], ["operation"]), frame) < 0.6
    assert area(Linear(["age"], ["operation"], crossed="operation"), frame) > 0.68


def test_a_crossed_number_not_known_counts_as_the_median_of_training(frame):
    member = Linear(["age"], ["operation"], crossed="operation").fit(frame, frame.happened)
    rows = frame.iloc[:1]
    unknown, median = (member.probability(rows.assign(age=age)) for age in (np.nan, frame.age.median()))
    assert unknown == pytest.approx(median)


def test_a_word_of_many_levels_helps_the_trees_without_being_learnt_by_heart(frame):
    assert frame.surgeon.nunique() > MANY_LEVELS
    with_surgeon = area(Trees(["age"], ["operation", "surgeon"], rounds=60), frame)
    assert with_surgeon > area(Trees(["age"], ["operation"], rounds=60), frame) + 0.02
    shuffled = frame.assign(surgeon=frame.surgeon.sample(frac=1, random_state=0).to_numpy())
    assert area(Trees(["age"], ["operation", "surgeon"], rounds=60), shuffled) > 0.66


def test_a_blend_is_the_mean_of_the_log_odds_of_its_members(frame):
    members = [Linear(["age"], ["operation"]), Trees(["age"], ["operation"], rounds=20)]
    blend = Blend(members).fit(frame, frame.happened)
    odds = np.mean([log_odds(member.probability(frame)) for member in members], axis=0)
    assert log_odds(blend.probability(frame)) == pytest.approx(odds)


def test_the_same_seed_gives_the_same_trees(frame):
    one, two = (Trees(["age"], ["operation"], rounds=20).fit(frame, frame.happened).probability(frame) for _ in "ab")
    assert (one == two).all()


def test_grouped_trees_divide_the_levels_of_a_word_and_meet_a_new_one_calmly(frame):
    member = Trees(["age"], ["operation", "surgeon"], rounds=60, grouped=True)
    assert area(member, frame) > area(Trees(["age"], ["operation"], rounds=60), frame) + 0.02
    stranger = frame.iloc[:1].assign(surgeon="new here", operation="c")
    assert 0.0 < member.probability(stranger)[0] < 1.0
