"""Keeps the processes of the embedded product running: starts, prefixes their logs, restarts, drains.

Run by `manage.py up`, which prepares the data directory and then replaces itself with this module, so that the
parent stays small: standard library only, no Django. Children get a process group each (gunicorn has workers of
its own) and die with the parent.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from twinweb.orphans import die_with_parent

DRAIN = 20.0  # s from the first SIGTERM to SIGKILL
BACK_OFF_FIRST, BACK_OFF_MOST = 1.0, 30.0  # s before a restart; doubled for each death in a row
STEADY = 60.0  # s after which a child's earlier deaths are forgotten
TICK = 0.2  # s
WEB_WAIT = 20.0  # s; then the rest starts whether or not the web server answers
PLAN = "TWINWEB_SUPERVISOR_PLAN"


@dataclass(frozen=True)
class Spec:
    """One child: its name in the logs, what to run, and whether it waits until the web server answers."""

    name: str
    command: Sequence[str]
    late: bool = False


@dataclass
class Child:
    """A running or resting child."""

    spec: Spec
    process: subprocess.Popen[str] | None = None
    started: float = 0.0
    deaths: int = 0
    restart_at: float = 0.0
    reader: threading.Thread | None = field(default=None, repr=False)


class Supervisor:
    """Runs the children until told to stop. `say` prints a line; `clock` is monotonic seconds."""

    def __init__(
        self,
        specs: Sequence[Spec],
        *,
        environment: Mapping[str, str],
        say: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
        drain: float = DRAIN,
    ) -> None:
        self.children = [Child(spec) for spec in specs]
        self.stopping = threading.Event()
        self._environment = dict(environment)
        self._say = say
        self._clock = clock
        self._drain = drain

    def run(self, *, web_answers: Callable[[], bool], on_ready: Callable[[], None]) -> int:
        """Start everything and watch it; returns 0 after an orderly stop."""
        ready = False
        late_from = self._clock() + WEB_WAIT
        while not self.stopping.is_set():
            if not ready and web_answers():
                ready = True
                on_ready()
            self.watch(start_late=ready or self._clock() >= late_from)
            self.stopping.wait(TICK)
        self.stop()
        return 0

    def watch(self, *, start_late: bool = True) -> None:
        """One round: note deaths, start what is due."""
        for child in self.children:
            if child.process is not None and child.process.poll() is not None:
                self._bury(child)
            due = child.process is None and self._clock() >= child.restart_at
            if due and (start_late or not child.spec.late):
                self._start(child)

    def stop(self) -> None:
        """SIGTERM to all, wait for the drain time, SIGKILL to what is left."""
        running = [child for child in self.children if child.process is not None]
        for child in running:
            _signal_leader(child, signal.SIGTERM)
        deadline = self._clock() + self._drain
        for child in running:
            _wait(child, deadline - self._clock())
        for child in running:
            if child.process is not None and child.process.poll() is None:
                self._say(f"{child.spec.name} did not stop within {self._drain:.0f} s and was killed")
            _kill_group(child)

    def _start(self, child: Child) -> None:
        parent = os.getpid()
        child.process = subprocess.Popen(  # noqa: S603  (our own commands)
            child.spec.command,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
            preexec_fn=lambda: die_with_parent(parent),
        )
        child.started = self._clock()
        child.reader = threading.Thread(target=self._relay, args=(child.spec.name, child.process), daemon=True)
        child.reader.start()

    def _bury(self, child: Child) -> None:
        """A child died: clear what is left of its group, and set the time of its restart."""
        if child.process is None:
            return
        _kill_group(child)
        lived = self._clock() - child.started
        child.deaths = 1 if lived >= STEADY else child.deaths + 1
        wait = min(BACK_OFF_MOST, BACK_OFF_FIRST * 2 ** (child.deaths - 1))
        self._say(f"{child.spec.name} ended ({_ending(child.process.returncode)}); restart in {wait:.0f} s")
        child.process = None
        child.restart_at = self._clock() + wait

    def _relay(self, name: str, process: subprocess.Popen[str]) -> None:
        if process.stdout is None:
            return
        with process.stdout as lines:
            for line in lines:
                if line.strip():
                    self._say(f"{name:<9}| {line.rstrip()}")


def _ending(returncode: int) -> str:
    return f"signal {-returncode}" if returncode < 0 else f"exit {returncode}"


def _signal_leader(child: Child, number: signal.Signals) -> None:
    """Only the leader: gunicorn's master and Celery pass an orderly stop on themselves."""
    if child.process is not None and child.process.poll() is None:
        child.process.send_signal(number)


def _wait(child: Child, seconds: float) -> None:
    try:
        if child.process is not None:
            child.process.wait(timeout=max(0.0, seconds))
    except subprocess.TimeoutExpired:
        return


def _kill_group(child: Child) -> None:
    if child.process is None:
        return
    try:
        os.killpg(child.process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass  # nothing is left of it
    child.process.wait()


def answers(host: str, port: int) -> bool:
    """Does the web server answer /livez? Any answer but an error of the server will do."""
    connection = http.client.HTTPConnection(host, port, timeout=2)
    try:
        connection.request("GET", "/livez")
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def child_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The children's environment. Byte code is always kept: without it each start takes three times as long."""
    unwanted = {"PYTHONDONTWRITEBYTECODE", PLAN}
    kept = {name: value for name, value in environment.items() if name not in unwanted}
    return {**kept, "PYTHONUNBUFFERED": "1", "DJANGO_SETTINGS_MODULE": "twinweb.settings"}


def main() -> int:
    """Run the plan that `manage.py up` left in the environment (JSON: host, port, specs, greeting, began)."""
    plan = json.loads(os.environ[PLAN])
    output = threading.Lock()

    def say(line: str) -> None:
        with output:
            print(line, flush=True)  # noqa: T201

    def greet() -> None:
        say(plan["greeting"].format(seconds=time.time() - plan["began"]))

    supervisor = Supervisor(
        [Spec(**spec) for spec in plan["specs"]], environment=child_environment(os.environ), say=say
    )
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: supervisor.stopping.set())
    return supervisor.run(web_answers=lambda: answers(plan["host"], plan["port"]), on_ready=greet)


if __name__ == "__main__":
    sys.exit(main())
