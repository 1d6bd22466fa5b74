"""`python -m tests.functional.pixels`: the ten pages of the specification, compared by pixel with those approved.

Fixed seeds, a stopped clock (`stopped`), six viewports (320, 390, 768, 1280, 1920 px and print) in light, dark and
forced colours: 160 pictures of the first 1,600 px of each page. A picture may differ from the approved one in at most
0.1 % of its pixels; one step of a letter's edge is no difference. What differs more is left beside the approved picture
in a folder, and the command exits with 1.

    python -m tests.functional.pixels [--only board,patient]      compare
    python -m tests.functional.pixels --approve board,patient --by NAME --why WORDS      of the commit that stands
    python -m tests.functional.pixels --approve all --by NAME --why WORDS

What is approved is a page as a commit draws it (tests/functional/approved.json: which commit, by whom, why). The
pictures of that commit are made by the machine that compares, with its own fonts, once, and kept beside the
screenshots: a hundred pictures in the history would weigh more than the product.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from PIL import Image, ImageChops
from playwright.sync_api import Browser, Page, sync_playwright

from tests.functional.browsing import launch, visit
from tests.functional.stopped import NOW
from tests.functional.ward import ROOT, Ward, environment, serve

BOOK = ROOT / "tests" / "functional" / "approved.json"
KEPT = ROOT / "docs" / "screenshots"  # not in the repository
ALLOWED = 0.001  # of a picture's pixels (ux.md 8.1)
STEP = 24  # of 255: what smoothing a letter's edge may differ by, and no colour of ours from another
HEIGHT = 1600
SETTLES_MS = 100
PRINT = "print"
IS_LIVE = "[...document.querySelectorAll('#live-state')].every((one) => one.textContent === 'Live')"
VIEWPORTS = {"320": 320, "390": 390, "768": 768, "1280": 1280, "1920": 1920, PRINT: 794}
MODES: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light", "forced_colors": "none"},
    "dark": {"color_scheme": "dark", "forced_colors": "none"},
    "forced": {"color_scheme": "light", "forced_colors": "active"},
}
# page of ux.md 5 -> the route that shows it
PAGES = {
    "board": "board",
    "patient": "patient",
    "alerts": "alerts",
    "what_if": "what_if",
    "home": "me",
    "check_in": "check_in",
    "devices": "me_devices",
    "models": "models",
    "quality": "quality",
    "status": "connections_status",
}
# What the machine says of itself, whatever the clock says: free space, ages of files, how long a start took.
OF_THE_MACHINE = {"status": ".parts tbody"}


class NotApproved(RuntimeError):
    """There is nothing to compare with; the text says why and what to do."""


def difference(one: Image.Image, other: Image.Image) -> float:
    """Share of pixels that differ by more than STEP in any colour; 1 when the sizes differ."""
    if one.size != other.size:
        return 1.0
    red, green, blue = ImageChops.difference(one.convert("RGB"), other.convert("RGB")).split()
    most = ImageChops.lighter(ImageChops.lighter(red, green), blue)
    return sum(most.histogram()[STEP + 1 :]) / (one.width * one.height)


def names(page: str) -> Iterator[tuple[str, str, str]]:
    """(name, viewport, mode) of each picture of a page; on paper there is one mode."""
    for viewport in VIEWPORTS:
        for mode in ("light",) if viewport == PRINT else MODES:
            yield f"{page}-{viewport}-{mode}", viewport, mode


def make(folder: Path, pages: list[str], data: Path | None = None) -> int:
    """Write the pictures of `pages` to `folder`; returns how many. `data`: where a filled ward is or shall be kept."""
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    with tempfile.TemporaryDirectory(prefix="twinweb-pixels-") as fresh, sync_playwright() as play:
        found = _stopped_ward(data or Path(fresh))
        with serve(data or Path(fresh), "tests.functional.stopped_asgi:application") as ward:
            browser = launch(play)
            for page in pages:
                for name, picture in _pictures(browser, ward, found, page):
                    (folder / f"{name}.png").write_bytes(picture)
                    count += 1
                print(f"{page}: {count} pictures", file=sys.stderr, flush=True)
            browser.close()
    return count


def _stopped_ward(data: Path) -> dict[str, Any]:
    """Its pages and sessions; filled, unless an earlier call left it in `data`."""
    told = data / "told.json"
    if not told.exists():
        command = [sys.executable, "-m", "tests.functional.stopped"]
        done = subprocess.run(command, cwd=ROOT, env=environment(data), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
        told.write_text(done.stdout.splitlines()[-1])
    found: dict[str, Any] = json.loads(told.read_text())
    return found


def _pictures(browser: Browser, ward: Ward, found: dict[str, Any], page: str) -> Iterator[tuple[str, bytes]]:
    place = next(one for one in found["places"] if one["name"] == PAGES[page])
    loaded = ""
    with visit(browser, ward, reduced_motion="reduce", service_workers="block") as seen:
        if place["who"] in found["sessions"]:
            seen.page.context.add_cookies([{**found["sessions"][place["who"]], "url": ward.url}])
        seen.page.clock.set_fixed_time(NOW)
        for name, viewport, mode in names(page):
            seen.page.emulate_media(media=PRINT if viewport == PRINT else "screen", **MODES[mode])
            if viewport != loaded:
                seen.page.set_viewport_size({"width": VIEWPORTS[viewport], "height": 900})
                seen.page.goto(ward.url + place["path"])
                _wait_until_live(seen.page)
                loaded = viewport
            yield name, _picture(seen.page, page, VIEWPORTS[viewport])


def _wait_until_live(shown: Page) -> None:
    """Asked from here: under the product's policy a page may not evaluate texts."""
    deadline = time.monotonic() + 30
    while not shown.evaluate(IS_LIVE):
        assert time.monotonic() < deadline, "the list does not become live"
        shown.wait_for_timeout(50)


