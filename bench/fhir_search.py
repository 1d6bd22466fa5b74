"""Search and read over a large store: 10 million samples and 100,000 documents in a temporary PostgreSQL.

    python -m bench.fhir_search [--samples 10000000] [--documents 100000] [--requests 200]

Goals: p95 under 50 ms for `Observation?patient&code&date&_count=100`, under 20 ms for a read by id, through one real
WSGI worker over HTTP; pages neither repeat nor leave out while a writer adds. What is stored is synthetic: a reading of
each code and two documents of each patient go through the door, and SQL multiplies them, rows in the order of time as
they would arrive.
"""

import argparse
import http.client
import json
import os
import random
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import psycopg

from bench import stack
from bench.stack import LOINC, UCUM, Product, Web

PATIENTS = int(os.environ.get("BENCH_PATIENTS", "200"))
CODES = [("8867-4", "/min"), ("59408-5", "%"), ("9279-1", "/min"), ("8310-5", "Cel"), ("55423-8", "1")]
FIRST_DAY, DAYS = "2026-01-05", 180
DAY_MS = 86_400_000


class Client:
    """One keep-alive connection."""

    def __init__(self, base: str, token: str) -> None:
        self._http = http.client.HTTPConnection(urlsplit(base).netloc)
        self._heads = {"Authorization": f"Bearer {token}", "Content-Type": "application/fhir+json"}

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        sent = None if body is None else json.dumps(body)
        self._http.request(method, path, sent, self._heads)
        answer = self._http.getresponse()
        return answer.status, json.loads(answer.read() or b"null")


def reading(
    patient: str, code: str, unit: str, at: str = f"{FIRST_DAY}T00:00:00Z", value: float = 70.5
) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "identifier": [{"system": "urn:bench", "value": f"{patient}-{code}-{at}"}],
        "category": [{"coding": [{"system": stack.CATEGORY, "code": "vital-signs"}]}],
        "code": {"coding": [{"system": LOINC, "code": code}]},
        "subject": {"reference": f"Patient/{patient}"},
        "effectiveDateTime": at,
        "valueQuantity": {"value": value, "unit": unit, "system": UCUM, "code": unit},
    }


def panel(patient: str) -> dict[str, Any]:
    """A blood pressure: a document, because it has components."""
    parts = [
        {
            "code": {"coding": [{"system": LOINC, "code": code}]},
            "valueQuantity": {"value": value, "unit": "mmHg", "system": UCUM, "code": "mm[Hg]"},
        }
        for code, value in (("8480-6", 121), ("8462-4", 78))
    ]
    said = {**reading(patient, "85354-9", "mm[Hg]"), "id": f"{patient}-bp", "component": parts}
    return {name: value for name, value in said.items() if name not in ("valueQuantity", "identifier")}


def condition(patient: str) -> dict[str, Any]:
    return {
        "resourceType": "Condition",
        "id": f"{patient}-cond",
        "subject": {"reference": f"Patient/{patient}"},
        "code": {"coding": [{"system": stack.SNOMED, "code": "38341003"}]},
        "recordedDate": FIRST_DAY,
    }


def seed(web: Web, token: str) -> None:
    """Patients, one reading of each code and two documents of each: what SQL multiplies."""
    stack.admit_patients(web.base, token, PATIENTS)
    names = [f"bench-{number:04d}" for number in range(PATIENTS)]
    for start in range(0, PATIENTS, 50):
        part = names[start : start + 50]
        entries = [
            {"resource": reading(name, code, unit), "request": {"method": "POST", "url": "Observation"}}
            for name in part
            for code, unit in CODES
        ]
        entries += [stack.entry(made(name)) for name in part for made in (panel, condition)]
        stack.sent(web.base, token, {"resourceType": "Bundle", "type": "transaction", "entry": entries})


def multiply(url: str, samples: int, documents: int) -> None:
    with psycopg.connect(url, autocommit=True) as store:
        store.execute("SET session_replication_role = replica")  # the rows are made of rows that were checked
        store.execute("SET maintenance_work_mem = '512MB'")
        _multiply_samples(store, samples)
        _multiply_documents(store, documents)
        store.execute("VACUUM ANALYZE")


