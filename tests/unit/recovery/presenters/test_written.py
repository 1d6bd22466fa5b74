"""Names of any script, as they stand on paper."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery.presenters.written import in_drawing_order, joined


@pytest.mark.parametrize("text", ["Ida Hartmann", "Ní Dhomhnaill", "12 of 100", "", "Γιώργος", "Ольга"])
def test_what_runs_to_the_right_is_unchanged(text):
    assert in_drawing_order(text) == text


def test_hebrew_is_turned_round_and_a_number_in_it_is_not():
    assert in_drawing_order("דוד") == "דוד"[::-1]
    assert in_drawing_order("דוד 42") == "42 " + "דוד"[::-1]


def test_arabic_letters_join_as_they_are_written():
    # beh-yeh-teh: initial, medial, final (Unicode chart FE70..FEFF)
    assert joined("بيت") == "\ufe91\ufef4\ufe96"
    # a letter that never joins on leaves the next one standing alone
    assert joined("دار") == "\ufea9\ufe8d\ufead"


def test_lam_and_alef_are_one_sign():
    assert joined("لا") == "\ufefb"
    assert joined("سلام") == "\ufeb3\ufefc\ufee1"


def test_a_latin_word_within_arabic_stays_readable():
    assert "Ida" in in_drawing_order("مرحبا Ida")


@given(st.text(max_size=40))
def test_no_text_breaks_it(text):
    assert isinstance(in_drawing_order(text), str)


@given(st.text(alphabet="אבגדה 0123456789abc", max_size=20))
def test_no_sign_is_lost(text):
    assert sorted(in_drawing_order(text)) == sorted(text)
