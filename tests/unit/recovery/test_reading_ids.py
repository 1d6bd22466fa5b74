"""Derived ids name one reading, read back exactly, and are valid FHIR ids."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery.reading_ids import ReadingId, decode, encode, value_mark

ids = st.builds(
    ReadingId,
    st.sampled_from(["r", "k"]),
    st.integers(1, 2**40),
    st.integers(-(2**45), 2**45),
    st.integers(0, 2**53 - 1),
)


@given(ids)
def test_an_id_decodes_to_what_was_encoded_and_fits_the_fhir_rule(reading):
    text = encode(reading)
    assert re.fullmatch(r"[A-Za-z0-9\-.]{1,64}", text)
    assert decode(text) == reading


@given(st.text(max_size=80))
def test_any_other_text_is_not_taken_for_one_of_ours(text):
    found = decode(text)
    assert found is None or encode(found) == text


@pytest.mark.parametrize(
    "text", ["r-1-2", "x-1-2-3", "r-01-2-3", "r-1-2-3-4", "r--2-3", "r-" + "z" * 70 + "-1-1", "r-A-1-1"]
)
def test_near_misses_are_refused(text):
    assert decode(text) is None


def test_the_same_number_written_with_other_decimals_is_marked_differently():
    assert value_mark(37.0, 0) != value_mark(37.0, 1)
