"""Throw-away servers for tests: PostgreSQL and Redis on free ports, gone when the block ends.

Nothing here needs a running service: the programs are looked for, and `ServerMissing` says which is not installed.
"""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import RedisError


class ServerMissing(RuntimeError):
    """A server's program is not installed; the text names it."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_answer(url: str, seconds: float, process: "subprocess.Popen[bytes] | None" = None) -> None:
    """Until `url` answers with a page. Fails when it does not in time, or when `process`, its server, has ended."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and (process is None or process.poll() is None):
        try:
            urllib.request.urlopen(url, timeout=2).close()
            return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"{url} does not answer")


@contextmanager
def redis_server(directory: Path, *options: str) -> Iterator[str]:
    """Start Redis with `options` (append-only unless told otherwise) and yield its URL; skips without Redis."""
    try:
        with running_redis(directory, *options) as url:
            yield url
    except ServerMissing as error:
        pytest.skip(str(error))


@contextmanager
def running_redis(directory: Path, *options: str) -> Iterator[str]:
    """As `redis_server`, but raises ServerMissing instead of skipping."""
    port = free_port()
    with redis_on(port, directory, *options):
        yield f"redis://127.0.0.1:{port}/0"


@contextmanager
def redis_on(port: int, directory: Path, *options: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Redis on a port of the caller's, yielded as a process that may be killed; ended at the latest with the block."""
    program = shutil.which("redis-server")
    if program is None:
        raise ServerMissing("redis-server is not installed")
    base = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(directory), "--save", ""]
    server = subprocess.Popen([program, *base, *(options or ("--appendonly", "yes"))], stdout=subprocess.DEVNULL)
    try:
        _wait_until_it_answers(port)
        yield server
    finally:
        server.terminate()
        server.wait(timeout=10)


def _wait_until_it_answers(port: int) -> None:
    deadline = time.monotonic() + 10
    with Redis(port=port) as client:
        while True:
            try:
                client.ping()
                return
            except RedisError:
                if time.monotonic() > deadline:
                    raise


@contextmanager
def running_postgres() -> Iterator[str]:
    """Make a cluster in a new directory, start it, and yield a URL of an empty database.

    PostgreSQL refuses to run as root, so root runs it as the account `postgres`. Durability is left on (fsync), so
    that what is measured and tested is what production does.
    """
    programs = _postgres_programs()
    home = Path(tempfile.mkdtemp(prefix="twinweb-postgres-"))
    port, data = free_port(), home / "data"
    started = False
    try:
        prefix = _as_postgres(home)
        _run([*prefix, programs / "initdb", "-D", data, "-U", "twinweb", "-A", "trust", "-E", "UTF8", "--no-sync"])
        options = f"-p {port} -k {home} -c listen_addresses=127.0.0.1 -c max_connections=200"
        control = [*prefix, programs / "pg_ctl", "-D", data]
        _run([*control, "-w", "-t", "60", "-l", home / "log", "-o", options, "start"])
        started = True
        _run([*prefix, programs / "createdb", "-h", home, "-p", port, "-U", "twinweb", "twinweb"])
        yield f"postgres://twinweb@127.0.0.1:{port}/twinweb"
    finally:
        if started:
            _run([*control, "-m", "fast", "-w", "stop"])
        shutil.rmtree(home, ignore_errors=True)


def _postgres_programs() -> Path:
    """The folder of initdb and pg_ctl; Debian keeps it off the path."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not debian:
        raise ServerMissing("PostgreSQL is not installed")
    return debian[-1].parent


def _as_postgres(home: Path) -> list[str]:
    """The words that run a command as the account `postgres`, which then owns `home`; none unless we are root."""
    if os.geteuid() != 0:
        return []
    try:
        account = pwd.getpwnam("postgres")
    except KeyError:
        raise ServerMissing("PostgreSQL will not run as root and there is no account 'postgres'") from None
    os.chown(home, account.pw_uid, account.pw_gid)
    return ["setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"]


def _run(command: list[object]) -> None:
    words = [str(word) for word in command]
    done = subprocess.run(words, capture_output=True, text=True, cwd="/", timeout=120)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(words)} failed: {done.stderr.strip() or done.stdout.strip()}")
