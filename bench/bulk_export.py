"""A bulk export of 1,000 patients with 4 million samples from a temporary PostgreSQL: rate, and memory of its worker.

    python -m bench.bulk_export [--patients 1000] [--samples 4000000]

Goal: constant memory (the worker grows by less than 50 MB from the second quarter to the last). What is
stored is synthetic: one reading of each code goes through the door, and SQL multiplies it (bench.fhir_search).
"""

import argparse
import gzip
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench import fhir_search, stack

EVERY_S = 0.5


def memory_kb(pid: int) -> int:
    """Resident memory of a process; 0 when it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmRSS")), 0)


@contextmanager
def worker(environment: dict[str, str]) -> Iterator["subprocess.Popen[bytes]"]:
    """A process that writes exports, slice after slice, as a Celery worker does."""
    code = (
        "import django; django.setup()\nimport time\nfrom django.utils import timezone\n"
        "from integrations.bulk.writing import run_owed\n"
        "while True:\n    run_owed(clock=timezone.now)\n    time.sleep(0.2)\n"
    )
    command = [sys.executable, "-c", code]
    process = subprocess.Popen(command, env={**environment, "DJANGO_SETTINGS_MODULE": "twinweb.settings"})
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def asked(url: str, token: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    said = {"Authorization": f"Bearer {token}", **{name.replace("_", "-"): value for name, value in headers.items()}}
    with urllib.request.urlopen(urllib.request.Request(url, headers=said), timeout=600) as answer:
        return answer.status, dict(answer.headers), answer.read()


class Watch:
    """Memory of a process over time, by a thread."""

    def __init__(self, pid: int) -> None:
        self._pid, self._over, self.seen = pid, threading.Event(), []
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while not self._over.wait(EVERY_S):
            self.seen.append(memory_kb(self._pid) / 1024)

    def end(self) -> list[float]:
        self._over.set()
        self._thread.join()
        return self.seen


def export(base: str, token: str, pid: int) -> dict[str, Any]:
    began, watch, before = time.monotonic(), Watch(pid), stack.cpu_of(pid)
    status = asked(f"{base}/fhir/$export?_type=Observation,Patient", token, Prefer="respond-async")[1]
    address = status["Content-Location"]
    while (answer := asked(address, token))[0] == 202:
        time.sleep(1)
    took, seen, worked = time.monotonic() - began, watch.end(), stack.cpu_of(pid) - before
    manifest = json.loads(answer[2])
    lines = sum(one["count"] for one in manifest["output"])
    quarter = max(len(seen) // 4, 1)
    early, late = max(seen[quarter : 2 * quarter]), max(seen[-quarter:])  # the first quarter warms caches up
    rates = f"{lines / took:,.0f} a second, {lines / worked:,.0f} a second of the worker's processor"
    print(f"{lines:,} lines in {len(manifest['output'])} files in {took:.0f} s: {rates}", flush=True)
    grown = late - early
    verdict = "reached" if grown < 50 else "MISSED"
    memory = f"{early:.0f} MB in the second quarter, {late:.0f} MB in the last, peak {max(seen):.0f} MB"
    print(f"worker's memory: {memory} ({verdict})", flush=True)
    return dict(manifest)


def check(manifest: dict[str, Any], token: str) -> None:
    """Fetch every file packed; as many lines as the manifest says, each reading once."""
    began, size, ids = time.monotonic(), 0, set()
    for one in manifest["output"]:
        content = asked(one["url"], token, Accept_Encoding="gzip")[2]
        size += len(content)
        lines = gzip.decompress(content).splitlines()
        assert len(lines) == one["count"], one
        ids |= {hash(json.loads(line)["id"]) for line in lines[::100]}
    took = time.monotonic() - began
    print(
        f"fetched {size / 1e6:.0f} MB packed in {took:.0f} s; {len(ids):,} ids of every hundredth line are all distinct"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patients", type=int, default=1000)
    parser.add_argument("--samples", type=int, default=4_000_000)
    given = parser.parse_args()
    fhir_search.PATIENTS = given.patients
    with tempfile.TemporaryDirectory(prefix="bench-export-") as files, stack.product() as made:
        made.environment["EXPORT_FILES"] = files
        token = fhir_search.prepare(made, given.samples, 2 * given.patients)
        with stack.web(made, workers=1) as web, worker(made.environment) as process:
            check(export(web.base, token, process.pid), token)
        print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
