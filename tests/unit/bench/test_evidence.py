"""`make evidence`: absent sets are skipped with a word, pages say what was reached, NEWS2 again is a second NEWS2."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.evidence import __main__ as command
from bench.evidence import pages, sets
from bench.evidence.news2_again import NAMES, news2_again
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
