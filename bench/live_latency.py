"""From a reading acknowledged to a page that shows it, on the embedded product under a live feed.

    python -m bench.live_latency [--rate 22.5] [--seconds 60]

Starts the real product (`manage.py up`) on the whole demo ward in a directory of its own and sends readings over HTTP
as the simulator does. A clinician's page is played by a signed-in session that holds the event stream open, and asks
for the patient's board row at each event, as `static/js/board.js` does. A reading counts as shown when a row has come
back that was asked for after a snapshot reaching up to that reading could be seen. Prints the quantiles of that time.
"""

import argparse
import http.cookiejar
import json
import os
import sqlite3
import statistics
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "twinweb.settings")
os.environ.setdefault("TWINWEB_DATA", tempfile.mkdtemp(prefix="twinweb-bench-"))

import django

django.setup()

from integrations.simulator.accounts import LOGINS_FILE  # noqa: E402
from tests.faults.senders import Feed, RecordingClient, reading_of  # noqa: E402
from tests.faults.stack import ROLES, Stack, prepared  # noqa: E402

TICKS = os.sysconf("SC_CLK_TCK")
SETTLE = 10.0  # s at the start that are not counted: caches fill, the worker takes up what the seeding owed
GRACE = 30.0  # s at the end in which what is still on its way may arrive
WARD = """SELECT e.key, e.id, p.fhir_id FROM recovery_episode e JOIN recovery_patient p ON p.id = e.patient_id
          JOIN recovery_team t ON t.id = e.team_id WHERE t.key = 'ward-b'"""
UNTIL = "SELECT data_until FROM recovery_snapshot WHERE episode_id = ? AND current"


class Waiting:
    """Readings that are acknowledged and not yet shown, by patient; and how long the shown ones took."""

    def __init__(self) -> None:
        self._pending: dict[str, list[tuple[int, float]]] = defaultdict(list)
        self._lock = threading.Lock()
        self.took: list[float] = []
        self.acknowledged = 0
        self.counting = False
        self.visible: set[str] = set()

    def acknowledge(self, body: bytes) -> None:
        at = time.monotonic()
        with self._lock:
            for entry in json.loads(body)["entry"]:
                patient, _, ms, _ = reading_of(entry["resource"])
                if self.counting:
                    self.acknowledged += 1
                    if patient in self.visible:
                        self._pending[patient].append((ms, at))

    def shown(self, patient: str, until_ms: float) -> None:
        at = time.monotonic()
        with self._lock:
            self.took += [at - since for ms, since in self._pending[patient] if ms <= until_ms]
            self._pending[patient] = [one for one in self._pending[patient] if one[0] > until_ms]

    def left(self) -> dict[str, int]:
        """Readings not shown yet, by patient."""
        with self._lock:
            return {patient: len(found) for patient, found in self._pending.items() if found}


class Page:
    """A clinician's open board."""

    def __init__(self, stack: Stack, waiting: Waiting) -> None:
        self._base = f"http://127.0.0.1:{stack.port}"
        self._store = f"file:{stack.data / 'twinweb.sqlite3'}?mode=ro"
        self._waiting = waiting
        self._web = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
        self._sign_in(stack.data)
        with sqlite3.connect(self._store, uri=True) as store:
            rows = store.execute(WARD).fetchall()
        self._episodes = {_uuid(key): (episode, patient) for key, episode, patient in rows}
        waiting.visible = {patient for _, patient in self._episodes.values()}
        self._rows = ThreadPoolExecutor(6)  # a browser's connections to one server
        self._stream = self._web.open(f"{self._base}/live/?after=0", timeout=30)
        threading.Thread(target=self._follow, daemon=True).start()

    def _sign_in(self, data: Path) -> None:
        _, name, password, *_ = next(
            line.split() for line in (data / LOGINS_FILE).read_text().splitlines() if line.split()[1] == "nurse"
        )
        form = self._web.open(f"{self._base}/login/").read().decode()
        token = form.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
        said = {"csrfmiddlewaretoken": token, "username": name, "password": password}
        answer = self._web.open(f"{self._base}/login/", urllib.parse.urlencode(said).encode())
        assert "/login" not in answer.geturl(), "signing in failed"

    def _follow(self) -> None:
        for key in self._changes():
            if key in self._episodes:
                self._rows.submit(self._renew, key)

    def _changes(self) -> Iterator[str]:
        for line in self._stream:
            if line.startswith(b"data:"):
                yield json.loads(line[5:])["episode"]

    def _renew(self, key: str) -> None:
        episode, patient = self._episodes[key]
        store = sqlite3.connect(self._store, uri=True, timeout=10)
        (until,) = store.execute(UNTIL, [episode]).fetchone()
        store.close()
        self._web.open(f"{self._base}/patients/{key}/row/", timeout=30).read()
        self._waiting.shown(patient, datetime.fromisoformat(f"{until}+00:00").timestamp() * 1000 + 1)


def _uuid(text: str) -> str:
    return text if "-" in text else "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=22.5, help="at most; unworn watches send nothing, so 20 are left")
    parser.add_argument("--seconds", type=float, default=60.0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="twinweb-bench-") as directory:
        with prepared(Path(directory), ("seed_demo",)) as stack:
            measure(stack, asked.rate, asked.seconds)


def measure(stack: Stack, rate: float, seconds: float) -> None:
    waiting = Waiting()
    Page(stack, waiting)
    post = RecordingClient.post

    def recorded(client: RecordingClient, body: bytes) -> bool:
        done = post(client, body)
        waiting.acknowledge(body)
        return done

    RecordingClient.post = recorded  # type: ignore[method-assign]
    with Feed(stack, rate):
        time.sleep(SETTLE)
        waiting.counting, before = True, {role: busy(stack, role) for role in ROLES}
        time.sleep(seconds)
        waiting.counting, after = False, {role: busy(stack, role) for role in ROLES}
    deadline = time.monotonic() + GRACE
    while waiting.left() and time.monotonic() < deadline:
        time.sleep(0.2)
    tell(waiting, seconds)
    print("; ".join(f"{role} used {(after[role] - before[role]) / seconds:.0%} of a core" for role in ROLES))


def busy(stack: Stack, role: str) -> float:
    """Processor seconds that the live processes of a role have used."""
    fields = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in stack.pids(role)]
    return sum(int(user) + int(system) for *_, user, system in (one[:13] for one in fields)) / TICKS


def tell(waiting: Waiting, seconds: float) -> None:
    took = sorted(waiting.took)
    at = statistics.quantiles(took, n=100)
    print(f"{waiting.acknowledged / seconds:.1f} readings a second for {seconds:.0f} s, load {os.getloadavg()[0]:.1f}")
    print(
        f"acknowledged to shown: median {at[49]:.2f} s, p95 {at[94]:.2f} s, p99 {at[98]:.2f} s, most {took[-1]:.2f} s"
    )
    hidden = waiting.acknowledged - len(took) - sum(waiting.left().values())
    print(f"{len(took)} shown, {hidden} of another ward, not shown after {GRACE:.0f} s: {waiting.left() or 'none'}")


if __name__ == "__main__":
    main()
