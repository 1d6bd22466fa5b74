"""Every page in its states (ux.md 6): which there are, the products that show them, and how a browser gets there.

A product of its own for each kind: an ordinary `ward`, a `strange` and a `new` one (`stories`), one that is `broken` (a
table is missing) and one whose database is `away`. Pages of the ordinary one are found in the resolver (`places`).
"""

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Locator, Page

from tests import template_database
from tests.functional.browsing import Seen, visit
from tests.functional.places import found_in
from tests.functional.ward import ROOT, Ward, environment, serve

LANGUAGES = ("ar", "de")
NOBODY_IS_IDLE = {"IDLE_MINUTES_STAFF": "600", "IDLE_MINUTES_PATIENTS": "600"}  # looks take longer than a person may


@dataclass(frozen=True)
class Look:
    """A page in a state: which product, who looks, the path, what is done there first, and the language asked for."""

    name: str
    product: str
    who: str
    path: str
    act: str = ""
    locale: str = "en"

    @property
    def is_a_state(self) -> bool:
        return self.name.startswith("state_") or self.locale != "en"


@dataclass(frozen=True)
class Opened:
    """A product that is being served, and the cookies of its people. Plain values: other processes use it too."""

    url: str
    sessions: dict[str, dict[str, Any]]


@dataclass
class Products:
    opened: dict[str, Opened] = field(default_factory=dict)
    looks: list[Look] = field(default_factory=list)
    unknown: dict[str, list[int]] = field(default_factory=dict)


# What an ordinary ward shows beside its pages as they come: name -> who, path, act.
ORDINARY = {
    "no_such_page": ("clinician", "/nowhere/", ""),
    "forbidden": ("clinician", "/models/", ""),
    "no_access": ("administrator", "/patients/", ""),
    "signed_out": ("nobody", "/patients/", ""),
    "filtered_empty_board": ("clinician", "/patients/?procedure=cardiac", ""),
    "filtered_empty_alerts": ("clinician", "/alerts/?view=snoozed", ""),
    "empty_quality": ("clinician", "/quality/?metric=contact_force", ""),
    "offline_board": ("clinician", "/patients/", "offline"),
    "offline_alerts": ("clinician", "/alerts/", "offline"),
    "offline_portal": ("patient", "/me/", "offline"),
    "alert_open": ("clinician", "/alerts/", "open_alert"),
    "alert_loading": ("clinician", "/alerts/", "loading_alert"),
    "session_ending": ("clinician", "/patients/", "session_ending"),
    "refused_enrol": ("clinician", "/enrol/", "send_blank"),
    "refused_password": ("clinician", "/account/password/", "send_blank"),
    "refused_pathway": ("administrator", "/pathways/new/", "send_blank"),
    "refused_connection": ("administrator", "/connections/new/", "send_blank"),
    "refused_invite": ("nobody", "/invite/", "send_blank"),
    "refused_login": ("nobody", "/login/", "send_first_blank"),
}
OF_A_PATIENT = ("", "readings/heart_rate/", "what-if/", "compare/", "plan/", "answers/", "send/", "portal/")


def _ordinary(data: Path, opened: Opened, products: Products) -> None:
    found = found_in(environment(data), ROOT)
    opened.sessions.update(found.sessions)
    products.unknown = found.unknown
    products.looks += [Look(one.name, "ward", one.who, one.path) for one in found.places]
    products.looks += [Look(f"state_{name}", "ward", who, path, act) for name, (who, path, act) in ORDINARY.items()]
    chart = next((one.path for one in found.places if one.name == "patient"), "/patients/")
    products.looks += [
        Look("state_chart_open", "ward", "clinician", chart, "open_chart"),
        Look("state_chart_loading", "ward", "clinician", chart, "loading_chart"),
        Look("state_chart_failed", "ward", "clinician", chart, "failing_chart"),
        Look("state_offline_patient", "ward", "clinician", chart, "offline"),
    ]
    for language in LANGUAGES:
        mine = [one for one in found.places if one.path.startswith(("/me/", "/invite/"))]
        products.looks += [Look(f"{one.name}_{language}", "ward", one.who, one.path, locale=language) for one in mine]
    plain = [one for one in found.places if not re.search(r"\d", one.path) and one.path != "/pathways/knee/"]
    staff = [one for one in plain if one.who in ("clinician", "lead", "administrator") and "/edit" not in one.path]
    products.looks += [Look(f"state_new_{one.name}", "new", one.who, one.path) for one in staff]


def _strange(episodes: dict[str, str]) -> Iterator[Look]:
    for path, name in {
        "/patients/": "board",
        "/alerts/": "alerts",
        "/quality/": "quality",
        "/hand-over/": "handover",
    }.items():
        yield Look(f"state_strange_{name}", "strange", "clinician", path)
    for story, key in episodes.items():
        wanted = OF_A_PATIENT if story == "long" else OF_A_PATIENT[:2] if story != "child" else OF_A_PATIENT[:3]
        for part in wanted:
            word = part.strip("/").split("/")[0].replace("-", "_")
            yield Look(f"state_{story}_{word}".rstrip("_"), "strange", "clinician", f"/patients/{key}/{part}")
    for path in ("", "readings/", "messages/", "record/"):
        name = path.strip("/") or "home"
        yield Look(f"state_portal_new_{name}", "strange", "nothing", f"/me/{path}")
        yield Look(f"state_portal_from_right_{name}", "strange", "from_right", f"/me/{path}", locale="ar")


