"""Every page of the care team in Debian's Chromium: what it weighs, how soon it is seen, and how soon it answers.

    python -m bench.pages [--looks 3] [--only board,patient] [--patients 200]

Starts the embedded web server on a demo ward of its own, finds the pages in the resolver, and loads each cold (empty
cache) and warm over Chromium's emulated cable (5 Mbit/s down, 1 Mbit/s up, 28 ms round trip; portal pages slow 4G:
1.6 Mbit/s, 150 ms, processor four times slower). `--patients N`: every patient of the ward is copied, with all that a
board and its alerts show, until there are N (a page shows 50). Prints the medians: largest contentful paint, layout
shift, the delay from a click to the next painted frame (as INP counts it), kilobytes over the wire, of which scripts,
requests, and the server's own time; and whether the budget of its kind holds. The web server, Chromium and the worker
share the machine: its load stands beside the figures.
"""

import argparse
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from playwright.sync_api import Browser, sync_playwright  # noqa: E402

from tests.functional.browsing import launch  # noqa: E402
from tests.functional.places import Found, Place, found_in  # noqa: E402
from tests.functional.ward import Ward, environment, serve  # noqa: E402


@dataclass(frozen=True)
class Budget:
    """Kilobytes of scripts and in all (compressed), seconds, milliseconds and shift that a kind of page may cost."""

    scripts_kb: float
    total_kb: float
    lcp_s: float
    inp_ms: float
    server_ms: float
    cls: float = 0.05


@dataclass(frozen=True)
class Line:
    """Emulated network and processor."""

    down_kbit: int
    up_kbit: int
    round_trip_ms: int
    slower: int = 1


CABLE = Line(5_000, 1_000, 28)
SLOW_4G = Line(1_600, 750, 150, 4)
# kind -> budget and line; the first kind whose names hold the page.
PORTAL, LIST, HEAVY = Budget(25, 60, 1.8, 200, 200), Budget(45, 120, 1.2, 150, 300), Budget(435, 600, 1.5, 200, 500)
HEAVY_PAGES = {"patient", "what_if", "model", "model_card", "models", "model_version", "quality", "cohort"}
WATCH = """
window.seen = { lcp: 0, cls: 0, inp: 0 };
new PerformanceObserver((list) => { for (const one of list.getEntries()) seen.lcp = one.startTime; })
  .observe({ type: 'largest-contentful-paint', buffered: true });
new PerformanceObserver((list) => {
  for (const one of list.getEntries()) if (!one.hadRecentInput) seen.cls += one.value;
}).observe({ type: 'layout-shift', buffered: true });
new PerformanceObserver((list) => { for (const one of list.getEntries()) seen.inp = Math.max(seen.inp, one.duration); })
  .observe({ type: 'event', durationThreshold: 16, buffered: true });
"""
# Tables that a board and a patient's page show, parents first, and what their rows hang on.
SHOWN = ("recovery_patient", "recovery_episode", "recovery_snapshot", "recovery_alert")
PARENTS = ("id", "patient_id", "episode_id")
STEP = 1_000_000  # ids of copy n are those of the original + n * STEP
# What a click may be without leaving the page.
CLICKABLE = "main summary:visible, main input:visible, main select:visible, h1:visible"


@dataclass(frozen=True)
class Look:
    lcp_ms: float
    cls: float
    inp_ms: float
    kb: float
    scripts_kb: float
    requests: int
    server_ms: float


def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("--looks", type=int, default=3)
    asked.add_argument("--only", default="")
    asked.add_argument("--patients", type=int, default=0, help="at least so many on the board")
    asked.add_argument("--data", type=Path, help="a data directory that is filled already (nothing in it is kept safe)")
    options = asked.parse_args()
    only = set(filter(None, options.only.split(",")))
    with tempfile.TemporaryDirectory(prefix="twinweb-bench-") as directory:
        data = options.data or Path(directory)
        for command in (["migrate", "--verbosity", "0"], ["seed_demo"]):
            _run(command, data)
        if options.patients:
            print(f"{enlarge(data / 'twinweb.sqlite3', options.patients)} patients with an operation")
        found = found_in(environment(data), ROOT)
        with serve(data) as ward, sync_playwright() as play:
            browser = launch(play)
            _measure(browser, ward, found, options.looks, only)
            browser.close()


