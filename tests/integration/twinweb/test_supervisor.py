"""The supervisor: one command brings everything up, nothing it starts stays behind, what dies comes back."""

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.management.base import CommandError

from tests import template_database
from tests.servers import free_port
from twinweb import lock, supervisor
from twinweb.management.commands import up
from twinweb.supervisor import Child, Spec, Supervisor

ROOT = Path(__file__).resolve().parents[3]
NOT_EMBEDDED = {"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "STATIC_ROOT", "TWINWEB_HTTPS", "HOST"}
SLEEPER = [sys.executable, "-c", "import time; time.sleep(600)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)",
]


def _wait_for(condition: Callable[[], object], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.05)


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def said() -> list[str]:
    return []


@contextmanager
def _supervised(said: list[str], *specs: Spec, drain: float = 5.0) -> Iterator[Supervisor]:
    running = Supervisor(specs, environment=os.environ, say=said.append, drain=drain)
    try:
        yield running
    finally:
        running.stop()
        for child in running.children:
            if child.reader is not None:
                child.reader.join(timeout=5)


def _pid(child: Child) -> int:
    assert child.process is not None
    return child.process.pid


# ---- children


def test_a_child_that_dies_is_started_again_after_its_back_off(said: list[str]) -> None:
    with _supervised(said, Spec("web", SLEEPER)) as running:
        clock = Clock()
        running._clock = clock
        running.watch()
        (child,) = running.children
        waits = []
        for _ in range(3):
            assert child.process is not None
            child.process.kill()
            child.process.wait()
            running.watch()
            waits.append(child.restart_at - clock.now)
            assert child.process is None
            clock.now = child.restart_at
            running.watch()
            assert child.process is not None
        assert waits == [1.0, 2.0, 4.0]
        running._clock = time.monotonic
    assert any("signal 9" in line for line in said)


def test_a_child_that_ran_steadily_is_forgiven_its_earlier_deaths(said: list[str]) -> None:
    with _supervised(said, Spec("web", SLEEPER)) as running:
        clock = Clock()
        running._clock = clock
        running.watch()
        (child,) = running.children
        child.deaths = 5
        clock.now = supervisor.STEADY
        assert child.process is not None
        child.process.kill()
        child.process.wait()
        running.watch()
        assert child.restart_at - clock.now == supervisor.BACK_OFF_FIRST
        running._clock = time.monotonic


def test_a_stop_ends_the_willing_and_kills_the_deaf(said: list[str]) -> None:
    with _supervised(said, Spec("good", SLEEPER), Spec("deaf", STUBBORN), drain=1.0) as running:
        running.watch()
        pids = [_pid(child) for child in running.children]
        _wait_for(lambda: any("| deaf" in line for line in said), 20, "the child to be deaf")
        running.stop()
        assert not any(_alive(pid) for pid in pids)
    assert [line for line in said if "was killed" in line] == ["deaf did not stop within 1 s and was killed"]


def test_late_children_wait_for_the_web_server(said: list[str]) -> None:
    with _supervised(said, Spec("web", SLEEPER), Spec("beat", SLEEPER, late=True)) as running:
        running.watch(start_late=False)
        assert [child.process is not None for child in running.children] == [True, False]
        running.watch(start_late=True)
        assert all(child.process is not None for child in running.children)


def test_lines_of_a_child_carry_its_name(said: list[str]) -> None:
    with _supervised(said, Spec("web", [sys.executable, "-c", "print('{\"level\": 1}')"])) as running:
        running.watch()
        _wait_for(lambda: said, 20, "a line")
    assert said[0] == 'web      | {"level": 1}'


def test_children_keep_byte_code_whatever_the_shell_says() -> None:
    kept = supervisor.child_environment({"PYTHONDONTWRITEBYTECODE": "1", supervisor.PLAN: "{}", "PORT": "1"})
    assert "PYTHONDONTWRITEBYTECODE" not in kept and supervisor.PLAN not in kept and kept["PORT"] == "1"


# ---- the command's refusals


def test_a_public_address_is_refused_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TWINWEB_PUBLIC", raising=False)
    for host in ("0.0.0.0", "::", "192.0.2.7", "ward.example"):
        with pytest.raises(CommandError, match="unencrypted"):
            up._refuse_public_bind(host)
    for host in ("127.0.0.1", "::1", "localhost"):
        up._refuse_public_bind(host)
    monkeypatch.setenv("TWINWEB_PUBLIC", "1")
    up._refuse_public_bind("0.0.0.0")


def test_a_second_start_on_the_same_data_is_refused_and_names_the_first(tmp_path: Path) -> None:
    first = lock.hold(tmp_path, "process 1 (http://127.0.0.1:8000)")
    with pytest.raises(lock.DataDirectoryInUse, match=r"process 1 \(http://127.0.0.1:8000\)"):
        lock.hold(tmp_path, "process 2")
    os.close(first)
    os.close(lock.hold(tmp_path, "process 3"))


@pytest.mark.parametrize("port", ["", "none", "0", "70000", "-1"])
def test_a_port_that_is_no_port_is_refused(port: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", port)
    with pytest.raises(CommandError, match="PORT"):
        up._address()


# ---- the demo ward


@pytest.fixture
def seeded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings: Any) -> list[str]:
    """The commands that `up` called, on a data directory with the demo asked for."""
    called: list[str] = []
    settings.DATA_DIR, settings.DEMO = tmp_path, True
    monkeypatch.setattr(up, "call_command", called.append)
    return called


def test_an_empty_database_gets_the_demo_ward(seeded: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(up, "_has_patients", lambda: False)
    up.Command()._seed()
    assert seeded == ["seed_demo"]


def test_a_database_with_patients_gets_no_synthetic_ones(seeded: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(up, "_has_patients", lambda: True)
    up.Command()._seed()
    assert seeded == [] and not up._demo_is_there()
    assert [spec.name for spec in up.child_specs(demo=up._demo_is_there())] == ["web", "worker", "beat", "trainer"]


def test_a_seeding_that_was_cut_short_is_taken_up_again(seeded: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(name: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(up, "_has_patients", lambda: False)
    monkeypatch.setattr(up, "call_command", killed)
    with pytest.raises(KeyboardInterrupt):
        up.Command()._seed()
    monkeypatch.setattr(up, "_has_patients", lambda: True)
    monkeypatch.setattr(up, "call_command", seeded.append)
    up.Command()._seed()
    up.Command()._seed()
    assert seeded == ["seed_demo"]


def test_the_greeting_shows_the_demo_logins_only_with_the_demo(seeded: list[str], settings: Any) -> None:
    (settings.DATA_DIR / "demo-logins.txt").write_text("clinician nurse pass{word}\n")
    shown = up.greeting("127.0.0.1", 8000).format(seconds=1.0)
    assert "clinician nurse pass{word}" in shown and "http://127.0.0.1:8000/" in shown
    settings.DEMO = False
    assert "nurse" not in up.greeting("127.0.0.1", 8000).format(seconds=1.0)


# ---- the whole


def _processes_on(data: Path) -> set[int]:
    """Ids of the live processes whose environment names this data directory."""
    mark = f"TWINWEB_DATA={data}".encode()
    found = set()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if mark in (entry / "environ").read_bytes().split(b"\0") and _alive(int(entry.name)):
                found.add(int(entry.name))
        except OSError:
            continue
    return found


@contextmanager
def _product(data: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    kept = {name: value for name, value in os.environ.items() if name not in NOT_EMBEDDED}
    environment = {**kept, "TWINWEB_DATA": str(data), "TWINWEB_DEMO": "0", "PORT": str(port)}
    with (data.parent / "up.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "up"], cwd=ROOT, env=environment, stdout=log, stderr=log
        )
    try:
        _wait_for(lambda: supervisor.answers("127.0.0.1", port), 180, "the web server")  # it may migrate first
        yield process
    finally:
        for pid in _processes_on(data):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        process.wait(timeout=20)


@pytest.mark.faults
def test_the_product_starts_heals_and_stops(tmp_path: Path) -> None:
    data, port = tmp_path / "data", free_port()
    with _product(data, port) as process:
        assert stat.S_IMODE(data.stat().st_mode) == 0o700
        assert stat.S_IMODE((data / "secret_key").stat().st_mode) == 0o600
        assert stat.S_IMODE((data / "twinweb.sqlite3").stat().st_mode) == 0o600
        _wait_for(lambda: (data / "worker.heartbeat").exists(), 60, "the worker")
        _wait_for(lambda: (data / "beat.heartbeat").exists(), 60, "beat")
        before = _processes_on(data)
        for pid in before - {process.pid}:
            os.kill(pid, signal.SIGKILL)
        _wait_for(lambda: not supervisor.answers("127.0.0.1", port), 20, "the web server's death")
        _wait_for(lambda: supervisor.answers("127.0.0.1", port), 60, "the web server's return")
        process.terminate()
        assert process.wait(timeout=40) == 0
        assert _processes_on(data) == set()


@pytest.mark.faults
def test_killing_the_supervisor_leaves_no_orphan(tmp_path: Path) -> None:
    data, port = tmp_path / "data", free_port()
    template_database.begin(data)
    with _product(data, port) as process:
        _wait_for(lambda: (data / "beat.heartbeat").exists(), 60, "beat")
        assert len(_processes_on(data)) >= 5
        process.kill()
        process.wait(timeout=10)
        _wait_for(lambda: not _processes_on(data), 10, "the orphans to end")
    with _product(data, port) as again:
        again.terminate()
        assert again.wait(timeout=40) == 0
