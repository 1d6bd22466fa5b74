"""Beat, broker and worker as real processes: a sweep that ends proves the whole chain, on Redis as on our own file."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests import template_database
from tests.servers import redis_server

ROOT = Path(__file__).resolve().parents[3]
CELERY = [sys.executable, "-m", "celery", "-q", "-A", "twinweb.celery:app"]
WORKER = [*CELERY, "worker", "-n", "worker@%h", "-c", "2", "-Q", "ingest,twin,alerts", "--without-gossip"]
NOT_EMBEDDED = {"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "STATIC_ROOT", "TWINWEB_HTTPS"}


def _environment(data: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in NOT_EMBEDDED}
    return {**kept, "TWINWEB_DATA": str(data), "TWINWEB_DEMO": "0", **more}


@contextmanager
def _running(command: list[str], environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=output, stderr=output, start_new_session=True
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait_for_sweep(data: Path, since: float, log: Path, seconds: float = 75) -> None:
    deadline = time.monotonic() + seconds
    path = data / "sweep.heartbeat"
    while not (path.exists() and path.stat().st_mtime > since):
        assert time.monotonic() < deadline, log.read_text()[-2000:]
        time.sleep(0.2)


def _prepare(data: Path, environment: dict[str, str]) -> None:
    if not template_database.begin(data):
        command = [sys.executable, "manage.py", "migrate", "--noinput", "--verbosity", "0"]
        subprocess.run(command, cwd=ROOT, env=environment, check=True, timeout=120)


def _chain_heals(data: Path, environment: dict[str, str], worker: list[str], log: Path) -> None:
    """A sweep ends; after `kill -9` of worker and beat and a new start another one ends; SIGTERM ends with 0."""
    _prepare(data, environment)
    with _running(worker, environment, log) as first, _running([*CELERY, "beat"], environment, log) as beat:
        _wait_for_sweep(data, 0, log)
        for process in (first, beat):
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    killed = time.time()
    with _running(worker, environment, log) as again, _running([*CELERY, "beat"], environment, log) as beat:
        _wait_for_sweep(data, killed, log)
        for process in (again, beat):
            process.terminate()
            assert process.wait(timeout=30) == 0


@pytest.mark.faults
def test_the_chain_heals_on_the_embedded_broker(tmp_path: Path) -> None:
    log = tmp_path / "log"
    _chain_heals(tmp_path, _environment(tmp_path), [*WORKER, "-P", "threads"], log)
    assert "Traceback" not in log.read_text()


@pytest.mark.faults
def test_the_chain_heals_on_redis_with_process_workers(tmp_path: Path) -> None:
    log, store = tmp_path / "log", tmp_path / "redis"
    store.mkdir()
    with redis_server(store) as url:
        _chain_heals(tmp_path, _environment(tmp_path, REDIS_URL=url), [*WORKER, "-P", "prefork"], log)
    assert "Traceback" not in log.read_text()