@contextmanager
def products(folder: Path) -> Iterator[Products]:
    """All of them, served until the block ends. Filled in `folder`, or found there as an earlier call left them."""
    os.environ.update(NOBODY_IS_IDLE)
    made = Products()
    with ExitStack() as held:
        kept = folder / "told.json"
        if not kept.exists():
            kept.write_text(json.dumps(_filled(folder)))
        told = json.loads(kept.read_text())
        for name in ("broken", "away"):
            shutil.rmtree(folder / name, ignore_errors=True)
            shutil.copytree(folder / "new", folder / name)
            told[name] = told["new"]
        for name in ("ward", "strange", "new", "broken", "away"):
            serving = held.enter_context(serve(folder / name))
            made.opened[name] = Opened(serving.url, told[name].get("sessions", {}))
        _ordinary(folder / "ward", made.opened["ward"], made)
        made.looks += _strange(told["strange"]["episodes"])
        _break(folder)
        made.looks += [Look("state_fault", "broken", "clinician", "/alerts/")]
        made.looks += [Look("state_database_away", "away", "clinician", "/patients/")]
        yield made


def _filled(folder: Path) -> dict[str, dict[str, Any]]:
    """The products that are filled, at the same time, and what each said."""
    commands = {"ward": ["tests.functional.ward"]}
    commands |= {name: ["tests.functional.stories", name] for name in ("strange", "new")}
    running = {}
    for name, command in commands.items():
        data = folder / name
        data.mkdir(mode=0o700, parents=True)
        template_database.begin(data)
        with (folder / f"{name}.log").open("w") as log:
            running[name] = subprocess.Popen(
                [sys.executable, "-m", *command], cwd=ROOT, env=environment(data), stdout=log, stderr=log
            )
    for name, one in running.items():
        assert one.wait() == 0, (folder / f"{name}.log").read_text()[-3000:]
    told = {name: _last_json(folder / f"{name}.log") for name in ("strange", "new")}
    return {"ward": {}, **told}


def _last_json(log: Path) -> dict[str, Any]:
    lines = [line for line in log.read_text().splitlines() if line.startswith('{"episodes"')]
    told: dict[str, Any] = json.loads(lines[-1])
    return told


def _break(folder: Path) -> None:
    with sqlite3.connect(folder / "broken" / "twinweb.sqlite3") as database:
        database.execute("ALTER TABLE recovery_alert RENAME TO recovery_alert_gone")
    for part in (folder / "away").glob("twinweb.sqlite3*"):
        part.unlink()
    (folder / "away" / "twinweb.sqlite3").mkdir()


# What is done on a page before it is looked at.


def _offline(page: Page) -> None:
    page.context.set_offline(True)
    page.wait_for_timeout(200)


def _open_alert(page: Page) -> None:
    page.locator("[data-open]").first.click()
    page.wait_for_selector("#detail[data-for]")


def _loading_alert(page: Page) -> None:
    page.route(re.compile(r"/alerts/.+"), lambda route: None)  # never answered
    page.locator("[data-open]").first.click()
    page.wait_for_timeout(600)


def _explore(page: Page) -> None:
    page.locator("[data-explore]").first.click()


def _open_chart(page: Page) -> None:
    _explore(page)
    page.wait_for_selector(".explore .main-svg", timeout=60_000)


def _loading_chart(page: Page) -> None:
    page.route("**/figures/**", lambda route: None)
    _explore(page)
    page.wait_for_timeout(600)


def _failing_chart(page: Page) -> None:
    page.route("**/figures/**", lambda route: route.abort())
    _explore(page)
    page.wait_for_timeout(600)


def _session_ending(page: Page) -> None:
    page.route("**/session/", lambda route: route.fulfill(json={"signed_in": True, "seconds": 90}))
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_selector("dialog[open]")


def _send_blank(page: Page) -> None:
    _hand_in(page, page.locator("main form[method=post]").last)


def _send_first_blank(page: Page) -> None:
    _hand_in(page, page.locator("main form[method=post]").first)


def _hand_in(page: Page, form: Locator) -> None:
    """A form as it stands, past what the browser itself would ask for."""
    form.evaluate("(one) => { one.noValidate = true; one.requestSubmit() }")
    page.wait_for_load_state("networkidle" if page.locator("[data-live]").count() == 0 else "load")


ACTS: dict[str, Callable[[Page], None]] = {
    "offline": _offline,
    "open_alert": _open_alert,
    "loading_alert": _loading_alert,
    "open_chart": _open_chart,
    "loading_chart": _loading_chart,
    "failing_chart": _failing_chart,
    "session_ending": _session_ending,
    "send_blank": _send_blank,
    "send_first_blank": _send_first_blank,
}


@contextmanager
def looking(browser: Browser, opened: Opened, look: Look, **context: Any) -> Iterator[Seen]:
    """A browser context of who looks; the page is not opened yet."""
    with visit(browser, Ward(opened.url, Path()), locale=look.locale, **context) as seen:
        if look.who in opened.sessions:
            seen.page.context.add_cookies([{**opened.sessions[look.who], "url": opened.url}])
        yield seen


def arrive(seen: Seen, look: Look) -> None:
    """On the page, in its state."""
    seen.page.goto(seen.ward.url + look.path)
    if look.act:
        ACTS[look.act](seen.page)
