"""How fast Observations come in: the pure part on one core, and the whole door over HTTP.

    python -m bench.fhir_ingest                                   parse + validate + map, no database
    python -m bench.fhir_ingest --base-url http://... --token T   also over HTTP, with the shared load generator

CPU seconds are quoted for the pure part, so that a busy machine does not blur it. The load generator lies beside the
checkout (../shared/tools/ingest_load.py); without it the second part is left out with a word.
"""

import argparse
import json
import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
LOAD = ROOT.parent / "shared" / "tools" / "ingest_load.py"
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "twinweb.settings")
UCUM, LOINC = "http://unitsofmeasure.org", "http://loinc.org"
CODES = [("8867-4", "/min", 72), ("59408-5", "%", 96.5), ("55423-8", "{steps}", 12), ("8310-5", "Cel", 36.9)]


def observation(number: int, patients: int, sampled: int = 0) -> dict[str, Any]:
    code, unit, value = CODES[number // patients % len(CODES)]
    minute = number // (patients * len(CODES)) * max(sampled, 1)
    quantity = {"unit": unit, "system": UCUM, "code": unit}
    said: dict[str, Any] = {
        "resourceType": "Observation",
        "status": "final",
        "subject": {"reference": f"Patient/bench-{number % patients:04d}"},
        "identifier": [{"system": "urn:bench", "value": f"b-{number}"}],
        "code": {"coding": [{"system": LOINC, "code": code}]},
    }
    at = f"2026-01-{1 + minute // 1440 % 28:02d}T{minute // 60 % 24:02d}:{minute % 60:02d}:00Z"
    if not sampled:
        return {**said, "effectiveDateTime": at, "valueQuantity": {"value": value, **quantity}}
    data = " ".join([str(value)] * sampled)
    value_said = {"origin": {"value": 0, **quantity}, "period": 60000, "dimensions": 1, "data": data}
    return {**said, "effectiveDateTime": at, "valueSampledData": value_said}


def bundles(total: int, size: int, patients: int, sampled: int = 0) -> list[bytes]:
    found = []
    for start in range(0, total, size):
        entries = [
            {"resource": observation(n, patients, sampled), "request": {"method": "POST", "url": "Observation"}}
            for n in range(start, min(start + size, total))
        ]
        found.append(json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries}).encode())
    return found


def pure(total: int, size: int, patients: int, sampled: int = 0) -> dict[str, float]:
    """Observations a CPU second: parsing alone, mapping with validation alone, both."""
    import django

    django.setup()
    from integrations.fhir import bundle, wire
    from integrations.fhir.receiving import Tray, Wish

    bodies = bundles(total, size, patients, sampled)
    began = time.process_time()
    parsed = [wire.parse_object(body) for body in bodies]
    parsing = time.process_time() - began
    began = time.process_time()
    for one in parsed:
        tray = Tray()
        for index, entry in enumerate(bundle.entries_of(one)):
            tray.take(entry["resource"], Wish(index), "Observation")
        tray.delivery("bench")
    mapping = time.process_time() - began
    return {"parse": total / parsing, "map": total / mapping, "both": total / (parsing + mapping)}


def over_http(base: str, token: str, shapes: list[list[str]]) -> None:
    if not LOAD.is_file():
        print("over HTTP: left out, the load generator is not beside this checkout")
        return
    for number in range(50):
        _put(f"{base}/Patient/bench-{number:04d}", token, {"resourceType": "Patient", "id": f"bench-{number:04d}"})
    for day, shape in enumerate(shapes):
        start = f"2026-{2 + day:02d}-01T00:00:00+00:00"
        command = [
            sys.executable,
            str(LOAD),
            "--base-url",
            base,
            f"--token={token}",
            "--json",
            "--start",
            start,
            *shape,
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        said = json.loads(done.stdout)
        figures = {key: said["median"][key] for key in ("obs_per_s", "samples_per_s", "p50_ms", "p95_ms")}
        print(" ".join(shape), figures, said["statuses"], said.get("first_failure", ""))


def _put(url: str, token: str, resource: dict[str, Any]) -> None:
    headers = {"Content-Type": "application/fhir+json", "Authorization": f"Bearer {token}"}
    request = urllib.request.Request(url, json.dumps(resource).encode(), headers, method="PUT")
    urllib.request.urlopen(request).close()


SHAPES = [
    "--shape batch --bundle-size 100 --concurrency 8 --total 20000",
    "--shape batch --bundle-size 1000 --concurrency 8 --total 40000",
    "--shape single --concurrency 8 --total 1500",
    "--shape sampled --bundle-size 1 --samples-per 60 --concurrency 8 --total 1500",
    "--shape sampled --bundle-size 1 --samples-per 1440 --concurrency 1 --total 100",
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base-url", default="")
    parser.add_argument("--token", default="")
    parser.add_argument("--total", type=int, default=20_000)
    parser.add_argument("--repeat", default="1")
    options = parser.parse_args()
    for sampled in (0, 60):
        figures = pure(options.total if not sampled else options.total // 10, 100, 50, sampled)
        print(f"pure, {sampled or 'single'} values:", {name: round(rate) for name, rate in figures.items()})
    if options.base_url:
        shapes = [[*shape.split(), "--repeat", options.repeat] for shape in SHAPES]
        over_http(options.base_url.rstrip("/"), options.token, shapes)


if __name__ == "__main__":
    main()
