"""kill -9 of workers and web server while a subscriber is told, and a receiver that goes away: all of it arrives."""

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.faults.stack import Stack, prepared, wait_for

pytestmark = pytest.mark.faults
EACH = 40
PATIENTS = ("p1", "p2")


class Receiver:
    """A webhook on loopback that writes down what it acknowledges, while it is up."""

    def __init__(self) -> None:
        self.is_up, self.heard = True, list[tuple[str, int]]()
        hears = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if hears.is_up:
                    hears.heard.append((said["subject"]["reference"][8:], said["valueQuantity"]["value"]))
                self.send_response(200 if hears.is_up else 503)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/hook"

    def values_of(self, patient: str) -> list[int]:
        """In the order in which they first came."""
        return list(dict.fromkeys(value for of, value in self.heard if of == patient))


class System:
    """Sends until it is acknowledged, as every sender may."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.token = stack.run("issue_token", "sender", "--scopes", "system/*.cruds").split()[-1]

    def send(self, method: str, path: str, body: Any = None) -> Any:
        return wait_for(lambda: self._try(method, path, body), 60, f"an answer to {method} {path}")

    def _try(self, method: str, path: str, body: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/fhir+json"}
        data = json.dumps(body).encode() if body else None
        request = urllib.request.Request(f"{self.stack.base_url}/{path}", data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return json.loads(answer.read())
        except (OSError, urllib.error.HTTPError):
            return None


def heart_rate(patient: str, number: int) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
        "subject": {"reference": f"Patient/{patient}"},
        "effectiveDateTime": f"2026-05-04T{8 + number // 60:02d}:{number % 60:02d}:00Z",
        "valueQuantity": {"value": 60 + number, "unit": "/min", "system": "http://unitsofmeasure.org", "code": "/min"},
    }


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    monkeypatch.setenv("SUBSCRIPTION_ALLOW_LOOPBACK", "1")
    with prepared(tmp_path) as running:
        yield running


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    running = Receiver()
    yield running
    running.server.shutdown()
    running.server.server_close()


def test_a_subscriber_hears_everything_in_order_whatever_dies(stack: Stack, receiver: Receiver) -> None:
    system = System(stack)
    for patient in PATIENTS:
        system.send("PUT", f"Patient/{patient}", {"resourceType": "Patient", "id": patient})
    channel = {"type": "rest-hook", "endpoint": receiver.url, "payload": "application/fhir+json"}
    asked = {"resourceType": "Subscription", "status": "requested", "reason": "test", "criteria": "Observation"}
    name = system.send("POST", "Subscription", {**asked, "channel": channel})["id"]
    wait_for(lambda: system.send("GET", f"Subscription/{name}")["status"] == "active", 60, "the subscription")
    for number in range(EACH):
        for patient in PATIENTS:
            system.send("POST", "Observation", heart_rate(patient, number))
        if number in (8, 24):
            wait_for(lambda: receiver.heard, 30, "the first event")
            assert stack.kill("worker") >= 1
        if number == 16:
            assert stack.kill("web") >= 2
        receiver.is_up = number not in range(12, 20)
    wanted = [60 + number for number in range(EACH)]
    arrived = wait_for(
        lambda: all(len(receiver.values_of(one)) == EACH for one in PATIENTS) and receiver.heard, 180, "every event"
    )
    assert len(arrived) >= EACH * len(PATIENTS)
    assert [receiver.values_of(one) for one in PATIENTS] == [wanted, wanted]
