"""Pages of a hospital with 10,000 active patients and 100 million samples on PostgreSQL: how long the server takes.

    python -m bench.ward_scale [--patients 10000] [--samples 100000000] [--requests 60]

Goals (p95, from asking to the last byte, one worker, nothing cached): board 300 ms, a patient's page 500 ms. What is
stored is synthetic: the demo ward as `make run` makes it, every patient of it copied with all that hangs on them by
SQL until there are enough. First all of them stand in the two teams of the demo, so that one clinician's board holds
them all, the worst case; then all but some 2,000, the largest ward of ux.md 5.1, belong to other teams. Queries are
counted by the tests (`no page asks more for more rows`), not here.
"""

import argparse
import http.cookiejar
import json
import os
import re
import statistics
import time
import urllib.parse
import urllib.request
from collections.abc import Callable
from typing import Any

import psycopg

from bench import stack
from bench.stack import Product, Web

# Each table with what its rows hang on; parents first.
COPIED = (
    "recovery_patient",
    "recovery_device",
    "recovery_document",
    "recovery_documentindex",
    "recovery_series",
    "recovery_episode",
    "recovery_twin",
    "recovery_snapshot",
    "recovery_alert",
    "recovery_alerttransition",
    "recovery_escalationstep",
    "recovery_consentdecision",
    "recovery_checkinresponse",
)
PARENTS = ("id", "patient_id", "episode_id", "series_id", "alert_id", "document_id")
ON_A_BOARD = 2_000
STEP = 1_000_000  # ids of copy n are those of the original + n * STEP


class Person:
    """A signed-in clinician."""

    def __init__(self, base: str, name: str, password: str) -> None:
        self._base = base
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._web = urllib.request.build_opener(cookies)
        form = self.read("/login/")
        token = form.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
        said = {"csrfmiddlewaretoken": token, "username": name, "password": password}
        self._web.open(f"{base}/login/", urllib.parse.urlencode(said).encode()).read()

    def read(self, path: str) -> str:
        return str(self._web.open(self._base + path).read().decode())


