"""How long from a rule that is met to the alert in the open inbox, and how long one click on "I have it" takes.

    python -m bench.alerts [--alerts 40]

Fills a synthetic ward and starts the real web server on it (embedded: SQLite). A clinician's page is played by a
signed-in session that holds the event stream open and asks for the inbox at each event. A rule fires in another
process, as in the worker: the clock starts when the transaction that raised the alert has been committed.
"""

import argparse
import http.cookiejar
import os
import re
import statistics
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from pathlib import Path

from tests.functional.ward import PASSWORD, open_ward

RAISE = """
import sys, time
from django.db import transaction
from django.utils import timezone
from recovery.models import Alert, Episode
from recovery.services import alerting
from recovery.twin.alerts import AlertCandidate
episodes = list(Episode.objects.filter(surgery_end__isnull=False).select_related("pathway", "team"))
for number in range({count}):
    cause = f"bench-{{number}}"
    one = AlertCandidate(cause, "physiological", "high", "raised", "Bench", (), (), 1.0, 1.0, 1.0, "bench")
    episode = episodes[number % len(episodes)]
    with transaction.atomic():
        alerting.apply_candidates(episode=episode, candidates=[one], now=timezone.now())
    at = time.time()
    with open({log!r}, "a") as log:
        log.write(f"{{Alert.objects.get(episode=episode, cause=cause).key}} {{at}}\\n")
    time.sleep({pause})
"""


class Page:
    """A clinician's open inbox."""

    def __init__(self, base: str) -> None:
        self._base = base
        jar = http.cookiejar.CookieJar()
        self._web = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
        form = self._web.open(f"{base}/login/").read().decode()
        said = {"csrfmiddlewaretoken": _token(form), "username": "nurse", "password": PASSWORD}
        self._web.open(f"{base}/login/", urllib.parse.urlencode(said).encode())
        self.first_seen: dict[str, float] = {}
        self._look()
        self._stream = self._web.open(f"{base}/live/", timeout=60)
        self._changed = threading.Event()
        for job in (self._follow, self._renew):
            threading.Thread(target=job, daemon=True).start()

    def _follow(self) -> None:
        for line in self._stream:
            if line.startswith(b"event: alert"):
                self._changed.set()

    def _renew(self) -> None:
        while True:
            self._changed.wait()
            self._changed.clear()
            self._look()

    def _look(self) -> str:
        body = self._web.open(f"{self._base}/alerts/").read().decode()
        at = time.time()
        for key in re.findall(r'id="alert-([0-9a-f-]{36})"', body):
            self.first_seen.setdefault(key, at)
        return body

    def take(self, key: str, token: str) -> float:
        """Seconds of one click on "I have it", as static/js/inbox.js sends it."""
        said = urllib.parse.urlencode({"csrfmiddlewaretoken": token, "version": 1}).encode()
        url = f"{self._base}/alerts/{key}/acknowledge/"
        begin = time.monotonic()
        asked = urllib.request.Request(url, said, {"X-Requested-With": "fetch", "Referer": self._base})
        with self._web.open(asked) as answer:
            assert answer.status == 200 and b'id="detail"' in answer.read()
        return time.monotonic() - begin

    def token(self) -> str:
        return _token(self._look())


def _token(body: str) -> str:
    return body.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]


def _say(name: str, seconds: list[float]) -> None:
    cuts = statistics.quantiles(seconds, n=20)
    print(
        f"{name}: n {len(seconds)}, median {1000 * statistics.median(seconds):.0f} ms, p95 {1000 * cuts[18]:.0f} ms,"
        f" most {1000 * max(seconds):.0f} ms"
    )


def measure(count: int) -> None:
    with tempfile.TemporaryDirectory(prefix="twinweb-bench-") as data, open_ward(Path(data)) as ward:
        page, log = Page(ward.url), Path(data) / "raised.log"
        load = os.getloadavg()[0]
        ward.run(RAISE.format(count=count, log=str(log), pause=0.25))
        raised = [line.split() for line in log.read_text().splitlines()]
        limit = time.monotonic() + 30
        while any(key not in page.first_seen for key, _ in raised) and time.monotonic() < limit:
            time.sleep(0.1)
        shown = [max(0.0, page.first_seen[key] - float(at)) for key, at in raised if key in page.first_seen]
        print(f"never shown: {len(raised) - len(shown)}; load {load:.1f} at the start")
        _say("rule fired to shown", shown)
        token = page.token()
        _say("acknowledge, round trip", [page.take(key, token) for key, _ in raised])
        print(f"load {os.getloadavg()[0]:.1f} at the end")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--alerts", type=int, default=40)
    measure(parser.parse_args().alerts)
