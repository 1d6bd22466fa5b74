"""`python -m tests.functional.portal_pages [NAME,...]`: every page of the portal in every language and both themes.

Each page (portal_places) x English, German, Arabic x light, dark, at 320 px with letters of the usual and of twice the
size: axe finds nothing, nothing is wider than the screen, no "None" is said, the console is silent. A command: it takes
minutes. Exits with 1 when something is wrong.
"""

import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page, sync_playwright

from tests.functional.browsing import launch, visit
from tests.functional.ward import ROOT, Ward, environment, open_ward

LANGUAGES, THEMES, SIZES = ("en", "de", "ar"), ("light", "dark"), ("100 %", "200 %")
NARROW = {"width": 320, "height": 700}
RUN = "() => axe.run({ resultTypes: ['violations'], preload: false })"
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
OPEN_ALL = "document.querySelectorAll('details').forEach((one) => { one.open = true })"
LARGE = "document.documentElement.style.fontSize = '200%'"
SAID = re.compile(r"\b(?:None(?! of)|NaN|undefined)\b")
# The browser's own line about a page that says 404 or 405, which is what is looked at.
EXPECTED = re.compile(r"Failed to load resource.*40[45]")


@dataclass(frozen=True)
class Places:
    looks: list[tuple[str, str, str]]  # name, who, path
    sessions: dict[str, dict[str, Any]]


def places_of(ward: Ward) -> Places:
    """Made in the ward, which is changed by it."""
    command = [sys.executable, "-m", "tests.functional.portal_places"]
    done = subprocess.run(command, cwd=ROOT, env=environment(ward.data), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    said = json.loads(done.stdout.splitlines()[-1])
    return Places([tuple(one) for one in said["looks"]], said["sessions"])


def faults(page: Page, address: str, language: str, theme: str, axe_at: Collection[str] = SIZES) -> Iterator[str]:
    """What is wrong with the page in this language and theme, in words."""
    page.context.set_extra_http_headers({"Accept-Language": language})
    page.emulate_media(color_scheme=theme)
    page.goto(address)
    page.evaluate(OPEN_ALL)
    spoken = page.get_attribute("html", "lang")
    if spoken != language:
        yield f"speaks {spoken}"
    yield from (f"says {one}" for one in SAID.findall(page.inner_text("body")))
    page.evaluate(AXE_SCRIPT)
    for size in SIZES:
        if size == "200 %":
            page.evaluate(LARGE)
        wide = page.evaluate(SIDEWAYS)
        if wide:
            yield f"{size}: {wide} px wider than the screen"
        for one in page.evaluate(RUN)["violations"] if size in axe_at else ():
            yield f"{size}: {one['id']}: {one['nodes'][0]['html'][:160]}"


def looked_at(
    browser: Browser, ward: Ward, places: Places, every: list[tuple[int, str, str]], axe_at: Collection[str] = SIZES
) -> Iterator[str]:
    """Faults of each (index of a look, language, theme), with its name. `axe_at`: letters that axe looks at."""
    for who in ("patient", "newcomer", "helper", "nobody", "opener"):
        with visit(browser, ward, viewport=NARROW) as seen:
            if who in places.sessions:
                seen.page.context.add_cookies([{**places.sessions[who], "url": ward.url}])
            for index, language, theme in every:
                name, whose, path = places.looks[index]
                if whose == who:
                    seen.complaints.clear()
                    found = [*faults(seen.page, ward.url + path, language, theme, axe_at)]
                    found += [one for one in seen.complaints if not EXPECTED.search(one)]
                    yield from (f"{name}, {language}, {theme}: {one}" for one in found)


def main(only: set[str]) -> int:
    begun, wrong = time.monotonic(), 0
    with tempfile.TemporaryDirectory(prefix="twinweb-portal-") as folder, open_ward(Path(folder)) as ward:
        places = places_of(ward)
        chosen = [i for i, one in enumerate(places.looks) if not only or one[0] in only]
        every = [(i, language, theme) for i in chosen for language in LANGUAGES for theme in THEMES]
        with sync_playwright() as play:
            browser = launch(play)
            for words in looked_at(browser, ward, places, every):
                wrong += 1
                print(words, flush=True)
            browser.close()
    print(f"{len(chosen)} pages, {2 * len(every)} looks, {wrong} faults, {time.monotonic() - begun:.0f} s")
    return wrong


if __name__ == "__main__":
    sys.exit(1 if main(set(sys.argv[1].split(",")) if len(sys.argv) > 1 else set()) else 0)