def enlarge(database: Path, patients: int) -> int:
    """Copies of every patient until there are `patients`; returns how many there are. Done once, on a ward of ours."""
    with closing(sqlite3.connect(database)) as store, store:
        held = store.execute("SELECT count(*) FROM recovery_episode").fetchone()[0]
        for number in range(1, -(-patients // held)):
            for table in SHOWN:
                _copy(store, table, number)
        return int(store.execute("SELECT count(*) FROM recovery_episode").fetchone()[0])


def _copy(store: sqlite3.Connection, table: str, number: int) -> None:
    """Of the rows that were there first. What no two rows may share is made different; a copy does not sign in."""
    told = store.execute(f"PRAGMA table_info({table})").fetchall()
    columns = {name: _copied(name, kind, number) for _, name, kind, *_ in told}
    names, values = ", ".join(columns), ", ".join(columns.values())
    store.execute(f"INSERT INTO {table} ({names}) SELECT {values} FROM {table} WHERE id < {STEP}")


def _copied(name: str, kind: str, number: int) -> str:
    if name in PARENTS:
        return f"{name} + {number * STEP}"
    if name == "user_id":
        return "NULL"
    if name in ("fhir_id", "record_number"):
        return f"{name} || '-{number}'"
    if name in ("key", "client_id") and "char(32)" in kind.lower():
        return "lower(hex(randomblob(16)))"
    return name


def _run(command: list[str], data: Path) -> None:
    subprocess.run(
        [sys.executable, "manage.py", *command], cwd=ROOT, env=environment(data), check=True, stdout=sys.stderr
    )


def _measure(browser: Browser, ward: Ward, found: Found, looks: int, only: set[str]) -> None:
    print(f"load {os.getloadavg()[0]:.1f}, {os.cpu_count()} processors")
    print(
        "| Page | LCP cold / warm s | Shift | Click ms | kB cold / warm | Scripts kB | Requests | Server ms | Missed |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    missed = 0
    for place in found.places:
        if only and place.name not in only:
            continue
        cold = [_look(browser, ward, found, place, warm=False) for _ in range(looks)]
        warm = [_look(browser, ward, found, place, warm=True) for _ in range(looks)]
        line = _line(place, _median(cold), _median(warm))
        missed += not line.endswith("| none |")
        print(line, flush=True)
    print(f"{missed} pages miss a budget; load {os.getloadavg()[0]:.1f}")


def _kind(name: str) -> tuple[Budget, Line]:
    if name == "me" or name.startswith(("me_", "check_in", "invite")):
        return PORTAL, SLOW_4G
    return (HEAVY if name in HEAVY_PAGES else LIST), CABLE


def _look(browser: Browser, ward: Ward, found: Found, place: Place, *, warm: bool) -> Look:
    """One load in a context of its own; warm: the second load of the same page."""
    with browser.new_context(viewport={"width": 1440, "height": 900}, service_workers="block") as context:
        if place.who in found.sessions:
            context.add_cookies([{**found.sessions[place.who], "url": ward.url}])
        context.add_init_script(WATCH)
        page = context.new_page()
        devtools = context.new_cdp_session(page)
        devtools.send("Network.enable")
        _throttle(devtools, _kind(place.name)[1])
        if warm:
            page.goto(ward.url + place.path, wait_until="load")
        kinds: dict[str, str] = {}
        sizes: dict[str, float] = {}
        devtools.on("Network.responseReceived", lambda said: kinds.__setitem__(said["requestId"], said["type"]))
        devtools.on(
            "Network.loadingFinished", lambda said: sizes.__setitem__(said["requestId"], said["encodedDataLength"])
        )
        answer = page.goto(ward.url + place.path, wait_until="load")
        assert answer is not None and answer.ok, f"{place.name} answered {answer and answer.status}"
        page.wait_for_timeout(400)
        target = page.locator(CLICKABLE).first
        if target.count():
            target.click(no_wait_after=True, timeout=3000)
            page.wait_for_timeout(250)
        seen: dict[str, float] = page.evaluate("window.seen")
        timing = "performance.getEntriesByType('navigation')[0]"
        server = page.evaluate(f"{timing}.responseStart - {timing}.requestStart") - _kind(place.name)[1].round_trip_ms
        scripts = sum(size for key, size in sizes.items() if kinds.get(key) == "Script")
        total = sum(size for key, size in sizes.items() if kinds.get(key) != "EventSource")
        return Look(seen["lcp"], seen["cls"], seen["inp"], total / 1000, scripts / 1000, len(sizes), max(server, 0.0))


def _throttle(devtools: Any, line: Line) -> None:
    devtools.send(
        "Network.emulateNetworkConditions",
        {
            "offline": False,
            "latency": line.round_trip_ms,
            "downloadThroughput": line.down_kbit * 125,
            "uploadThroughput": line.up_kbit * 125,
        },
    )
    devtools.send("Emulation.setCPUThrottlingRate", {"rate": line.slower})


def _median(looks: list[Look]) -> Look:
    names = Look.__dataclass_fields__
    return Look(**{name: statistics.median(getattr(one, name) for one in looks) for name in names})


def _line(place: Place, cold: Look, warm: Look) -> str:
    missed = ", ".join(_missed(_kind(place.name)[0], cold)) or "none"
    weight = f"{cold.kb:.0f} / {warm.kb:.0f} | {cold.scripts_kb:.0f} | {cold.requests:.0f}"
    return (
        f"| {place.name} | {cold.lcp_ms / 1000:.2f} / {warm.lcp_ms / 1000:.2f} | {cold.cls:.3f} | {cold.inp_ms:.0f}"
        f" | {weight} | {warm.server_ms:.0f} | {missed} |"
    )


def _missed(budget: Budget, look: Look) -> Iterator[str]:
    limits = (
        ("scripts", look.scripts_kb, budget.scripts_kb),
        ("total", look.kb, budget.total_kb),
        ("LCP", look.lcp_ms / 1000, budget.lcp_s),
        ("shift", look.cls, budget.cls),
        ("click", look.inp_ms, budget.inp_ms),
        ("server", look.server_ms, budget.server_ms),
    )
    for name, value, most in limits:
        if value > most:
            yield f"{name} over {most:g}"


if __name__ == "__main__":
    main()
