"""The whole suite on SQLite with the own broker, then all that touches a store on a temporary PostgreSQL and Redis.

    python tests/run_suite.py [--embedded | --production] [arguments for pytest]

What touches no store of the run is the same run twice, so it is left out of the second (docs/adr/0020); --production
alone runs everything.

pytest's own lines are printed as they come; the exit code is 0 only when every run that could be made passed. A
server that is not installed is named in a line that starts with "skipped:".
"""

import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests import template_database  # noqa: E402
from tests.servers import ServerMissing, running_postgres, running_redis  # noqa: E402

# Two workers suit two cores; a file stays on one worker, so that a module's servers are started once. The order is that
# of tests/conftest.py: what takes long comes first, so that neither worker waits for the other at the end.
PYTEST = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadfile", "--no-loadscope-reorder"]
# Unit tests open no database; browser tests drive a SQLite product of their own in either run.
STORELESS = ("tests/architecture", "tests/functional", "tests/unit")
OURS = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "STATIC_ROOT", "HOST", "PORT", "DEBUG", "TWINWEB_DEMO")


def main(arguments: list[str]) -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the servers are stopped on the way out
    rest = [word for word in arguments if word not in ("--embedded", "--production")]
    results = {}
    if "--production" not in arguments:
        results["embedded: SQLite"] = _embedded(rest)
    if "--embedded" not in arguments:
        twice = [] if "--production" in arguments else [f"--ignore={name}" for name in STORELESS]
        results["production: PostgreSQL + Redis"] = _production([*rest, *twice])
    for name, code in results.items():
        print(f"{name}: {_verdict(code)}", flush=True)
    return next((code for code in results.values() if code), 0)


def _embedded(arguments: list[str]) -> int:
    _title("embedded: SQLite and the embedded broker")
    template_database.make()
    with _data_directory() as data:
        return _pytest(arguments, {"TWINWEB_DATA": data})


def _production(arguments: list[str]) -> int | None:
    """None when a server is not installed."""
    _title("production: PostgreSQL and Redis")
    if any(word.startswith("--ignore=") for word in arguments):
        print(f"run once, above, as they touch no store of this run: {', '.join(STORELESS)}", flush=True)
    try:
        with _data_directory() as data, running_postgres() as database, _redis() as redis:
            environment = {
                "TWINWEB_DATA": data,
                "DATABASE_URL": database,
                "REDIS_URL": redis,
                "SECRET_KEY": secrets.token_urlsafe(50),
                "STATIC_ROOT": str(Path(data) / "staticfiles"),
            }
            collect = [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0"]
            subprocess.run(collect, cwd=ROOT, env=_environment(environment), check=True)
            return _pytest(arguments, environment)
    except ServerMissing as error:
        print(f"skipped: the run on PostgreSQL and Redis, because {error}", flush=True)
        return None


def _pytest(arguments: list[str], environment: Mapping[str, str]) -> int:
    begun = time.monotonic()
    code = subprocess.run([*PYTEST, *arguments], cwd=ROOT, env=_environment(environment)).returncode
    print(f"({time.monotonic() - begun:.0f} s)", flush=True)
    return code


def _environment(ours: Mapping[str, str]) -> dict[str, str]:
    """What the shell has set for a product of its own must not reach the tests."""
    kept = {name: value for name, value in os.environ.items() if name not in OURS}
    return {**kept, **ours, "TWINWEB_DEMO": "0"}


@contextmanager
def _data_directory() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="twinweb-test-", ignore_cleanup_errors=True) as data:
        yield data


@contextmanager
def _redis() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="twinweb-redis-") as data, running_redis(Path(data)) as url:
        yield url


def _title(text: str) -> None:
    print(f"\n=== {text} ===", flush=True)


def _verdict(code: int | None) -> str:
    return {None: "skipped", 0: "passed"}.get(code, f"FAILED (pytest exit code {code})")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
