"""Linear models as plain numbers: the same figures as scikit-learn, exactly through JSON, honest about the unknown."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from recovery.twin.errors import MalformedState
from recovery.twin.fit_linear import columns_of, fit_logistic
from recovery.twin.linear import Category, from_plain


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(3)
    n = 600
    return pd.DataFrame(
        {
            "age": rng.normal(60, 12, n),
            "crp": np.where(rng.random(n) < 0.1, np.nan, rng.lognormal(2, 1, n)),
            "site": rng.choice(["knee", "hip", "colon"], n),
        }
    ).assign(happened=lambda d: rng.random(n) < 1 / (1 + np.exp(-(d.age - 65) / 10)))


def fitted(frame, **more):
    return fit_logistic(frame, frame.happened, ["age", "crp"], ["site"], **more)


def test_it_gives_the_probabilities_of_the_library_it_was_fitted_with(frame):
    model = fit_logistic(frame, frame.happened, ["age"], ["site"], strength=0.7)
    x = np.column_stack(
        [(frame.age - frame.age.mean()) / frame.age.std(ddof=0)]
        + [frame.site == level for level in ("colon", "hip", "knee")]
    )
    library = LogisticRegression(C=0.7, max_iter=3000).fit(x, frame.happened).predict_proba(x)[:, 1]
    assert model.probability(columns_of(frame, ("age", "site"))) == pytest.approx(library, abs=1e-12)


@pytest.mark.parametrize("log", [False, True])
def test_json_out_and_in_changes_no_probability(frame, log):
    model = fitted(frame, log=log)
    columns = columns_of(frame, ("age", "crp", "site"))
    again = from_plain(json.loads(json.dumps(model.to_plain())))
    assert (again.probability(columns) == model.probability(columns)).all()


def test_an_unknown_number_counts_as_the_median_and_as_unknown(frame):
    model = fitted(frame)
    known, unknown = ({"age": [60.0], "crp": [value], "site": ["hip"]} for value in (model.numbers[1].median, np.nan))
    indicator = model.coefficients[2]
    assert model.linear(unknown)[0] - model.linear(known)[0] == pytest.approx(indicator)
    assert indicator != 0


def test_a_number_lacking_in_a_row_or_two_has_no_column_for_that(frame):
    few = frame.assign(crp=frame.crp.fillna(1.0))
    few.loc[:2, "crp"] = np.nan
    assert not fitted(few).numbers[1].may_lack


def test_seldom_and_unseen_words_share_a_column_and_the_reference_has_none():
    words = Category("site", ("hip", "knee"), pooled=True, reference="colon")
    assert words.design(["hip", "colon", "elbow", "knee"]).tolist() == [[1, 0, 0], [0, 0, 0], [0, 0, 1], [0, 1, 0]]


def test_unseen_words_add_nothing_where_training_had_none_to_pool():
    assert Category("site", ("hip",)).design(["elbow"]).tolist() == [[0]]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda plain: plain.pop("numbers"),
        lambda plain: plain.update(format=9),
        lambda plain: plain.update(kind="tree"),
        lambda plain: plain["coefficients"].pop(),
        lambda plain: plain.update(intercept=float("nan")),
    ],
)
def test_it_refuses_what_is_not_a_model(frame, spoil):
    plain = fitted(frame).to_plain()
    plain["coefficients"] = list(plain["coefficients"])
    spoil(plain)
    with pytest.raises(MalformedState):
        from_plain(plain)
