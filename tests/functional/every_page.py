"""`python -m tests.functional.every_page`: every page, and every state of one.

Pages are those that the resolver leads to, states those of `states`. Each is held against axe in both schemes, at 1440,
390 and 320 px, does not scroll sideways at any of them, and says no "None". A command: it takes minutes, and nobody has
to keep a list. `--done FILE`: what was found without a fault is written there and not looked at again by the next run.
`--data DIR`: the products are kept there and used again, which saves minutes. `--only NAME,...`; `--workers N`. Exits
with 1 when something is wrong.
"""

import argparse
import json
import multiprocessing
import re
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Error, Page, sync_playwright

from tests.functional.browsing import Seen, launch
from tests.functional.places import NOT_HERE
from tests.functional.states import Look, Opened, arrive, looking, products

HEIGHTS = {1440: 900, 390: 844, 320: 700}
# What may change with the scheme and the width; the rest is the same in the dark and at 390 px.
OF_THE_LOOKS = {"type": "rule", "values": ["color-contrast", "target-size", "scrollable-region-focusable"]}
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
OPEN_ALL = "document.querySelectorAll('details').forEach((one) => { one.open = true })"
RUN = "(only) => axe.run({ resultTypes: ['violations'], preload: false, ...(only && { runOnly: only }) })"
LOOKS_AT_ONCE = 4
WHOLE = (("light", 1440), ("light", 320))  # with all rules
OF_A_STATE = (("dark", 390),)  # the page itself is held against the rest of the looks in its ordinary state
# The browser's own lines about what a state is: refused, away, gone.
EXPECTED = re.compile(r"Failed to load resource|ERR_INTERNET_DISCONNECTED|ERR_FAILED|EventSource")


@dataclass(frozen=True)
class Answer:
    name: str
    faults: tuple[str, ...]


def faults(seen: Seen, look: Look) -> Iterator[str]:
    """What is wrong with the page, in words."""
    page = seen.page
    arrive(seen, look)
    if look.act != "session_ending":
        page.evaluate(OPEN_ALL)
    said = re.findall(r"\b(?:None(?! of)|NaN|undefined)\b", page.inner_text("body"))
    yield from (f"says {one}" for one in said)
    page.evaluate(AXE_SCRIPT)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for width, height in HEIGHTS.items():
            page.set_viewport_size({"width": width, "height": height})
            whole = (scheme, width) in WHOLE
            if whole or not look.is_a_state or (scheme, width) in OF_A_STATE:
                yield from (f"{scheme}, {width} px: {one}" for one in _broken(page, whole))
            sideways = page.evaluate(SIDEWAYS) if scheme == "light" else 0
            if sideways:
                yield f"{width} px: {sideways} px wider than the window"
    yield from (one for one in seen.complaints if not (look.is_a_state and EXPECTED.search(one)))


def _broken(page: Page, whole: bool) -> list[str]:
    answer = page.evaluate(RUN, None if whole else OF_THE_LOOKS)
    return [f"{one['id']}: {one['nodes'][0]['html'][:160]}" for one in answer["violations"]]


def look_at(asked: tuple[list[Look], dict[str, Opened]]) -> list[Answer]:
    """In a process and a browser of its own."""
    looks, opened = asked
    with sync_playwright() as play:
        browser = launch(play)
        found = [_answer(browser, opened[look.product], look) for look in looks]
        browser.close()
    return found


def _answer(browser, opened: Opened, look: Look) -> Answer:
    with looking(browser, opened, look, viewport={"width": 1440, "height": 900}) as seen:
        try:
            return Answer(look.name, tuple(dict.fromkeys(faults(seen, look))))
        except Error as error:
            return Answer(look.name, (f"could not be looked at: {str(error).splitlines()[0]}",))


def _parts(looks: Iterable[Look]) -> Iterator[list[Look]]:
    numbered = enumerate(looks)
    for _, part in groupby(numbered, lambda one: one[0] // LOOKS_AT_ONCE):
        yield [look for _, look in part]


def main() -> int:
    """How many faults were found; each is printed."""
    asked = argparse.ArgumentParser()
    asked.add_argument("--workers", type=int, default=2)
    asked.add_argument("--done", type=Path)
    asked.add_argument("--only", default="")
    asked.add_argument("--data", type=Path)
    options = asked.parse_args()
    done = set(json.loads(options.done.read_text())) if options.done and options.done.exists() else set()
    only = set(filter(None, options.only.split(",")))
    begun = time.monotonic()
    wrong = 0
    with tempfile.TemporaryDirectory(prefix="twinweb-pages-") as folder, products(options.data or Path(folder)) as made:
        for name, answers in made.unknown.items():
            if name not in NOT_HERE:
                wrong += 1
                print(f"{name}: shows nobody a page ({answers}), and places.NOT_HERE does not say why")
        looks = [one for one in made.looks if one.name not in done and (not only or one.name in only)]
        print(f"{len(looks)} looks, products ready after {time.monotonic() - begun:.0f} s", flush=True)
        with multiprocessing.get_context("spawn").Pool(options.workers) as pool:
            for answers_of_part in pool.imap_unordered(look_at, [(part, made.opened) for part in _parts(looks)]):
                for one in answers_of_part:
                    wrong += len(one.faults)
                    print(*(f"{one.name}: {words}" for words in one.faults), sep="\n", end="\n" if one.faults else "")
                done |= {one.name for one in answers_of_part if not one.faults}
                sys.stdout.flush()
                if options.done:
                    options.done.write_text(json.dumps(sorted(done)))
        print(f"{len(looks)} pages and states, {wrong} faults, {time.monotonic() - begun:.0f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
