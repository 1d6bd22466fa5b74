"""Who did something for a patient is kept in one form, and read in the reader's language."""

from dataclasses import replace
from uuid import UUID

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from recovery.models import CaregiverGrant
from recovery.presenters.portal_people import RELATION_WORDS, by_words, in_own_words
from recovery.selectors.portal_people import Subject

ANNA = Subject(1, "p1", "Ida", "Ida Hartmann", "daughter", "Anna", frozenset(), UUID(int=1))


def test_every_relation_that_can_be_chosen_has_its_word():
    assert set(RELATION_WORDS) == set(CaregiverGrant.Relation.values)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "Anna (daughter) for Ida Hartmann"),
        ("de", "Anna (Tochter) für Ida Hartmann"),
        ("ar", "Anna (الابنة) عن Ida Hartmann"),
    ],
)
def test_a_helper_is_told_in_the_readers_language(language, words):
    with translation.override(language):
        assert in_own_words(by_words(ANNA)) == words


@given(
    st.sampled_from(sorted(RELATION_WORDS)),
    st.text(min_size=1).filter(str.isprintable),
    st.text(min_size=1).filter(str.isprintable),
)
def test_whatever_people_are_called_it_is_read_back(relation, called, name):
    one = replace(ANNA, relation=relation, called=called, name=name)
    with translation.override("en"):
        assert in_own_words(by_words(one)) == by_words(one)


def test_a_name_is_left_as_it_is():
    with translation.override("de"):
        assert in_own_words("Ward 7 (night) for now") == "Ward 7 (night) for now"
        assert in_own_words("") == ""
