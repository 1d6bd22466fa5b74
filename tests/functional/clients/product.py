"""A product of its own for the clients: `manage.py up` with synthetic patients, two registered apps and two systems."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from joserfc.jwk import RSAKey

from tests import template_database
from tests.functional.ward import ROOT
from tests.servers import free_port, wait_for_answer

STARTS_WITHIN_S, PATIENTS = 180.0, 4
LOGINS = "demo-logins.txt"
REGISTER = """
import django, json, sys; django.setup()
from django.utils import timezone
from recovery.audit import Actor
from recovery.services.connections import issue_token
from recovery.services.registration import Wanted, register
said = json.load(sys.stdin)
actor, now = Actor.system("clients"), timezone.now()
found = {"token": issue_token(name="The EHR", scopes="system/*.cruds", actor=actor, now=now)}
for name, one in said.items():
    found[name] = register(wanted=Wanted(name=name, **one), actor=actor, now=now).client_id
print(json.dumps(found))
"""
APP = "launch launch/patient openid fhirUser offline_access online_access patient/*.rs"


@dataclass(frozen=True)
class Product:
    """`token`: of a system with full rights. `app`, `python_app`, `backend`: client ids. `key`: the backend's, PEM.
    `person`: name and password of a clinician."""

    url: str
    token: str
    app: str
    python_app: str
    backend: str
    key: Path
    person: tuple[str, ...]

    @property
    def fhir(self) -> str:
        return f"{self.url}/fhir"

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/fhir+json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.fhir}/{path}", data, headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read())


@contextmanager
def running(data: Path, apps_at: str) -> Iterator[Product]:
    """`apps_at`: where the pages of the SMART JS app are served."""
    clean = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    port = free_port()
    ours = {"TWINWEB_DATA": str(data), "TWINWEB_DEMO": "0", "LOG_LEVEL": "ERROR", "PORT": str(port)}
    ours |= {"DJANGO_SETTINGS_MODULE": "twinweb.settings"}
    run: dict[str, Any] = {"cwd": ROOT, "env": {**clean, **ours}}
    template_database.begin(data)
    for command in (["migrate", "-v", "0"], ["seed_demo", "--patients", str(PATIENTS)]):
        subprocess.run([sys.executable, "manage.py", *command], check=True, stdout=subprocess.DEVNULL, **run)
    pair = RSAKey.generate_key(2048, {"use": "sig"}, private=True)
    key = data / "backend.pem"
    key.write_bytes(pair.as_pem(private=True))
    wanted = registrations(apps_at, {"keys": [{**pair.as_dict(private=False), "kid": pair.thumbprint()}]})
    asked = subprocess.run(
        [sys.executable, "-c", REGISTER], input=json.dumps(wanted), capture_output=True, text=True, check=True, **run
    )
    made = json.loads(asked.stdout.splitlines()[-1])
    up = subprocess.Popen([sys.executable, "manage.py", "up"], stdout=subprocess.DEVNULL, **run)
    try:
        url = f"http://127.0.0.1:{port}"
        wait_for_answer(f"{url}/livez", STARTS_WITHIN_S, up)
        logins = (data / LOGINS).read_text(encoding="utf-8").splitlines()
        person = next(tuple(line.split()[1:3]) for line in logins if line.startswith("clinician"))
        yield Product(url, made["token"], made["app"], made["python app"], made["backend"], key, person)
    finally:
        up.send_signal(signal.SIGTERM)
        up.wait(timeout=60)


def registrations(apps_at: str, jwks: dict[str, Any]) -> dict[str, dict[str, Any]]:
    back = [f"{apps_at}/app.html"]
    return {
        "app": {"kind": "app", "scopes": APP, "redirect_uris": back, "launch_url": f"{apps_at}/launch.html"},
        "python app": {"kind": "app", "scopes": APP, "redirect_uris": [f"{apps_at}/python"]},
        "backend": {"kind": "backend", "scopes": "system/*.rs", "jwks": jwks},
    }
