"""How quickly CDS cards are answered, by an open-loop client: calls leave on time whether or not answers have come.

    python -m bench.cds_cards [--sqlite]                        a production of its own with the synthetic ward
    python -m bench.cds_cards --base http://127.0.0.1:8000 --token TOKEN [--rate 50] [--seconds 20]

Asks a product for the patient-view card of its own patients in turn, from prefetch alone. A call's time counts
from the moment it was due, so that waiting in line is part of it. Prints quantiles, cards, errors and the load.
"""

import argparse
import http.client
import json
import os
import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from bench import stack

SERVICE = "/cds-services/postop-recovery-patient-view"
WARM_UP_S = 3.0
_lines = threading.local()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--base", default="")
    parser.add_argument("--token", default="")
    parser.add_argument("--sqlite", action="store_true", help="a product of its own on SQLite, without background work")
    parser.add_argument("--rate", type=float, default=50.0)
    parser.add_argument("--seconds", type=float, default=20.0)
    asked = parser.parse_args()
    if asked.base:
        _measure(asked)
        return
    with stack.product("sqlite" if asked.sqlite else "postgresql") as made:
        made.manage("seed_demo")
        with stack.web(made) as web:
            asked.base, asked.token = web.base, made.token()
            _measure(asked)


def _measure(asked: argparse.Namespace) -> None:
    patients = _patients(asked.base, asked.token)
    bodies = [json.dumps(_call(one)) for one in patients]
    began_at = os.getloadavg()[0]
    took, cards, failed = _run(asked, bodies)
    print(f"{len(patients)} patients, {asked.rate:g} calls/s for {asked.seconds:g} s (warm-up {WARM_UP_S:g} s)")
    if len(took) > 1:
        cuts = statistics.quantiles(took, n=100)
        print(f"p50 {cuts[49] * 1e3:.0f} ms, p95 {cuts[94] * 1e3:.0f} ms, p99 {cuts[98] * 1e3:.0f} ms")
    print(f"{len(took)} answered, {failed} failed, {cards / max(1, len(took)):.2f} cards a call")
    print(f"load average {began_at:.1f} before, {os.getloadavg()[0]:.1f} after, {os.cpu_count()} cores")


def _patients(base: str, token: str) -> list[dict[str, Any]]:
    """Those with an identifier, by which the service knows them."""
    _, said = _send(base, token, "GET", "/fhir/Patient?_count=200", "")
    found = [one["resource"] for one in json.loads(said).get("entry", [])]
    return [one for one in found if one.get("identifier")]


def _call(patient: dict[str, Any]) -> dict[str, Any]:
    kept = {name: patient[name] for name in ("resourceType", "id", "identifier", "birthDate") if name in patient}
    context = {"userId": "Practitioner/bench", "patientId": patient["id"]}
    return {"hook": "patient-view", "hookInstance": str(uuid4()), "context": context, "prefetch": {"patient": kept}}


def _run(asked: argparse.Namespace, bodies: list[str]) -> tuple[list[float], int, int]:
    begin = time.monotonic() + 0.2
    count = int(asked.rate * (asked.seconds + WARM_UP_S))
    with ThreadPoolExecutor(32) as pool:
        futures = []
        for place in range(count):
            due = begin + place / asked.rate
            time.sleep(max(0.0, due - time.monotonic()))
            body = bodies[place % len(bodies)]
            futures.append(pool.submit(_timed, asked, body, due))
        results = [one.result() for one in futures][int(asked.rate * WARM_UP_S) :]
    fine = [(took, cards) for took, cards in results if cards is not None]
    return [took for took, _ in fine], sum(cards or 0 for _, cards in fine), len(results) - len(fine)


def _timed(asked: argparse.Namespace, body: str, due: float) -> tuple[float, int | None]:
    """Seconds since the call was due, and how many cards came; None for an error."""
    try:
        status, said = _send(asked.base, asked.token, "POST", SERVICE, body)
        cards = len(json.loads(said)["cards"]) if status == 200 else None
        if cards is None:
            print(f"failed: {status} {said[:200]!r}", flush=True)
    except (OSError, ValueError, KeyError, http.client.HTTPException) as error:
        print(f"failed: {error!r}", flush=True)
        cards = None
    return time.monotonic() - due, cards


def _send(base: str, token: str, method: str, path: str, body: str) -> tuple[int, bytes]:
    """Over a connection that each thread keeps."""
    line = getattr(_lines, "line", None)
    if line is None:
        parts = urlsplit(base)
        line = _lines.line = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=30)
    try:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        line.request(method, path, body or None, headers)
        answer = line.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException):
        _lines.line = None
        raise


if __name__ == "__main__":
    main()
