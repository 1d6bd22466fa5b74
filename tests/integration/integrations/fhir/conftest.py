"""A system with a bearer token, and a client that speaks FHIR JSON."""

import json
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from integrations.fhir import wire
from recovery.audit import Actor
from recovery.services.connections import issue_token

FHIR_JSON = "application/fhir+json"


class Door:
    """The FHIR door as a system sees it. Bodies may be values, text or bytes."""

    def __init__(self, token: str) -> None:
        self._client = Client(raise_request_exception=False)
        self._headers = {"Authorization": f"Bearer {token}"}

    def send(
        self, method: str, path: str = "", body: Any = None, content_type: str = FHIR_JSON, **headers: str
    ) -> HttpResponse:
        said = {**self._headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        data = json.dumps(body) if isinstance(body, dict | list) else body
        return self._client.generic(method, f"/fhir/{path}".rstrip("/"), data or "", content_type, headers=said)

    def get(self, path: str, **headers: str) -> HttpResponse:
        return self.send("GET", path, **headers)

    def post(self, path: str, body: Any, **headers: str) -> HttpResponse:
        return self.send("POST", path, body, **headers)

    def put(self, path: str, body: Any, **headers: str) -> HttpResponse:
        return self.send("PUT", path, body, **headers)

    def delete(self, path: str, **headers: str) -> HttpResponse:
        return self.send("DELETE", path, **headers)


def content(response: HttpResponse) -> Any:
    """The body as the door itself would read it: decimals exact."""
    return wire.parse(response.content)


def token_for(scopes: str, name: str = "test system") -> str:
    return issue_token(name=name, scopes=scopes, actor=Actor.system("test"), now=timezone.now())


@pytest.fixture
def door(db: None) -> Door:
    return Door(token_for("system/*.cruds"))


@pytest.fixture
def patient(door: Door) -> str:
    """Patient/p1 with Device/d1."""
    assert door.put("Patient/p1", {"resourceType": "Patient", "id": "p1", "gender": "female"}).status_code == 201
    device = {"resourceType": "Device", "id": "d1", "patient": {"reference": "Patient/p1"}}
    assert door.put("Device/d1", device).status_code == 201
    return "p1"
