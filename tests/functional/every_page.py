"""`python -m tests.functional.every_page [DATA]`: every page that the resolver leads to, for whom it is.

Each is held against axe in both schemes, is not wider than a narrow phone, and says no "None". A command: it takes
minutes, and nobody has to keep a list. DATA is the directory of a filled embedded product, which may be changed: things
that pages need to show are made in it. Without it a small synthetic ward is made. Exits with 1 when something is wrong.
"""

import re
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

from tests.functional.browsing import launch, visit
from tests.functional.places import NOT_HERE, PEOPLE, found_in
from tests.functional.ward import ROOT, environment, open_ward, serve

PHONE, DESK = {"width": 390, "height": 844}, {"width": 1440, "height": 900}
# What may change with the scheme and the width; the rest is the same in the dark on a phone.
OF_THE_LOOKS = {"runOnly": {"type": "rule", "values": ["color-contrast", "target-size", "scrollable-region-focusable"]}}
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
OPEN_ALL = "document.querySelectorAll('details').forEach((one) => { one.open = true })"


def faults(seen, path: str) -> list[str]:
    """What is wrong with the page, in words."""
    page = seen.page
    page.set_viewport_size(DESK)
    page.emulate_media(color_scheme="light")
    page.goto(seen.ward.url + path)
    page.evaluate(OPEN_ALL)
    said = re.findall(r"\b(?:None(?! of)|NaN|undefined)\b", page.inner_text("body"))
    found = [f"says {one}" for one in said] + broken(page, None)
    page.set_viewport_size(PHONE)
    page.emulate_media(color_scheme="dark")
    found += broken(page, OF_THE_LOOKS)
    page.set_viewport_size({"width": 320, "height": 700})
    sideways = page.evaluate(SIDEWAYS)
    found += [f"{sideways} px wider than a narrow phone"] if sideways else []
    found += seen.complaints
    seen.complaints.clear()
    return found


def broken(page, options) -> list[str]:
    answer = Axe().run(page, options=options) if options else Axe().run(page)
    return [f"{one['id']}: {one['nodes'][0]['html'][:160]}" for one in answer.response["violations"]]


def main(data: Path | None) -> int:
    """How many faults were found; each is printed."""
    wrong = 0
    with ExitStack() as held:
        if data is None:
            data = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="twinweb-pages-")))
            ward = held.enter_context(open_ward(data))
        else:
            ward = held.enter_context(serve(data))
        found = found_in(environment(data), ROOT)
        for name, answers in found.unknown.items():
            if name not in NOT_HERE:
                wrong += 1
                print(f"{name}: shows nobody a page ({answers}), and places.NOT_HERE does not say why")
        browser = launch(held.enter_context(sync_playwright()))
        for who in PEOPLE:
            with visit(browser, ward, viewport=DESK) as seen:
                if who in found.sessions:
                    seen.page.context.add_cookies([{**found.sessions[who], "url": ward.url}])
                for place in (one for one in found.places if one.who == who):
                    for words in faults(seen, place.path):
                        wrong += 1
                        print(f"{place.name}: {words}", flush=True)
        print(f"{len(found.places)} pages, {wrong} faults")
    return wrong


if __name__ == "__main__":
    sys.exit(1 if main(Path(sys.argv[1]) if len(sys.argv) > 1 else None) else 0)
