"""Which models judge a backtest: each shipped set belongs together, and a name that nobody knows is refused."""

import pytest

from integrations.backtest.errors import BacktestRefused
from integrations.backtest.served import CURRENT, SETS, served
from recovery.twin.cold_start import cold_start
from recovery.twin.hazard_store import shipped_model
from recovery.twin.survival import published_model


@pytest.mark.parametrize("of_set", SETS)
def test_hypotheses_of_a_shipped_set_were_learned_under_its_twin(of_set):
    found = served(of_set)
    assert found.population is not None and found.hypotheses is not None
    assert found.hypotheses.twin_version == found.population.version
    assert found.hazard == shipped_model(of_set)


def test_the_two_sets_have_twins_of_their_own():
    assert served("synthetic").population.version != served("published").population.version == cold_start().version


def test_a_backtest_is_judged_by_the_synthetic_set_unless_told_otherwise():
    assert served("") == served("synthetic") != served("published")


def test_the_published_risk_model_can_be_asked_for_alone():
    found = served(published_model().version)
    assert found.hazard == published_model() and found.hypotheses is None


def test_what_is_in_use_before_any_training_is_the_published_set(db):
    found = served(CURRENT)
    assert (found.population.version, found.hazard) == (cold_start().version, shipped_model())
    assert found.hypotheses is not None


def test_a_version_that_nobody_knows_is_refused_with_those_that_are_known(db):
    with pytest.raises(BacktestRefused, match="'mine'.*published and synthetic.*'current'"):
        served("mine")
