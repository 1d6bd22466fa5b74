"""How heavy and how quick each page of the patient's portal is on a slow phone, with scripts on and nothing kept.

    python -m bench.portal_pages [--rounds 3]

Slow 4G as Lighthouse simulates it: 1.6 Mbit/s down, 750 kbit/s up, 150 ms round trip; a processor four times slower.
Chromium's own figures through its debugging protocol; each page in a fresh context, median of the rounds. Goals (ux.md
5.5, 7): 60 KB, largest contentful paint 1.8 s, layout shift 0.05.
"""

import argparse
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, sync_playwright

from tests.functional.browsing import launch, visit
from tests.functional.test_portal import answer_all
from tests.functional.ward import Ward, open_ward

PHONE = {"width": 390, "height": 844}
SLOW_4G = {"offline": False, "latency": 150, "downloadThroughput": 1.6e6 / 8, "uploadThroughput": 750e3 / 8}
SLOWER_BY = 4
MOST_BYTES, MOST_LCP, MOST_SHIFT = 60 * 1024, 1.8, 0.05
SENT, BEGUN = "extra-sent1", "extra-begun1"
PATHS = {
    "home": "/me/",
    "readings": "/me/readings/",
    "check-in, start": "/me/check-in/extra-new1/",
    "check-in, question": f"/me/check-in/{BEGUN}/q/2/",
    "check-in, care card": f"/me/check-in/{BEGUN}/q/1/care/",
    "check-in, all on one page": "/me/check-in/extra-new2/whole/",
    "check-in, sent": f"/me/check-in/{SENT}/done/",
    "messages": "/me/messages/",
    "devices": "/me/devices/",
    "a maker's watch": "/me/devices/with/example-watch/",
    "people": "/me/people/",
    "consent": "/me/consent/",
    "record": "/me/record/",
    "reminders": "/me/reminders/",
    "settings": "/me/settings/",
    "invite (nobody signed in)": "/invite/",
    "sign in": "/login/",
}
OPEN = ("/invite/", "/login/")
WATCH = """
window.seen = { lcp: 0, shift: 0 }
new PerformanceObserver((list) => { for (const one of list.getEntries()) window.seen.lcp = one.startTime })
  .observe({ type: 'largest-contentful-paint', buffered: true })
new PerformanceObserver((list) => {
  for (const one of list.getEntries()) if (!one.hadRecentInput) window.seen.shift += one.value
}).observe({ type: 'layout-shift', buffered: true })
"""


@dataclass
class Seen:
    """Of one page: seconds to the largest paint, layout shift, bytes over the line (`later`: today's questions, kept
    for bad connections once the page stands), of which scripts."""

    lcp: list[float] = field(default_factory=list)
    shift: float = 0.0
    size: int = 0
    scripts: int = 0
    later: int = 0


def measured(browser: Browser, ward: Ward, path: str, cookies: list[Any], rounds: int) -> Seen:
    found = Seen()
    for _ in range(rounds):
        with browser.new_context(viewport=PHONE, device_scale_factor=2) as context:
            if path not in OPEN:
                context.add_cookies(cookies)
            _look(context, ward.url + path, found)
    return found


def _look(context: BrowserContext, url: str, found: Seen) -> None:
    page = context.new_page()
    page.add_init_script(WATCH)
    wire = context.new_cdp_session(page)
    sizes: dict[str, tuple[str, int]] = {}
    names: dict[str, tuple[str, str]] = {}
    wire.on(
        "Network.responseReceived",
        lambda said: names.__setitem__(said["requestId"], (said["response"]["url"], said["type"])),
    )
    wire.on(
        "Network.loadingFinished", lambda said: sizes.__setitem__(said["requestId"], ("", said["encodedDataLength"]))
    )
    wire.send("Network.enable")
    wire.send("Network.emulateNetworkConditions", SLOW_4G)
    wire.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER_BY})
    answer = page.goto(url, wait_until="networkidle")
    assert answer is not None and answer.ok, f"{url} answered {answer and answer.status}: an error page proves nothing"
    seen = page.evaluate("window.seen")
    found.lcp.append(seen["lcp"] / 1000)
    found.shift = max(found.shift, seen["shift"])
    parts = [(*names.get(key, ("", "")), size) for key, (_none, size) in sizes.items()]
    found.later = int(sum(size for where, _kind, size in parts if where.endswith("/whole/") and where != url))
    found.size = int(sum(size for _where, _kind, size in parts)) - found.later
    found.scripts = int(sum(size for _where, kind, size in parts if kind == "Script"))


def prepared(browser: Browser, ward: Ward) -> list[Any]:
    """Ida's cookies, after she has sent one check-in and begun another with a dangerous answer."""
    with visit(browser, ward, viewport=PHONE) as seen:
        seen.sign_in("ida")
        page = seen.page
        page.goto(f"{ward.url}/me/check-in/{SENT}/")
        answer_all(page)
        page.click("button:has-text('Send')")
        page.goto(f"{ward.url}/me/check-in/{BEGUN}/")
        page.click("button:has-text('Start')")
        page.click("label:has-text('Chest pain')")
        page.click("button:has-text('Continue')")
        page.wait_for_url("**/care/")
        return list(page.context.cookies())


def lines(browser: Browser, ward: Ward, rounds: int) -> Iterator[tuple[str, bool]]:
    """(a row of the table, whether it keeps to the goals)."""
    cookies = prepared(browser, ward)
    for name, path in PATHS.items():
        one = measured(browser, ward, path, cookies, rounds)
        lcp = statistics.median(one.lcp)
        keeps = 0 < lcp <= MOST_LCP and one.size <= MOST_BYTES and one.shift <= MOST_SHIFT
        sizes = " | ".join(f"{part / 1024:.1f} KB" for part in (one.size, one.scripts, one.later))
        figures = f"{f'{lcp:.2f} s' if lcp else 'not told'} | {sizes} | {one.shift:.3f}"
        yield f"| {name} | {figures} | {'yes' if keeps else 'NO'} |", keeps


def main() -> int:
    parser = argparse.ArgumentParser(description="Weight and speed of the portal's pages on a slow phone.")
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, open_ward(Path(folder)) as ward, sync_playwright() as play:
        browser = launch(play)
        print(f"load {os.getloadavg()[0]:.1f}; {asked.rounds} rounds a page, median")
        print("| Page | LCP | Transfer | of it scripts | questions kept later | Shift | Within |\n" + "|---" * 7 + "|")
        kept = True
        for line, keeps in lines(browser, ward, asked.rounds):
            print(line, flush=True)
            kept &= keeps
        print(f"load {os.getloadavg()[0]:.1f}")
        browser.close()
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
