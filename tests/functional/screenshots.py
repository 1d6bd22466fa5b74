"""`python -m tests.functional.screenshots [DIR] [--only board,...]`: every page and state at 390 and 1440 px, as PNG.

Pages are found in the resolver (`places`), so that a new one is in the pictures without anybody thinking of it; states
are those of `STATES`. Light everywhere, dark beside it for the pages that `browsing.PAGES` lists. The synthetic ward is
made anew, so times differ from run to run: pictures are for eyes, not for comparison by pixel.
"""

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.functional.browsing import PAGES, launch, visit
from tests.functional.places import Found, found_in
from tests.functional.test_identity import PAGES as IDENTITY_PAGES
from tests.functional.ward import ROOT, Ward, environment, open_ward

WIDTHS = {390: 844, 1440: 900}
# What else a page may say: name -> who looks, path, and whether the network goes away after it has come.
STATES = {
    "state_no_such_page": ("clinician", "/nowhere/", False),
    "state_forbidden": ("clinician", "/models/", False),
    "state_filtered_empty_board": ("clinician", "/patients/?procedure=cardiac", False),
    "state_filtered_empty_alerts": ("clinician", "/alerts/?view=snoozed", False),
    "state_empty_quality": ("clinician", "/quality/?metric=crp", False),
    "state_nothing_found": ("clinician", "/search/", False),
    "state_no_access": ("administrator", "/patients/", False),
    "state_offline_board": ("clinician", "/patients/", True),
    "state_offline_alerts": ("clinician", "/alerts/", True),
    "state_offline_portal": ("patient", "/me/", True),
    "state_signed_out": ("nobody", "/patients/", False),
}
DARK_TOO = {path: name for name, (_, path) in (PAGES | IDENTITY_PAGES).items() if path}


@dataclass(frozen=True)
class Picture:
    name: str
    who: str
    path: str
    scheme: str = "light"
    offline: bool = False


def pictures(found: Found) -> Iterator[Picture]:
    for place in found.places:
        name = DARK_TOO.get(place.path, place.name)
        yield Picture(name, place.who, place.path)
        if place.path in DARK_TOO or place.name == "patient":
            yield Picture(name, place.who, place.path, "dark")
    for name, (who, path, offline) in STATES.items():
        yield Picture(name, who, path, offline=offline)


def take(folder: Path, only: set[str]) -> int:
    """Write the pictures to `folder`; returns how many."""
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    with tempfile.TemporaryDirectory(prefix="twinweb-shots-") as data, open_ward(Path(data)) as ward:
        found = found_in(environment(Path(data)), ROOT)
        with sync_playwright() as play:
            browser = launch(play)
            for one in pictures(found):
                if not only or one.name in only:
                    count += _take(browser, ward, found, one, folder)
            browser.close()
    return count


def _take(browser: Browser, ward: Ward, found: Found, one: Picture, folder: Path) -> int:
    """Both widths of one page, loaded once."""
    with visit(browser, ward, viewport={"width": 1440, "height": 900}, color_scheme=one.scheme) as seen:
        if one.who in found.sessions:
            seen.page.context.add_cookies([{**found.sessions[one.who], "url": ward.url}])
        seen.page.goto(ward.url + one.path)
        if one.offline:
            seen.page.context.set_offline(True)
        for width, height in WIDTHS.items():
            seen.page.set_viewport_size({"width": width, "height": height})
            seen.page.wait_for_timeout(300)
            seen.page.screenshot(path=folder / f"{one.name}-{width}-{one.scheme}.png", full_page=True)
    return len(WIDTHS)


if __name__ == "__main__":
    asked = argparse.ArgumentParser()
    asked.add_argument("folder", nargs="?", type=Path, default=ROOT / "docs" / "screenshots")
    asked.add_argument("--only", default="")
    options = asked.parse_args()
    print(f"{take(options.folder, set(filter(None, options.only.split(','))))} pictures in {options.folder}")