def _picture(shown: Page, page: str, width: int) -> bytes:
    shown.wait_for_timeout(SETTLES_MS)
    tall = shown.evaluate("document.documentElement.scrollHeight")
    clip = {"x": 0, "y": 0, "width": width, "height": min(tall, HEIGHT)}
    hidden = [shown.locator(OF_THE_MACHINE[page])] if page in OF_THE_MACHINE else []
    return shown.screenshot(full_page=True, clip=clip, mask=hidden, animations="disabled", caret="hide")


def approved(page: str) -> Path:
    """The folder that holds the approved pictures of a page, made now where they are not here yet."""
    book = _book()
    if page not in book:
        raise NotApproved(f"{page}: nobody has approved it; --approve {page} --by NAME --why WORDS")
    revision = book[page]["revision"]
    folder = KEPT / f"approved-{revision[:12]}"
    if not all((folder / f"{name}.png").exists() for name, _, _ in names(page)):
        pages = [one for one, said in book.items() if said["revision"] == revision]
        _make_of(revision, folder, pages)
    return folder


def _make_of(revision: str, folder: Path, pages: list[str]) -> None:
    """As that commit draws them: its whole tree is laid out beside this one and makes its own pictures."""
    with tempfile.TemporaryDirectory(prefix="twinweb-approved-") as tree:
        packed = Path(tree) / "tree.tar"
        done = subprocess.run(["git", "archive", "-o", packed, revision], cwd=ROOT, capture_output=True, text=True)
        if done.returncode != 0:
            raise NotApproved(f"the approved commit {revision[:12]} is not in this repository: approve again")
        subprocess.run(["tar", "-xf", packed], cwd=tree, check=True)
        command = [sys.executable, "-m", "tests.functional.pixels", "--make", folder, "--only", ",".join(pages)]
        subprocess.run(command, cwd=tree, check=True)


def _book() -> dict[str, dict[str, str]]:
    book: dict[str, dict[str, str]] = json.loads(BOOK.read_text()) if BOOK.exists() else {}
    return book


def approve(pages: list[str], by: str, why: str) -> None:
    """The pages as the commit that stands draws them."""
    but_the_book = ["--", ".", f":(exclude){BOOK.relative_to(ROOT)}"]
    said = [["git", "status", "--porcelain", "--untracked-files=no", *but_the_book], ["git", "rev-parse", "HEAD"]]
    changed, revision = (subprocess.check_output(one, cwd=ROOT, text=True).strip() for one in said)
    if changed:
        raise NotApproved("a commit is approved, and files here differ from it: commit first")
    signed = {page: {"revision": revision, "by": by, "why": why, "on": date.today().isoformat()} for page in pages}
    BOOK.write_text(json.dumps(_book() | signed, indent=2, sort_keys=True) + "\n")


def compare(pages: list[str], made: Path) -> Iterator[str]:
    """What differs, in words. A picture that does not is taken away again; beside one that does lies the approved."""
    for page in pages:
        folder = approved(page)
        for name, _, _ in names(page):
            new = made / f"{name}.png"
            with Image.open(new) as one, Image.open(folder / f"{name}.png") as other:
                share = difference(one, other)
                if share > ALLOWED:
                    other.save(made / f"{name}-approved.png")
                    yield f"{name}: {share:.2%} of its pixels differ ({other.size} approved, {one.size} now)"
                    continue
            new.unlink()


def main() -> int:
    asked = argparse.ArgumentParser()
    asked.add_argument("--only", default="")
    asked.add_argument("--make", type=Path, help="only write the pictures of this tree into that folder")
    asked.add_argument("--approve", default="", help="names of pages, or all")
    asked.add_argument("--by", default="")
    asked.add_argument("--why", default="")
    asked.add_argument("--data", type=Path, help="where the ward is kept, to be used again")
    options = asked.parse_args()
    begun = time.monotonic()
    chosen = options.approve if options.approve != "all" else ""
    pages = [one for one in (chosen or options.only).split(",") if one] or list(PAGES)
    if options.approve:
        if not (options.by and options.why):
            asked.error("an approval has a name and a reason: --by, --why")
        approve(pages, options.by, options.why)
        return 0
    out = options.make or KEPT / "differing"
    count = make(out, pages, options.data)
    wrong = [] if options.make else list(compare(pages, out))
    print(*wrong, f"{count} pictures, {len(wrong)} differ, {time.monotonic() - begun:.0f} s", sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except NotApproved as error:
        sys.exit(str(error))
