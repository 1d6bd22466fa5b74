"""Which models and which policy judge a backtest."""

import json

import pytest

from integrations.backtest.errors import BacktestRefused
from integrations.backtest.served import served, tuned


def limit(found):
    return next(rule.raise_at for rule in found.policy.rules if rule.cause == "suspicion")


@pytest.mark.parametrize("of_set", ["", "synthetic", "published"])
def test_a_shipped_set_has_hypotheses_of_its_own_twin(of_set):
    found = served(of_set)
    assert found.hypotheses is not None and found.population is not None
    assert found.hypotheses.twin_version == found.population.version


def test_a_tighter_budget_raises_the_limit():
    assert limit(tuned(served(""), 0.011, None)) > limit(tuned(served(""), 0.05, None))
    assert tuned(served(""), None, None) == served("")


def test_the_burden_of_an_earlier_report_is_used(tmp_path):
    rows = [
        {"threshold": 0.2, "false_alarms_per_patient_day": 0.1},
        {"threshold": 0.4, "false_alarms_per_patient_day": 0.02},
    ]
    report = tmp_path / "report.json"
    report.write_text(json.dumps({"burden": {"suspicion": rows}}))
    assert 0.2 < limit(tuned(served(""), 0.05, report)) < 0.4


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"burden": {"suspicion": [1]}}'])
def test_a_report_without_a_burden_curve_is_refused_in_words(tmp_path, text):
    report = tmp_path / "report.json"
    report.write_text(text)
    with pytest.raises(BacktestRefused, match="burden curve"):
        tuned(served(""), 0.05, report)


def test_a_budget_that_cannot_be_kept_is_refused_with_the_least_that_can():
    with pytest.raises(BacktestRefused, match="least measured"):
        tuned(served(""), 0.0001, None)
