"""Wording of a probability and its interval."""

import pytest

from recovery.twin.of_hundred import brackets, interval_words, out_of_100


@pytest.mark.parametrize(
    ("probability", "words"),
    [
        (0.0, "fewer than 1"),
        (0.0099, "fewer than 1"),
        (0.01, "1"),
        (0.991, "more than 99"),
        (0.99, "99"),
        (0.999, "more than 99"),
        (1.0, "more than 99"),
    ],
)
def test_the_ends_are_never_certain(probability, words):
    assert out_of_100(probability) == words


def test_a_wide_and_a_narrow_interval_are_both_words():
    assert interval_words(0.02, 0.71) == "between 2 and 71"
    assert interval_words(0.011, 0.0149) == "about 1"
    assert interval_words(0.001, 0.03) == "at most 3"
    assert interval_words(0.97, 0.999) == "at least 97"
    assert interval_words(0.001, 0.002) == "fewer than 1"
    assert interval_words(None, 0.2) == ""


def test_an_interval_stands_in_brackets_only_where_it_says_more_than_its_number():
    assert brackets(0.07, 0.19) == " (7 to 19)"
    assert brackets(0.001, 0.03) == " (at most 3)"
    assert brackets(0.775, 0.784) == " (about 78)"
    assert brackets(0.001, 0.002) == brackets(None, None) == ""
