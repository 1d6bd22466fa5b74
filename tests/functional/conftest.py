"""One ward and one browser for all browser tests; skipped, with a clear word, where Chromium is absent."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.functional.browsing import CHROMIUM, launch
from tests.functional.ward import Ward, open_ward


@pytest.fixture(scope="session")
def ward(tmp_path_factory) -> Iterator[Ward]:
    if not CHROMIUM:
        pytest.skip("no chromium on this machine: browser tests need it")
    with open_ward(tmp_path_factory.mktemp("ward")) as opened:
        yield opened


@pytest.fixture(scope="module")
def browser(ward) -> Iterator[Browser]:
    """One Chromium a file. It may not outlive its file: Playwright keeps an event loop running in this thread, and
    Django refuses to touch the database from a thread with one."""
    with sync_playwright() as play:
        running = launch(play)
        yield running
        running.close()
