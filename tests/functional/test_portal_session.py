"""Two minutes before a patient is signed out the page asks, in place, and nothing typed is lost."""

import json
from typing import Any

import pytest

from tests.functional.browsing import visit
from tests.functional.test_portal import PHONE

pytestmark = pytest.mark.browser


def test_two_minutes_before_the_end_the_page_asks_and_one_tap_goes_on_with_what_was_typed(ward, browser):
    asked: list[str] = []

    def session(route: Any) -> None:
        """The product's own answer, two minutes before the end until somebody has said that they are there."""
        asked.append(route.request.method)
        answer = route.fetch()
        said = answer.json()
        if "POST" not in asked:
            said["seconds"] = 119
        route.fulfill(response=answer, body=json.dumps(said))

    with visit(browser, ward, viewport=PHONE) as seen:
        seen.sign_in("ida")
        page = seen.page
        page.route("**/session/", session)
        page.goto(ward.url + "/me/messages/")
        page.wait_for_selector("#ending[open]")
        assert "2 minutes" in page.inner_text("#ending") and "24 hours" in page.inner_text("#ending")
        page.evaluate("document.querySelector('textarea[name=text]').value = 'My knee is warm'")
        with page.expect_response(lambda one: one.request.method == "POST" and "/session/" in one.url) as answered:
            page.click("#ending button")
        said = answered.value.json()
        assert said["signed_in"] and said["seconds"] > 120
        assert not page.locator("#ending").is_visible()
        assert page.input_value("textarea[name=text]") == "My knee is warm"
        assert seen.complaints == []