def multiply(url: str, patients: int, samples: int) -> None:
    with psycopg.connect(url, autocommit=True) as store:
        store.execute("SET session_replication_role = replica")  # copies of rows that were checked
        store.execute("SET maintenance_work_mem = '512MB'")
        [(held,)] = store.execute("SELECT count(*) FROM recovery_patient").fetchall()
        copies = max(patients // held, 1)
        for table in COPIED:
            _copy(store, table, copies)
        _copy_samples(store, copies, samples)
        store.execute("VACUUM ANALYZE")


def _copy(store: psycopg.Connection[Any], table: str, copies: int) -> None:
    rows = store.execute(
        "SELECT column_name, udt_name FROM information_schema.columns WHERE table_name = %s AND is_generated = 'NEVER'",
        [table],
    ).fetchall()
    names = [f'"{name}"' for name, _ in rows]
    said = ", ".join(_copied(table, name, kind) for name, kind in rows)
    store.execute(
        f"INSERT INTO {table} ({', '.join(names)}) SELECT {said} FROM {table} o, generate_series(1, %s) n", [copies]
    )


def _copied(table: str, name: str, kind: str) -> str:
    if name in PARENTS and kind in ("int8", "int4"):
        return f"o.{name} + n::bigint * {STEP}"
    if name == "user_id" and table == "recovery_patient":
        return "NULL"  # a copy does not sign in
    if kind == "uuid":
        return "gen_random_uuid()"
    if name == "fhir_id" and table != "recovery_checkinresponse":
        return "o.fhir_id || '-' || n"
    return f'o."{name}"'


def _copy_samples(store: psycopg.Connection[Any], copies: int, wanted: int) -> None:
    """Each sample for each copied patient, and as many neighbours, seconds apart, as make `wanted` in all."""
    [(held,)] = store.execute("SELECT count(*) FROM recovery_sample").fetchall()
    neighbours = max(wanted // (held * (copies + 1)), 1)
    indexes = store.execute(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'recovery_sample'"
        " AND indexname <> 'recovery_sample_pkey'"
    ).fetchall()
    for name, _ in indexes:
        store.execute(f"DROP INDEX {name}")
    store.execute("ALTER TABLE recovery_sample DROP CONSTRAINT recovery_sample_pkey")
    for first in range(1, copies + 1, 10):
        store.execute(
            "INSERT INTO recovery_sample (series_id, at_ms, value, digits, batch_id, ended_batch_id)"
            f" SELECT o.series_id + n::bigint * {STEP}, o.at_ms + 2000 * k, o.value, o.digits, o.batch_id,"
            " o.ended_batch_id FROM generate_series(%s::int, %s::int) n, recovery_sample o,"
            f" generate_series(0, %s::int) k WHERE o.series_id < {STEP}",
            [first, min(first + 9, copies), neighbours - 1],
        )
    store.execute("ALTER TABLE recovery_sample ADD PRIMARY KEY (series_id, at_ms, value, digits)")
    for _, definition in indexes:
        store.execute(definition.replace(" ONLY ", " "))


def counted(url: str) -> str:
    with psycopg.connect(url) as store:
        asked = "SELECT count(*) FROM recovery_episode WHERE status = 'active'", "SELECT count(*) FROM recovery_sample"
        [[active], [samples]] = [store.execute(one).fetchone() or [0] for one in asked]
    return f"{active:,} active episodes, {samples:,} samples"


def leave_on_the_board(url: str, patients: int) -> None:
    """All but so many go to a team of which nobody who is asked here is a member."""
    with psycopg.connect(url, autocommit=True) as store:
        store.execute("INSERT INTO recovery_team (key, name, is_demo) VALUES ('elsewhere', 'Elsewhere', true)")
        store.execute(
            "UPDATE recovery_episode SET team_id = (SELECT id FROM recovery_team WHERE key = 'elsewhere')"
            " WHERE id NOT IN (SELECT id FROM recovery_episode ORDER BY id LIMIT %s)",
            [patients],
        )
        store.execute("VACUUM ANALYZE recovery_episode")


def measured(name: str, goal: float, requests: int, web: Web, ask: Callable[[int], str]) -> None:
    for number in range(3):
        ask(number)
    took, used = [], web.cpu()
    for number in range(requests):
        began = time.perf_counter()
        said = ask(number)
        took.append(1000 * (time.perf_counter() - began))
        assert "</html>" in said, said[:300]
    each = 1000 * (web.cpu() - used) / requests
    at = statistics.quantiles(took, n=100)
    verdict = "reached" if at[94] < goal else "MISSED"
    print(
        f"{name:24} p50 {at[49]:6.0f} ms, p95 {at[94]:6.0f} ms (goal {goal:.0f}: {verdict}),"
        f" processor of the web worker {each:.0f} ms",
        flush=True,
    )


def patients_on(board: str) -> list[str]:
    return sorted(set(re.findall(r'href="/patients/([0-9a-f-]{36})/"', board)))


def pages(made: Product, web: Web, requests: int) -> None:
    logins = json.loads(made.manage("shell", "-c", LOGINS).strip().splitlines()[-1])
    nurse = Person(web.base, *logins)
    chosen = patients_on(nurse.read("/patients/") + nurse.read("/patients/?page=2"))

    def next_of(number: int) -> str:
        return f"/patients/{chosen[number % len(chosen)]}/"

    measured("board", 300, requests, web, lambda number: nurse.read("/patients/"))
    measured("board, next pages", 300, requests, web, lambda number: nurse.read(f"/patients/?page={2 + number % 9}"))
    measured(
        "a patient's page", 500, requests, web, lambda number: nurse.read(f"/patients/{chosen[number % len(chosen)]}/")
    )
    measured("alert inbox", 300, requests, web, lambda number: nurse.read("/alerts/"))


MONTHS = """
from datetime import timedelta
from django.utils import timezone
from recovery.services import housekeeping
housekeeping.make_partitions(now=timezone.now() - timedelta(days=70))
"""
# The demo's passwords are written to a file; a known one is set instead.
LOGINS = """
import json
from django.contrib.auth import get_user_model
from recovery.models import TeamMembership
member = TeamMembership.objects.order_by("user_id").values_list("user_id", flat=True).first()
user = get_user_model().objects.get(pk=member)
user.set_password("a bench signs in here")
user.save()
print(json.dumps([user.username, "a bench signs in here"]))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--patients", type=int, default=10_000)
    parser.add_argument("--samples", type=int, default=100_000_000)
    parser.add_argument("--requests", type=int, default=60)
    asked = parser.parse_args()
    with stack.product() as made:
        made.manage("shell", "-c", MONTHS)  # as a store has them that has been at work since
        made.manage("seed_demo")
        url = made.environment["DATABASE_URL"]
        began = time.monotonic()
        multiply(url, asked.patients, asked.samples)
        print(f"{counted(url)}, stored in {time.monotonic() - began:.0f} s", flush=True)
        with stack.web(made, workers=1) as web:
            print("all of them on one board")
            pages(made, web, asked.requests)
            leave_on_the_board(url, ON_A_BOARD)
            print(f"{ON_A_BOARD:,} of them on one board")
            pages(made, web, asked.requests)
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
