"""JSON that comes back to the digit."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery.exact_json import dumps, loads


@pytest.mark.parametrize("text", ["36.90", "1e-7", "1E5", "0.10", "-0.0", "100000000000000000000.5", "3.0e+2"])
def test_a_number_comes_back_as_it_was_written(text):
    assert dumps(loads(f'{{"value":{text}}}')) == f'{{"value":{text}}}'


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", '{"a":NaN}', "[1,", "", "{'a':1}", "nul"])
def test_what_is_not_json_is_refused(text):
    with pytest.raises(ValueError):
        loads(text)


def test_bytes_that_are_not_utf8_are_refused():
    with pytest.raises(ValueError):
        loads(b'{"a":"\xff"}')


def test_a_decimal_that_json_cannot_say_is_refused():
    with pytest.raises(TypeError):
        dumps({"a": Decimal("NaN")})


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(json_values)
def test_any_json_value_survives_the_round_trip(value):
    assert loads(dumps(value)) == value
    assert json.loads(dumps(value)) == value
