"""What a page costs that no busy machine can blur: bytes over the line, requests, and what stands before the first
paint. Budgets: ux.md 7. How quick the pages are is measured in bench/."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from django.urls import get_resolver, reverse
from playwright.sync_api import BrowserContext

from tests.functional.browsing import visit
from tests.functional.places import NEVER_ASKED, routes

pytestmark = pytest.mark.browser
KB = 1024
PORTAL, LIST, HEAVY = (60, 25), (120, 45), (600, 435)  # kB in all, of which scripts
MOST_REQUESTS = 12
STAFF = dict.fromkeys(("board", "alerts"), LIST) | dict.fromkeys(("patient", "what_if", "data_quality", "model"), HEAVY)
BLOCKING = """performance.getEntriesByType('resource').filter((one) => one.renderBlockingStatus === 'blocking')
  .map((one) => [one.initiatorType, one.name])"""


@dataclass
class Weight:
    """Bytes over the line by address, with their kind, of one page and what it asks for."""

    parts: list[tuple[str, str, float]] = field(default_factory=list)

    def of(self, kind: str = "") -> float:
        return sum(size for _, of_kind, size in self.parts if kind in ("", of_kind)) / KB


@contextmanager
def weighed(context: BrowserContext) -> Iterator[tuple]:
    """(a page of an empty cache, what it weighs). Streams never end and today's questions are kept for later: neither
    is part of a page."""
    page, weight, named = context.new_page(), Weight(), {}
    wire = context.new_cdp_session(page)

    def ended(said: dict) -> None:
        url, kind = named.get(said["requestId"], ("", ""))
        if kind != "EventSource" and not (kind == "Fetch" and url.endswith("/whole/")):
            weight.parts.append((url, kind, said["encodedDataLength"]))

    wire.on(
        "Network.responseReceived",
        lambda said: named.__setitem__(said["requestId"], (said["response"]["url"], said["type"])),
    )
    wire.on("Network.loadingFinished", ended)
    wire.send("Network.enable")
    wire.send("Network.clearBrowserCache")
    wire.send("Network.setBypassServiceWorker", {"bypass": True})
    yield page, weight
    page.close()


def keeps_to(budget: tuple[int, int], context: BrowserContext, url: str) -> None:
    with weighed(context) as (page, weight):
        answer = page.goto(url)
        page.wait_for_timeout(300)  # what the page's scripts ask for on their own
        blocking = page.evaluate(BLOCKING)
        assert answer is not None and answer.status == 200, url
        assert 0 < weight.of() <= budget[0] and weight.of("Script") <= budget[1], (url, weight.parts)
        assert len(weight.parts) <= MOST_REQUESTS, (url, weight.parts)
        assert {kind for kind, _ in blocking} <= {"link"} and len(blocking) <= 3, (url, blocking)
        assert all(name.endswith(".css") for _, name in blocking), (url, blocking)
        assert page.locator("script:not([type=module]):not([type='application/json']):not([defer])").count() == 0, url


def portal_paths(context: BrowserContext, home: str) -> list[str]:
    """Every page of the portal that needs nothing but its name, found in the resolver."""
    names = [name for name, arguments in routes(get_resolver().url_patterns) if not arguments]
    paths = {reverse(name) for name in names if name not in NEVER_ASKED}
    asked = {path: context.request.get(home + path) for path in sorted(paths) if path.startswith(("/me/", "/invite/"))}
    return [
        path
        for path, answer in asked.items()
        if answer.status == 200
        and answer.headers["content-type"].startswith("text/html")
        and "content-disposition" not in answer.headers
    ]


def test_no_page_of_the_portal_weighs_more_than_a_slow_phone_bears(ward, browser):
    with visit(browser, ward, viewport={"width": 390, "height": 844}) as seen:
        seen.sign_in("ida")
        paths = portal_paths(seen.page.context, ward.url)
        assert len(paths) >= 10 and "/me/" in paths and "/me/devices/" in paths
        for path in [*paths, "/me/check-in/extra-weight/whole/"]:
            keeps_to(PORTAL, seen.page.context, ward.url + path)


@pytest.mark.parametrize("name", STAFF)
def test_no_page_of_the_care_team_weighs_more_than_its_kind_may(ward, browser, name):
    with visit(browser, ward, viewport={"width": 1440, "height": 900}) as seen:
        seen.open(name)
        keeps_to(STAFF[name], seen.page.context, seen.page.url)
