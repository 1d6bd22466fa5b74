"""`python -m tests.functional.screenshots [DIR] [--only board,...]`: every page and state at 390 and 1440 px, as PNG.

Pages are found in the resolver (`places`), so that a new one is in the pictures without anybody thinking of it; states
are those of `states`, in the products that show them. Light everywhere, dark beside it for the pages that
`browsing.PAGES` lists. Products are made anew, so times differ from run to run: these pictures are for eyes, those that
are compared by pixel are made by `pixels`. A page is loaded once for all its pictures, by a few browsers at a time.
"""

import argparse
import multiprocessing
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Error, sync_playwright

from tests.functional.browsing import PAGES, launch
from tests.functional.states import Look, Opened, Products, arrive, looking, products
from tests.functional.test_identity import PAGES as IDENTITY_PAGES
from tests.functional.ward import ROOT

WIDTHS = {1440: 900, 390: 844}
DARK_TOO = {path: name for name, (_, path) in (PAGES | IDENTITY_PAGES).items() if path}
LOOKS_AT_ONCE = 6
SETTLES_MS = 100  # a layout after the window was made narrower
THUMB = (180, 330)


@dataclass(frozen=True)
class Picture:
    """The beginning of the files' names, what is looked at, and in which schemes."""

    name: str
    look: Look
    schemes: tuple[str, ...] = ("light",)


def pictures(made: Products) -> Iterator[Picture]:
    for look in made.looks:
        if look.product != "ward" or look.is_a_state:
            yield Picture(look.name, look)
        elif look.path in DARK_TOO or look.name == "patient":
            yield Picture(DARK_TOO.get(look.path, look.name), look, ("light", "dark"))
        else:
            yield Picture(look.name, look)


def take(
    folder: Path, only: set[str] = frozenset(), kept: Path | None = None, workers: int = 2
) -> tuple[list[Path], list[str]]:
    """Write the pictures to `folder`; returns their files, and which could not be taken."""
    folder.mkdir(parents=True, exist_ok=True)
    files: list[Path] = []
    failed: list[str] = []
    with tempfile.TemporaryDirectory(prefix="twinweb-shots-") as data, products(kept or Path(data)) as made:
        wanted = [one for one in pictures(made) if not only or one.name in only]
        parts = [wanted[begin : begin + LOOKS_AT_ONCE] for begin in range(0, len(wanted), LOOKS_AT_ONCE)]
        with multiprocessing.get_context("spawn").Pool(workers) as pool:
            for written, missing in pool.imap(_taken, [(part, made.opened, folder) for part in parts]):
                files += written
                failed += missing
                print(f"{len(files)} pictures", *missing, sep="\n", flush=True)
    return files, failed


def _taken(asked: tuple[list[Picture], dict[str, Opened], Path]) -> tuple[list[Path], list[str]]:
    """In a process and a browser of its own."""
    part, opened, folder = asked
    files: list[Path] = []
    failed: list[str] = []
    with sync_playwright() as play:
        browser = launch(play)
        for one in part:
            try:
                files += _take(browser, opened[one.look.product], one, folder)
            except Error as error:
                failed.append(f"{one.name}: {str(error).splitlines()[0]}")
        browser.close()
    return files, failed


def _take(browser: Browser, opened: Opened, one: Picture, folder: Path) -> Iterator[Path]:
    """Both widths and all schemes of one page, loaded once."""
    with looking(browser, opened, one.look, viewport={"width": 1440, "height": 900}) as seen:
        arrive(seen, one.look)
        for width, height in WIDTHS.items():
            seen.page.set_viewport_size({"width": width, "height": height})
            for scheme in one.schemes:
                seen.page.emulate_media(color_scheme=scheme)
                seen.page.wait_for_timeout(SETTLES_MS)
                path = folder / f"{one.name}-{width}-{scheme}.png"
                seen.page.screenshot(path=path, full_page=True)
                yield path


def contact_sheets(files: list[Path], folder: Path, across: int = 9, down: int = 3) -> int:
    """Thumbnails of all pictures, `across` x `down` a sheet, to be looked over by eye."""
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    for begin in range(0, len(files), across * down):
        sheet = Image.new("RGB", (THUMB[0] * across, THUMB[1] * down), "#888")
        for place, file in enumerate(files[begin : begin + across * down]):
            with Image.open(file) as whole:
                top = whole.crop((0, 0, whole.width, min(whole.height, whole.width * THUMB[1] // THUMB[0])))
                top.thumbnail((THUMB[0] - 6, THUMB[1] - 6))
                sheet.paste(top, (place % across * THUMB[0] + 3, place // across * THUMB[1] + 3))
        count += 1
        sheet.save(folder / f"sheet-{count:02d}.png")
    return count


def main() -> int:
    asked = argparse.ArgumentParser()
    asked.add_argument("folder", nargs="?", type=Path, default=ROOT / "docs" / "screenshots")
    asked.add_argument("--only", default="")
    asked.add_argument("--data", type=Path, help="where the products are kept, to be used again")
    asked.add_argument("--workers", type=int, default=2)
    asked.add_argument("--sheets", type=Path, help="a folder for sheets of thumbnails")
    options = asked.parse_args()
    begun = time.monotonic()
    only = set(filter(None, options.only.split(",")))
    files, failed = take(options.folder, only, options.data, options.workers)
    if options.sheets:
        contact_sheets(sorted(files), options.sheets)
    print(
        f"{len(files)} pictures in {options.folder}, {time.monotonic() - begun:.0f} s, {len(failed)} could not be taken"
    )
    return len(failed)


if __name__ == "__main__":
    raise SystemExit(main())
