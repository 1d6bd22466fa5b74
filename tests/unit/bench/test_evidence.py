"""`make evidence`: absent sets are skipped with a word, pages say what was reached, NEWS2 again is a second NEWS2."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import twin_lifesnaps
from bench.evidence import __main__ as command
from bench.evidence import pages, sets, wearable_forecasts, wearables
from bench.evidence.news2_again import NAMES, news2_again
from recovery.twin import cold_start
from recovery.twin.scores import news2

ITEMS = {
    "respiratory_rate": st.integers(3, 70),
    "spo2": st.integers(50, 100),
    "systolic": st.integers(40, 280),
    "pulse": st.integers(20, 250),
    "temperature": st.integers(3000, 4300).map(lambda hundredths: hundredths / 100),
    "consciousness": st.sampled_from("ACVPU"),
    "on_oxygen": st.booleans(),
}


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """No reference data, and pages that go to a folder of the test."""
    monkeypatch.setattr(sets, "DATA", tmp_path / "nothing")
    monkeypatch.setattr(pages, "DOCS", tmp_path / "pages")
    return tmp_path / "pages"


@pytest.mark.parametrize("part", command.PARTS)
def test_a_set_that_is_not_here_is_skipped_with_a_word_and_leaves_no_page(part, elsewhere, capsys):
    command.main([part, "--seeds", "1"])
    said = capsys.readouterr().out
    assert said.startswith(f"skipped {part}: ")
    assert "is not here" in said
    assert not elsewhere.exists()


def test_an_unknown_part_is_refused(capsys):
    with pytest.raises(SystemExit):
        command.main(["mri"])
    assert "no such part: mri" in capsys.readouterr().err


def test_a_page_says_what_was_not_reached_and_how_it_was_measured(elsewhere):
    row = {"goal": "AUROC >= 0.9", "reached": False, "models": {"linear": {"auroc": 0.8, "auroc_95": [0.7, 0.9]}}}
    pages.write("made", "Made up", "A test.", {"an outcome": row}, range(3))
    page = (elsewhere / "made.md").read_text()
    assert "**Not reached.**" in page
    assert "| linear | 0.8 | 0.7 to 0.9 |" in page
    assert "never split a patient" in page
    assert json.loads((elsewhere / "made.json").read_text())["results"]["an outcome"]["reached"] is False


@given(st.fixed_dictionaries({key: st.none() | value for key, value in ITEMS.items()}))
def test_the_second_news2_agrees_with_the_first_on_any_set(seen):
    first = news2(age_years=60, **seen)
    assert (first.value, first.missing) == news2_again(seen)
    assert set(first.missing) <= set(NAMES.values())


def test_rivals_are_judged_on_the_very_days_that_the_twin_is_judged_on_and_know_nothing_later():
    days = {day: 1000.0 + day for day in range(1, 45) if day % 5}
    own, rivals = list(twin_lifesnaps.follow(days, "steps", cold_start())), list(wearable_forecasts.rivals(days, 900.0))
    assert len(own) == len(rivals) > 40
    # Day 44, seven days ahead: known are the days up to 37, and the middle of the last 28 of them is day 23.5.
    assert own[-1][0] == 7 and rivals[-1] == (7.0, 20.5, 144.0)


def test_steps_of_a_day_without_eighteen_hours_of_pulse_are_no_steps(tmp_path, monkeypatch):
    folder = tmp_path / "lifesnaps-daily"
    folder.mkdir()
    columns = ["id", "date", *wearables.COLUMNS, *wearables.PULSE_SEEN]
    rows = [["a", "2021-06-01", 60, 15, 96, 5000, 1000, 80, 0, 0], ["a", "2021-06-02", 61, 15, 96, 300, 1000, 79, 0, 0]]
    (folder / "daily_fitbit_sema.csv").write_text("\n".join(",".join(map(str, row)) for row in [columns, *rows]))
    monkeypatch.setattr(sets, "DATA", tmp_path)
    (found,) = wearables.people()
    assert [len(found[key]) for key in ("heart_rate", "steps")] == [2, 1]
