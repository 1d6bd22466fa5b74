"""Curves that differ by operation, shrunk towards what all operations share."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from recovery.twin.fit_challenger import Linear
from recovery.twin.fit_curves import Curves


@pytest.fixture(scope="module")
def frame():
    """The hour of the day bends the risk one way after operation a, the other way after b; a tenth of it not known."""
    rng = np.random.default_rng(7)
    n = 4000
    made = pd.DataFrame(
        {"hour": rng.uniform(6, 18, n), "operation": rng.choice(["a", "b"], n), "sick": rng.integers(2, size=n)}
    )
    bend = np.cos((made.hour - 6) / 12 * 2 * np.pi) * np.where(made.operation == "a", 1.5, -1.5)
    odds = bend + made.sick - 1.0
    made["happened"] = rng.random(n) < 1 / (1 + np.exp(-odds))
    made.loc[rng.random(n) < 0.1, "hour"] = np.nan
    return made.assign(sick_word=made.sick.astype(str))


def fitted(frame, **changes):
    return Curves(["hour"], ["sick"], ["operation", "sick_word"], "operation", **changes).fit(frame, frame.happened)


def area(member, test):
    return roc_auc_score(test.happened, member.probability(test))


def test_a_bend_that_differs_by_operation_is_found_where_straight_slopes_see_nothing(frame):
    train, test = frame.iloc[:3000], frame.iloc[3000:]
    slopes = Linear(["hour", "sick"], ["operation"], crossed="operation").fit(train, train.happened)
    assert area(fitted(train, strength=1.0), test) > area(slopes, test) + 0.08


def test_a_row_speaks_only_within_its_own_operation(frame):
    member = fitted(frame)
    wide = member._wide(frame.iloc[:50]).toarray()
    n = len(member.centre)
    within_a, within_b = wide[:, n + 2 : 2 * n + 2], wide[:, 2 * n + 2 :]
    is_a = (frame.operation.iloc[:50] == "a").to_numpy()
    np.testing.assert_allclose(within_a[is_a], 0.4 * wide[is_a, :n])
    assert not within_a[~is_a].any() and not within_b[is_a].any()


def test_an_operation_never_seen_gets_what_all_operations_share(frame):
    member = fitted(frame)
    wide = member._wide(frame.iloc[:1].assign(operation="c")).toarray()[0]
    assert not wide[len(member.centre) :].any() and wide[: len(member.centre)].any()


def test_the_outcome_of_a_row_does_not_reach_its_columns(frame):
    swapped = frame.assign(happened=~frame.happened)
    one, two = (fitted(rows)._wide(frame).toarray() for rows in (frame, swapped))
    np.testing.assert_array_equal(one, two)
