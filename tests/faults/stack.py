"""The real product in a directory of its own: started by `manage.py up`, its processes killed one by one."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests import template_database
from tests.faults.stores import IN_PRODUCTION, number_of, stores
from tests.servers import free_port
from twinweb import supervisor

ROOT = Path(__file__).resolve().parents[2]
DIED = 137  # the exit code of a process that was killed
# What the product is not to take from the run: its stores are its own, and its byte code is kept.
NOT_OURS = {
    "DATABASE_URL",
    "REDIS_URL",
    "SECRET_KEY",
    "STATIC_ROOT",
    "TWINWEB_HTTPS",
    "HOST",
    "PYTHONDONTWRITEBYTECODE",
}
# What tells a child from the others on its command line.
ROLES = {"worker": b"worker@%h", "web": b"gunicorn"}


def wait_for(condition: Callable[[], Any], seconds: float, what: str) -> Any:
    """The first true answer of `condition`; fails when there is none in time."""
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.1)
    return answer


@dataclass(frozen=True)
class Stack:
    """A running product. `log` holds what all its processes have said."""

    data: Path
    port: int
    environment: dict[str, str]
    log: Path

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/fhir"

    def answers(self) -> bool:
        return supervisor.answers("127.0.0.1", self.port)

    def pids(self, role: str = "") -> list[int]:
        """Live processes of this product, or of one role (a server's master and its workers alike)."""
        return [pid for pid in _processes_on(self.data) if ROLES.get(role, b"") in _words(pid)]

    def kill(self, role: str) -> int:
        """kill -9 of every process of the role; returns how many there were."""
        pids = self.pids(role)
        for pid in pids:
            _kill(pid)
        return len(pids)

    def start(self, *command: str) -> subprocess.Popen[str]:
        """A management command beside the running product."""
        return subprocess.Popen(
            [sys.executable, "manage.py", *command],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *command: str, seconds: float = 90) -> str:
        """Run a management command to its end; returns what it said, and fails with it."""
        with self.start(*command) as process:
            try:
                said, _ = process.communicate(timeout=seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        assert process.returncode == 0, said
        return said

    def ask(self, question: str, *arguments: str, seconds: float = 60) -> dict[str, Any]:
        """Put a question to the store in a process of its own (see `questions.py`)."""
        command = [sys.executable, "-m", "tests.faults.questions", question, *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=seconds)
        assert done.returncode == 0, done.stderr[-3000:]
        return dict(json.loads(done.stdout.splitlines()[-1]))

    def number_of(self, question: str) -> int:
        """The one number that an SQL question to the store gives; quick enough to be asked in a loop."""
        return number_of(question, self.environment)

    def end_of_log(self) -> str:
        return self.log.read_text()[-3000:]


@contextmanager
def prepared(directory: Path, *before: Sequence[str]) -> Iterator[Stack]:
    """A product that is set up (migrated, then the commands `before`) and running; nothing of it is left after."""
    data, port = directory / "data", free_port()
    kept = {name: value for name, value in os.environ.items() if name not in NOT_OURS}
    with stores(directory) as ours:
        ours |= {"TWINWEB_DATA": str(data), "TWINWEB_DEMO": "0", "PORT": str(port)}
        with _running(Stack(data, port, {**kept, **ours}, directory / "log"), before) as running:
            yield running


@contextmanager
def _running(stack: Stack, before: Sequence[Sequence[str]]) -> Iterator[Stack]:
    if not IN_PRODUCTION and not template_database.begin(stack.data):  # in production it is a copy of a migrated one
        stack.run("migrate", "--verbosity", "0")
    for command in before:
        stack.run(*command)
    with stack.log.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "up"], cwd=ROOT, env=stack.environment, stdout=log, stderr=log
        )
    try:
        wait_for(stack.answers, 60, "the web server")
        wait_for(lambda: (stack.data / "worker.heartbeat").exists(), 60, "the worker")
        yield stack
    finally:
        for pid in _processes_on(stack.data):
            _kill(pid)
        process.wait(timeout=20)


def _processes_on(data: Path) -> list[int]:
    """Ids of the live processes whose environment names this data directory."""
    mark = f"TWINWEB_DATA={data}".encode()
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and _is_on(entry, mark)]


def _is_on(entry: Path, mark: bytes) -> bool:
    try:
        alive = (entry / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
        return alive and mark in (entry / "environ").read_bytes().split(b"\0")
    except OSError:
        return False


def _words(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
