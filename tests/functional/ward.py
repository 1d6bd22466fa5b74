"""A product of its own for browser tests: private data directory, synthetic ward, real web server on a free port.

`python -m tests.functional.ward` fills the database that TWINWEB_DATA names and exits.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests import template_database
from tests.servers import free_port, wait_for_answer

ROOT = Path(__file__).resolve().parents[2]
STARTS_WITHIN_SECONDS = 60.0
PASSWORD = "a-long-test-password"


@dataclass(frozen=True)
class Ward:
    url: str
    data: Path
    cookies: dict[str, list] = field(default_factory=dict)

    def run(self, code: str) -> None:
        """Run Python against the ward's database, in a process of its own."""
        subprocess.run(
            [sys.executable, "-c", f"import django; django.setup()\n{code}"], **_process(self.data), check=True
        )


@contextmanager
def open_ward(data: Path) -> Iterator[Ward]:
    """Fill a ward in `data` and serve it until the block ends."""
    template_database.begin(data)
    subprocess.run([sys.executable, "-m", "tests.functional.ward"], **_process(data), check=True)
    with serve(data) as ward:
        yield ward


@contextmanager
def serve(data: Path, application: str = "twinweb.asgi:application") -> Iterator[Ward]:
    """A web server on a free port, beside any other on the same data."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "-c", "twinweb/gunicorn_conf.py", application]
    server = subprocess.Popen(command, **_process(data, PORT=str(port), WEB_CONCURRENCY="1"))
    try:
        ward = Ward(f"http://127.0.0.1:{port}", data)
        wait_for_answer(ward.url + "/login/", STARTS_WITHIN_SECONDS, server)
        yield ward
    finally:
        server.terminate()
        server.wait(timeout=40)


def environment(data: Path, **more: str) -> dict[str, str]:
    """Of a process that works on the ward in `data`."""
    clean = {key: value for key, value in os.environ.items() if key not in ("DATABASE_URL", "REDIS_URL")}
    own = {"TWINWEB_DATA": str(data), "TWINWEB_DEMO": "1", "DJANGO_SETTINGS_MODULE": "twinweb.settings", **more}
    return clean | own


def _process(data: Path, **more: str) -> dict:
    return {"cwd": ROOT, "env": environment(data, **more), "stdout": subprocess.DEVNULL}


def fill() -> None:
    """Nine synthetic patients through the real pipeline, four people, two codes that no metric fits."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "twinweb.settings")
    django.setup()
    from django.core.management import call_command
    from django.utils import timezone

    from recovery.models import Patient, UnmappedCode
    from tests import factories

    call_command("migrate", verbosity=0)
    now = timezone.now().replace(microsecond=0)
    team = factories.make_team()
    factories.make_person("nurse", team=team, first_name="Noor", last_name="Haddad")
    factories.make_person("colleague", team=team, first_name="Emil", last_name="Sand")
    factories.make_person("admin", "administrator")
    owner = factories.make_person("ida", "patient", first_name="Ida", last_name="Hartmann")
    factories.make_ward(now, team=team)
    Patient.objects.filter(family_name="Hartmann").update(user=owner)
    for code, unit, reason in (("X-1", "arb", "no metric has this code"), ("8867-4", "/h", "the unit does not fit")):
        UnmappedCode.objects.create(
            system="http://loinc.org", code=code, unit=unit, reason=reason, readings=12, first_seen=now, last_seen=now
        )


if __name__ == "__main__":
    fill()
