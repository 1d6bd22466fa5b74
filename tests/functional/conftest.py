"""One ward and one browser for all browser tests; skipped, with a clear word, where Chromium is absent."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.functional.browsing import CHROMIUM, launch
from tests.functional.ward import Ward, open_ward, serve


@pytest.fixture(scope="session")
def ward(tmp_path_factory) -> Iterator[Ward]:
    if not CHROMIUM:
        pytest.skip("no chromium on this machine: browser tests need it")
    with open_ward(tmp_path_factory.mktemp("ward")) as opened:
        yield opened


@pytest.fixture(scope="module")
def own_ward(ward, tmp_path_factory) -> Iterator[Ward]:
    """A copy of the ward, for a file whose tests change what others look at."""
    data = tmp_path_factory.mktemp("own-ward") / "data"
    shutil.copytree(ward.data, data, ignore=shutil.ignore_patterns("twinweb.sqlite3*", "*.txt"))
    with closing(sqlite3.connect(ward.data / "twinweb.sqlite3")) as filled:
        with closing(sqlite3.connect(data / "twinweb.sqlite3")) as copy:
            filled.backup(copy)
    with serve(data) as served:
        yield served


@pytest.fixture(scope="module")
def browser(ward) -> Iterator[Browser]:
    """One Chromium a file. It may not outlive its file: Playwright keeps an event loop running in this thread, and
    Django refuses to touch the database from a thread with one."""
    with sync_playwright() as play:
        running = launch(play)
        yield running
        running.close()
