"""Every page of the portal in one of its six looks; the command `portal_pages` looks at all of them."""

import re

import pytest

from tests.functional.portal_pages import LANGUAGES, THEMES, looked_at, places_of
from tests.functional.portal_places import NO_PAGE, routes

SIX = [(language, theme) for language in LANGUAGES for theme in THEMES]


@pytest.fixture(scope="module")
def places(own_ward):
    return places_of(own_ward)


@pytest.mark.browser
def test_every_route_of_the_portal_that_is_a_page_is_looked_at(places):
    shown = {re.split(" ", name)[0] for name, _who, _path in places.looks}
    assert routes() - set(NO_PAGE) - shown == set() and not set(NO_PAGE) & shown


@pytest.mark.browser
def test_axe_finds_nothing_on_any_page_of_the_portal_at_320_px_and_with_letters_of_twice_the_size(
    own_ward, browser, places
):
    every = [(number, *SIX[number % len(SIX)]) for number in range(len(places.looks))]
    assert [*looked_at(browser, own_ward, places, every, axe_at=("200 %",))] == []
