"""`manage.py up`: everything the embedded product needs, in one command."""

import ipaddress
import json
import os
import socket
import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from twinweb import lock, supervisor

CELERY = [sys.executable, "-m", "celery", "-q", "-A", "twinweb.celery:app"]
WITHOUT = ["--without-gossip", "--without-mingle", "--without-heartbeat"]


class Command(BaseCommand):
    help = "Prepare the data directory and run web, workers, beat and (with the demo) the live simulator."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--prepare-only", action="store_true", help="migrate and seed, then stop")

    def handle(self, *args: Any, prepare_only: bool, **options: Any) -> None:
        began = time.time()
        os.umask(0o077)
        host, port = _address()
        _refuse_public_bind(host)
        settings.DATA_DIR.chmod(0o700)
        try:
            lock.hold(settings.DATA_DIR, f"process {os.getpid()} (http://{host}:{port})")
        except lock.DataDirectoryInUse as error:
            raise CommandError(str(error)) from None
        _refuse_taken_port(host, port)
        if os.geteuid() == 0:
            self.stdout.write("Running as root works, but an ordinary account is safer.")
        for stale in settings.DATA_DIR.glob("*.heartbeat"):
            stale.unlink()  # of the last run; health must not take them for this one's
        self._migrate()
        self._seed()
        if prepare_only:
            return
        self._become_supervisor(host, port, began)

    def _migrate(self) -> None:
        """Apply what is missing. Asking first is quicker than `migrate`, which also visits every table's rights."""
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            self.stdout.write("Preparing the database ...")
            call_command("migrate", interactive=False, verbosity=0)

    def _seed(self) -> None:
        """Seed an empty database, or one whose seeding was cut short; never one that holds other patients."""
        begun = settings.DATA_DIR / "demo-seeding"
        if settings.DEMO and (begun.exists() or not _has_patients()):
            self.stdout.write("Seeding the demo ward (synthetic patients) ...")
            begun.touch()
            call_command("seed_demo")
            begun.unlink()

    def _become_supervisor(self, host: str, port: int, began: float) -> None:
        """Replace this process: the supervisor needs none of what Django loaded."""
        connection.close()
        plan = {
            "host": _reachable(host),
            "port": port,
            "specs": [vars(spec) for spec in child_specs(demo=_demo_is_there())],
            "greeting": greeting(host, port),
            "began": began,
        }
        self.stdout.flush()
        environment = {**os.environ, "HOST": host, "PORT": str(port), supervisor.PLAN: json.dumps(plan)}
        os.chdir(settings.BASE_DIR)
        os.execve(sys.executable, [sys.executable, "-m", "twinweb.supervisor"], environment)  # noqa: S606


def child_specs(*, demo: bool) -> list[supervisor.Spec]:
    """The processes. Training has a worker of its own: it is long, and threads share one interpreter lock."""
    web = [sys.executable, "-m", "gunicorn", "-c", "python:twinweb.gunicorn_conf", "twinweb.asgi:application"]
    worker = [*CELERY, "worker", "-P", "threads", *WITHOUT]
    specs = [
        supervisor.Spec("web", web),
        supervisor.Spec("worker", [*worker, "-n", "worker@%h", "-c", "4", "-Q", "ingest,twin,alerts"]),
        supervisor.Spec("beat", [*CELERY, "beat"], late=True),
        supervisor.Spec("trainer", [*worker, "-n", "trainer@%h", "-c", "1", "-Q", "training"], late=True),
    ]
    if settings.MLLP_PORT:
        specs.append(supervisor.Spec("mllp", [sys.executable, "manage.py", "mllp"], late=True))
    if demo:
        specs.append(supervisor.Spec("simulate", [sys.executable, "manage.py", "simulate"], late=True))
    return specs


def greeting(host: str, port: int) -> str:
    """What the person at the terminal reads when the web server answers; `{seconds}` is filled in then."""
    lines = ["", f"twinweb is ready at http://{_reachable(host)}:{port}/ after {{seconds:.1f}} s. Ctrl-C stops it."]
    if _demo_is_there():
        lines += ["Demo ward with synthetic patients. Sign in with:", _escaped(_logins())]
    else:
        lines.append("Make the first account with: python manage.py createsuperuser")
    return "\n".join([*lines, ""])


def _logins() -> Path:
    return Path(settings.DATA_DIR) / "demo-logins.txt"  # written by seed_demo


def _demo_is_there() -> bool:
    """Is the demo asked for, and was this database seeded? A database with other patients is left alone."""
    return bool(settings.DEMO) and _logins().exists()


def _escaped(path: Path) -> str:
    return path.read_text().rstrip().replace("{", "{{").replace("}", "}}")


def _address() -> tuple[str, int]:
    host, port = os.environ.get("HOST", "127.0.0.1"), os.environ.get("PORT", "8000")
    if not port.isdigit() or not 0 < int(port) < 65536:
        raise CommandError(f"PORT must be a port number, not {port!r}.")
    return host, int(port)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _refuse_public_bind(host: str) -> None:
    """Closed by default: other machines reach this only when somebody decided so."""
    if not _is_loopback(host) and os.environ.get("TWINWEB_PUBLIC") != "1":
        raise CommandError(
            f"HOST={host} would let other machines reach this server, which speaks plain HTTP: passwords and patient"
            " data would cross the network unencrypted. Put a TLS proxy in front (docs/production.md) and set"
            " TWINWEB_PUBLIC=1, or leave HOST at 127.0.0.1."
        )


def _refuse_taken_port(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CommandError(f"Cannot listen on {host}:{port} ({error.strerror}). Choose another PORT.") from None


def _reachable(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104


def _has_patients() -> bool:
    from recovery.models import Patient

    return Patient.objects.exists()
