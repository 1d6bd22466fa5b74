"""Items of a score, as people write them."""

import pytest

from recovery.presenters.scores import score_card
from recovery.selectors.snapshot import Score, ScoreItem


@pytest.mark.parametrize(
    ("kept", "shown"),
    [
        ("78.54233", "78.5"),
        ("upper_abdominal", "upper abdominal"),
        ("1.23456", "1.23"),
        ("37.0", "37"),
        ("120", "120"),
        ("99.96", "100"),
        ("", ""),
        ("alert", "alert"),
    ],
)
def test_a_value_is_written_as_people_write_it(kept: str, shown: str) -> None:
    item = ScoreItem("age", 3, kept)
    score = Score(
        name="ARISCAT", value=3, highest=123, band="low", complete=True, missing=(), items=(item,), source="x"
    )
    assert score_card(score).items == (("age", shown, "3"),)