def _multiply_samples(store: psycopg.Connection[Any], samples: int) -> None:
    [(series,)] = store.execute("SELECT count(*) FROM recovery_series WHERE shape = 'number'").fetchall()
    each = samples // series
    step = DAYS * DAY_MS // each // 1000 * 1000
    for day in range(0, DAYS + 31, 28):
        _make_month(store, day)
    dropped = store.execute(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'recovery_sample'"
        " AND indexname <> 'recovery_sample_pkey'"
    ).fetchall()
    for name, _ in dropped:
        store.execute(f"DROP INDEX {name}")
    store.execute("ALTER TABLE recovery_sample DROP CONSTRAINT recovery_sample_pkey")
    store.execute(
        "INSERT INTO recovery_batch (channel, received_at, readings, documents) SELECT 'bench',"
        " %s::date + n * interval '1 minute', 1000, 0 FROM generate_series(1, %s) n",
        [FIRST_DAY, max(samples // 1000, 1)],
    )
    [(last,)] = store.execute("SELECT max(id) FROM recovery_batch").fetchall()
    batches = max(samples // 1000, 1)
    store.execute(
        "INSERT INTO recovery_sample (series_id, at_ms, value, digits, batch_id, slots)"
        " SELECT s.id, s.at_ms + n * %s::bigint, round((s.value + 10 * sin(n + s.id))::numeric, 1)::float8, 1,"
        " %s + (n::bigint * %s / (%s + 1))::bigint, '[\"b-' || s.id || '-' || n || '\"]'"
        " FROM generate_series(1, %s) n CROSS JOIN LATERAL (SELECT r.id, m.at_ms, m.value FROM recovery_series r"
        " JOIN recovery_sample m ON m.series_id = r.id WHERE r.shape = 'number' OFFSET 0) s",
        [step, last - batches + 1, batches, each, each - 1],
    )
    store.execute("ALTER TABLE recovery_sample ADD PRIMARY KEY (series_id, at_ms, value, digits)")
    for _, definition in dropped:
        store.execute(definition.replace(" ONLY ", " "))


def _make_month(store: psycopg.Connection[Any], day: int) -> None:
    [(name, low, high)] = store.execute(
        "SELECT to_char(m, 'YYYY_MM'), extract(epoch FROM m)::bigint * 1000, extract(epoch FROM m + interval '1 month')"
        "::bigint * 1000 FROM (SELECT date_trunc('month', (%s::date + %s) AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' m) x",
        [FIRST_DAY, day],
    ).fetchall()
    [(held,)] = store.execute("SELECT to_regclass(%s)", [f"recovery_sample_{name}"]).fetchall()
    if held is None:
        made = f"CREATE TABLE recovery_sample_{name} (LIKE recovery_sample INCLUDING ALL)"
        store.execute(made)
        moved = f"DELETE FROM recovery_sample_rest WHERE at_ms >= {low} AND at_ms < {high} RETURNING *"
        store.execute(f"WITH moved AS ({moved}) INSERT INTO recovery_sample_{name} SELECT * FROM moved")
        store.execute(
            f"ALTER TABLE recovery_sample ATTACH PARTITION recovery_sample_{name} FOR VALUES FROM ({low}) TO ({high})"
        )


def _multiply_documents(store: psycopg.Connection[Any], documents: int) -> None:
    """Each document again on the days that follow, with its index entries."""
    copies = documents // (2 * PATIENTS)
    store.execute(
        "INSERT INTO recovery_document (type, fhir_id, version, content, deleted, updated_at, patient_id, batch_id)"
        " SELECT type, fhir_id || '-' || n, 1, replace(replace(content, fhir_id, fhir_id || '-' || n), %s,"
        " to_char(%s::date + n, 'YYYY-MM-DD')), false, updated_at, patient_id, batch_id"
        " FROM generate_series(1, %s) n, recovery_document WHERE fhir_id ~ '-(bp|cond)$'",
        [FIRST_DAY, FIRST_DAY, copies - 1],
    )
    found = store.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_name = 'recovery_documentindex'"
        " AND column_name NOT IN ('id', 'document_id', 'low_ms', 'high_ms')"
    ).fetchall()
    rest = ", ".join(name for (name,) in found)
    chosen = ", ".join(f"i.{name}" for (name,) in found)
    store.execute(
        f"INSERT INTO recovery_documentindex (document_id, low_ms, high_ms, {rest})"
        f" SELECT c.id, i.low_ms + n * {DAY_MS}::bigint, i.high_ms + n * {DAY_MS}::bigint, {chosen}"
        " FROM generate_series(1, %s) n JOIN recovery_document d ON d.fhir_id ~ '-(bp|cond)$'"
        " JOIN recovery_document c ON c.type = d.type AND c.fhir_id = d.fhir_id || '-' || n"
        " JOIN recovery_documentindex i ON i.document_id = d.id",
        [copies - 1],
    )


def measured(name: str, goal: float, requests: int, ask: Callable[[], tuple[int, Any]]) -> Any:
    """Time `ask` again and again; prints quantiles in ms and returns the last answer."""
    for _ in range(10):
        ask()
    took = []
    for _ in range(requests):
        began = time.perf_counter()
        status, said = ask()
        took.append(1000 * (time.perf_counter() - began))
        assert status == 200, (status, said)
    at = statistics.quantiles(took, n=100)
    found = f", {len(said['entry'])} found in the last" if "entry" in said else ""
    verdict = "reached" if at[94] < goal else "MISSED"
    print(f"{name:58} p50 {at[49]:6.1f} ms, p95 {at[94]:6.1f} ms (goal {goal:.0f}: {verdict}){found}", flush=True)
    return said


def day(number: int) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(time.mktime(time.strptime(FIRST_DAY, "%Y-%m-%d")) + number * 86400))


def searches(client: Client, requests: int) -> None:
    chance = random.Random(7)

    def query(rest: str = "", span: int = 7) -> str:
        who, (code, _) = chance.randrange(PATIENTS), chance.choice(CODES)
        start = chance.randrange(DAYS - 30)
        dates = f"&date=ge{day(start)}&date=lt{day(start + span)}" if span else ""
        return f"/fhir/Observation?patient=bench-{who:04d}&code={LOINC}|{code}{dates}&_count=100{rest}".replace(
            "|", "%7C"
        )

    measured("patient, code, date (a week), _count=100", 50, requests, lambda: client.ask("GET", query()))
    measured(
        "patient, code, date (a week), newest first", 50, requests, lambda: client.ask("GET", query("&_sort=-date"))
    )
    measured("patient, code, from a day on", 50, requests, lambda: client.ask("GET", query(span=60)))
    page = measured("patient, code", 50, requests, lambda: client.ask("GET", query(span=0)))
    ids = [entry["resource"]["id"] for entry in page["entry"]]
    measured("read a reading by id", 20, requests, lambda: client.ask("GET", f"/fhir/Observation/{chance.choice(ids)}"))

    def document() -> tuple[int, Any]:
        name = f"bench-{chance.randrange(PATIENTS):04d}-bp-{chance.randrange(1, 50)}"
        return client.ask("GET", f"/fhir/Observation/{name}")

    measured("read a document by id", 20, requests, document)
    who = f"patient=bench-{chance.randrange(PATIENTS):04d}"
    measured(
        "panels (documents) of a patient and a week",
        50,
        requests,
        lambda: client.ask("GET", f"/fhir/Observation?{who}&code=85354-9&date=ge{day(3)}&date=lt{day(10)}&_count=100"),
    )
    measured("conditions of a patient", 50, requests, lambda: client.ask("GET", f"/fhir/Condition?{who}&_count=100"))


@contextmanager
def writing(base: str, token: str, patient: str) -> Iterator[list[int]]:
    """Somebody adds readings of the same patient and code, at random times, until the block ends."""
    over, written = threading.Event(), [0]

    def write() -> None:
        client, chance = Client(base, token), random.Random(11)
        while not over.is_set():
            at = f"{day(chance.randrange(DAYS))}T{chance.randrange(24):02d}:{chance.randrange(60):02d}:07Z"
            status, said = client.ask("POST", "/fhir/Observation", reading(patient, *CODES[0], at))
            assert status in (200, 201), said
            written[0] += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield written
    finally:
        over.set()
        writer.join()


def walk(client: Client, patient: str) -> list[str]:
    """All ids of one patient's readings of one code, page by page."""
    path = f"/fhir/Observation?patient={patient}&code={CODES[0][0]}&_sort=-date&_count=200"
    found = []
    while path:
        status, page = client.ask("GET", path)
        assert status == 200, page
        found += [entry["resource"]["id"] for entry in page.get("entry", ())]
        links = {link["relation"]: link["url"] for link in page["link"]}
        path = links["next"].partition("/fhir")[2] if "next" in links else ""
        path = path and f"/fhir{path}"
    return found


def walk_while_writing(base: str, token: str) -> None:
    client, patient = Client(base, token), "bench-0001"
    before = walk(client, patient)
    with writing(base, token, patient) as written:
        during = walk(client, patient)
    twice, left_out = len(during) - len(set(during)), len(set(before) - set(during))
    print(
        f"walk of {len(before)} readings while {written[0]} were added: {twice} twice, {left_out} left out", flush=True
    )


def prepare(made: Product, samples: int, documents: int) -> str:
    token = made.token()
    with stack.web(made, workers=1) as web:
        seed(web, token)
    began = time.monotonic()
    multiply(made.environment["DATABASE_URL"].replace("postgres://", "postgresql://"), samples, documents)
    print(f"{samples:,} samples and {documents:,} documents stored in {time.monotonic() - began:.0f} s", flush=True)
    return token


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=10_000_000)
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--requests", type=int, default=200)
    asked = parser.parse_args()
    with stack.product() as made:
        token = prepare(made, asked.samples, asked.documents)
        with stack.web(made, workers=1) as web:
            searches(Client(web.base, token), asked.requests)
            walk_while_writing(web.base, token)
        print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
