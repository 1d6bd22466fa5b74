"""`python -m tests.functional.screenshots [DIR] [--only board,...]`: every page and state at 390 and 1440 px, as PNG.

Pages are found in the resolver (`places`), so that a new one is in the pictures without anybody thinking of it; states
are those of `states`, in the products that show them. Light everywhere, dark beside it for the pages that
`browsing.PAGES` lists. Products are made anew, so times differ from run to run: pictures are for eyes, not for
comparison by pixel.
"""

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Error, sync_playwright

from tests.functional.browsing import PAGES, launch
from tests.functional.states import Look, Products, arrive, looking, products
from tests.functional.test_identity import PAGES as IDENTITY_PAGES
from tests.functional.ward import ROOT

WIDTHS = {1440: 900, 390: 844}
DARK_TOO = {path: name for name, (_, path) in (PAGES | IDENTITY_PAGES).items() if path}


def pictures(made: Products) -> Iterator[tuple[str, Look, str]]:
    """(name, look, scheme)."""
    for look in made.looks:
        name = DARK_TOO.get(look.path, look.name) if look.name in _found_in_the_ward(made) else look.name
        yield name, look, "light"
        if look.product == "ward" and not look.is_a_state and (look.path in DARK_TOO or look.name == "patient"):
            yield name, look, "dark"


def _found_in_the_ward(made: Products) -> set[str]:
    return {look.name for look in made.looks if look.product == "ward" and not look.is_a_state}


def take(folder: Path, only: set[str], kept: Path | None = None) -> tuple[int, list[str]]:
    """Write the pictures to `folder`; returns how many, and which could not be taken."""
    folder.mkdir(parents=True, exist_ok=True)
    count, failed = 0, []
    with tempfile.TemporaryDirectory(prefix="twinweb-shots-") as data, products(kept or Path(data)) as made:
        with sync_playwright() as play:
            browser = launch(play)
            for name, look, scheme in pictures(made):
                if only and name not in only:
                    continue
                try:
                    count += _take(browser, made, look, folder / name, scheme)
                except Error as error:
                    failed.append(f"{name}: {str(error).splitlines()[0]}")
            browser.close()
    return count, failed


def _take(browser: Browser, made: Products, look: Look, stem: Path, scheme: str) -> int:
    """Both widths of one page, loaded once."""
    size = {"width": 1440, "height": 900}
    with looking(browser, made.opened[look.product], look, viewport=size, color_scheme=scheme) as seen:
        arrive(seen, look)
        for width, height in WIDTHS.items():
            seen.page.set_viewport_size({"width": width, "height": height})
            seen.page.wait_for_timeout(150)
            seen.page.screenshot(path=stem.with_name(f"{stem.name}-{width}-{scheme}.png"), full_page=True)
    return len(WIDTHS)


def main() -> int:
    asked = argparse.ArgumentParser()
    asked.add_argument("folder", nargs="?", type=Path, default=ROOT / "docs" / "screenshots")
    asked.add_argument("--only", default="")
    asked.add_argument("--data", type=Path, help="where the products are kept, to be used again")
    options = asked.parse_args()
    count, failed = take(options.folder, set(filter(None, options.only.split(","))), options.data)
    print(f"{count} pictures in {options.folder}", *failed, sep="\n")
    return len(failed)


if __name__ == "__main__":
    raise SystemExit(main())
