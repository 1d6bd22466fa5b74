"""The patient's pages in every language: complete, with the same blanks to fill, compiled as written, easy to read."""

import re

import pytest
from django.conf import settings
from django.utils import translation

from recovery.check_ins.forms import SHIPPED, shipped
from tests.catalogs import FIELD, LOCALE, compiled, entries, first_text, marked

OTHERS = [key for key, _name in settings.LANGUAGES if key != "en"]


def path_of(language):
    return LOCALE / language / "LC_MESSAGES" / "django.po"


@pytest.mark.parametrize("language", OTHERS)
def test_every_text_is_translated(language):
    held = entries(path_of(language))
    assert [key for key, forms in held.items() if not all(forms)] == []
    assert marked() - {first_text(key) for key in held} == set()


@pytest.mark.parametrize("language", OTHERS)
def test_nothing_is_translated_that_no_page_says(language):
    assert {first_text(key) for key in entries(path_of(language))} - marked() == set()


@pytest.mark.parametrize("language", OTHERS)
def test_the_compiled_file_is_what_was_written(language):
    assert compiled(path_of(language).with_suffix(".mo")) == entries(path_of(language))


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_fills_no_other_blanks(language):
    for key, forms in entries(path_of(language)).items():
        known = set(FIELD.findall(key))
        assert all(set(FIELD.findall(form)) <= known for form in forms), key
        if len(forms) == 1:
            assert set(FIELD.findall(forms[0])) == known, key


def test_a_plural_has_as_many_forms_as_its_language():
    counts = {lang: {len(f) for k, f in entries(path_of(lang)).items() if "\x00" in k} for lang in OTHERS}
    assert counts == {"de": {2}, "ar": {6}}


def test_arabic_runs_from_right_to_left():
    with translation.override("ar"):
        assert translation.get_language_bidi() and translation.gettext("Home") == "الرئيسية"


def syllables(word: str) -> int:
    """Vowel groups, a silent e at the end not counted."""
    found = len(re.findall(r"[aeiouy]+", word))
    return max(1, found - (word.endswith("e") and not word.endswith("le") and found > 1))


def grade(text: str) -> float:
    """Flesch-Kincaid grade level: 0.39 words/sentence + 11.8 syllables/word - 15.59 (Kincaid 1975)."""
    sentences = [one for one in re.split(r"[.!?:]+", text) if re.search("[a-z]", one)]
    words = re.findall(r"[a-z']+", text.lower())
    return 0.39 * len(words) / len(sentences) + 11.8 * sum(map(syllables, words)) / len(words) - 15.59


def test_the_formula_tells_plain_words_from_hard_ones():
    assert grade("The cat sat on the mat. It was fat.") < 2
    assert grade("Perioperative complications necessitate multidisciplinary evaluation.") > 15


def test_what_a_patient_reads_needs_no_more_than_primary_school():
    said = [FIELD.sub("it", first_text(key)) for key in entries(path_of("de"))]
    sentences = [one for one in said if one.endswith((".", "?"))]
    assert len(sentences) > 100 and grade(" ".join(sentences)) <= 5.0
    hard = [one for one in sentences if len(one.split()) > 6 and grade(one) > 11]
    assert hard == []


@pytest.mark.parametrize("key", SHIPPED[:1])
def test_the_daily_questions_are_plain_too(key):
    said = [one.words("en") for one in shipped(key).questions]
    assert grade(" ".join(said)) <= 5.0
