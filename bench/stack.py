"""Throw-away products and floors to measure: databases, web servers and their processor seconds.

Nothing is left behind: databases lie in temporary directories, and every process is ended by its own id.
"""

import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.servers import free_port, running_postgres, running_redis  # noqa: E402

OURS = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "STATIC_ROOT", "HOST", "PORT", "DEBUG", "TWINWEB_DEMO")
TICKS = os.sysconf("SC_CLK_TCK")
PATIENTS = 50
WEB_WORKERS = 2
SNOMED, LOINC, UCUM = "http://snomed.info/sct", "http://loinc.org", "http://unitsofmeasure.org"
CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"


@dataclass(frozen=True)
class Product:
    """A set-up product without servers yet. `environment` is what its processes are started with."""

    environment: dict[str, str]
    directory: Path

    def manage(self, *command: str) -> str:
        return _run([sys.executable, "manage.py", *command], self.environment)

    def token(self, name: str = "bench") -> str:
        return self.manage("issue_token", name, "--scopes", "system/*.cruds").split()[-1]


@dataclass(frozen=True)
class Web:
    """A running web server. `pid`: the master; its workers are its children."""

    base: str
    pid: int

    def cpu(self) -> float:
        return sum(map(cpu_of, descendants(self.pid)))


@contextmanager
def product(kind: str = "postgresql") -> Iterator[Product]:
    """A migrated product on PostgreSQL with Redis, or embedded (kind sqlite)."""
    with ExitStack() as held:
        directory = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="twinweb-bench-")))
        kept = {name: value for name, value in os.environ.items() if name not in OURS}
        kept.pop("PYTHONDONTWRITEBYTECODE", None)
        ours = {**kept, "TWINWEB_DATA": str(directory), "TWINWEB_DEMO": "0", "LOG_LEVEL": "WARNING"}
        if kind == "postgresql":
            redis = directory / "redis"
            redis.mkdir()
            ours["DATABASE_URL"] = held.enter_context(running_postgres())
            ours["REDIS_URL"] = held.enter_context(running_redis(redis))
            ours["SECRET_KEY"] = secrets.token_urlsafe(50)
            ours["STATIC_ROOT"] = str(directory / "static")
            ours["TWINWEB_HTTPS"] = "0"
        made = Product(ours, directory)
        made.manage("migrate", "--verbosity", "0")
        if kind == "postgresql":
            made.manage("collectstatic", "--noinput", "--verbosity", "0")
        yield made


@contextmanager
def served(command: list[str], environment: dict[str, str], log: Path, path: str = "/livez") -> Iterator[Web]:
    """A web server on a free port (HOST, PORT in its environment, `{port}` in its command), up when it answers."""
    port = free_port()
    words = [word.format(port=port) for word in command]
    with log.open("ab") as said:
        process = subprocess.Popen(
            words, cwd=ROOT, env={**environment, "HOST": "127.0.0.1", "PORT": str(port)}, stdout=said, stderr=said
        )
    try:
        base = f"http://127.0.0.1:{port}"
        _wait_until_it_answers(base + path, process, log)
        yield Web(base, process.pid)
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait_until_it_answers(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            if time.monotonic() > deadline or process.poll() is not None:
                raise RuntimeError(f"the server did not start: {log.read_text()[-2000:]}") from None
            time.sleep(0.1)


def _run(command: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} failed: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def web(made: Product, workers: int = WEB_WORKERS, server: str = "") -> Any:
    """The product's WSGI workers: as docs/production.md starts them, or on a server to compare with.

    `server`: gunicorn's worker class, with the number of threads after a colon (`gthread:2`), or `granian`.
    """
    name, _, threads = (server or "gthread").partition(":")
    environment = {**made.environment, "WEB_CLASS": name, "WEB_CONCURRENCY": str(workers)}
    if threads:
        environment["WEB_THREADS"] = threads
    command = [sys.executable, "-m", "gunicorn", "-c", "python:twinweb.gunicorn_conf", "twinweb.wsgi:application"]
    if name == "granian":
        command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--workers", str(workers)]
        command += ["--host", "127.0.0.1", "--port", "{port}", "--no-ws", "--log-level", "warning"]
        command += ["--blocking-threads", threads or "1", "twinweb.wsgi:application"]
    return served(command, environment, made.directory / f"{name}.log")


def floor(made: Product, workers: int = WEB_WORKERS) -> Any:
    """The bare floor (bench/floor.py) on the same database server, with the same kind of workers."""
    _run([sys.executable, "-m", "bench.floor"], made.environment)
    command = [sys.executable, "-m", "gunicorn", "-b", "127.0.0.1:{port}", "-w", str(workers), "-k", "gthread"]
    command += ["--threads", "4", "--no-control-socket", "--keep-alive", "5", "bench.floor:application"]
    return served(command, made.environment, made.directory / "floor.log", "/")


def admit_patients(base: str, token: str, count: int = PATIENTS, operated: str = "2026-01-02") -> None:
    """Patients `bench-0000`... each with an operation, so that every reading owes a twin its refresh."""
    for start in range(0, count, 100):
        names = [f"bench-{number:04d}" for number in range(start, min(start + 100, count))]
        entries = [entry({"resourceType": "Patient", "id": name}) for name in names]
        entries += [entry(_operation(name, operated)) for name in names]
        sent(base, token, {"resourceType": "Bundle", "type": "transaction", "entry": entries})


def _operation(patient: str, day: str) -> dict[str, Any]:
    return {
        "resourceType": "Procedure",
        "id": f"{patient}-op",
        "status": "completed",
        "code": {"coding": [{"system": SNOMED, "code": "609588000"}], "text": "Total knee replacement"},
        "subject": {"reference": f"Patient/{patient}"},
        "performedPeriod": {"start": f"{day}T08:00:00Z", "end": f"{day}T10:00:00Z"},
    }


def entry(resource: dict[str, Any]) -> dict[str, Any]:
    address = f"{resource['resourceType']}/{resource['id']}"
    return {"resource": resource, "request": {"method": "PUT", "url": address}}


def sent(base: str, token: str, resource: dict[str, Any]) -> dict[str, Any]:
    headers = {"Content-Type": "application/fhir+json", "Authorization": f"Bearer {token}"}
    request = urllib.request.Request(f"{base}/fhir", json.dumps(resource).encode(), headers)
    with urllib.request.urlopen(request) as answer:
        return dict(json.load(answer))


def descendants(pid: int) -> list[int]:
    """A process and all below it."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(entry.name))
    found = [pid]
    for one in found:
        found += children.get(one, [])
    return found


def cpu_of(pid: int) -> float:
    """Processor seconds a process has used so far; 0 when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / TICKS


def database_cpu(url: str) -> float:
    """Processor seconds of the PostgreSQL server listening at `url`'s port; what ended sessions used is left out."""
    port = url.rpartition(":")[2].partition("/")[0]
    mark = f"\0-p\0{port}\0".encode()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if mark in b"\0" + (entry / "cmdline").read_bytes() and b"postgres" in (entry / "cmdline").read_bytes():
                    return sum(map(cpu_of, descendants(int(entry.name))))
            except OSError:
                continue
    return 0.0
