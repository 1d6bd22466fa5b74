"""How often tokens may be asked for: by client and address, so that no client is shut out by another."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client as Browser

from integrations.smart import limits, views
from recovery.models import AuditEvent
from tests.integration.integrations.smart.clients import Said, ask, backend
from tests.integration.integrations.smart.launching import app

pytestmark = pytest.mark.django_db
AT = datetime.fromisoformat("2026-05-04T09:00:10+00:00")


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A clock of the limits alone: assertions are of the real time."""
    told = {"at": AT}
    counter_of = limits.Counter.of.__func__  # type: ignore[attr-defined]
    monkeypatch.setattr(views.Counter, "of", classmethod(lambda cls, request, at: counter_of(cls, request, told["at"])))
    return told


def refused(client_id: str, address: str = "192.0.2.1") -> HttpResponse:
    said = {"grant_type": "authorization_code", "client_id": client_id, "code": "wrong", "code_verifier": "x" * 43}
    return Browser(REMOTE_ADDR=address).post("/oauth/token", said)


def until_it_is_too_much(client_id: str, **more: str) -> HttpResponse:
    for _ in range(limits.REFUSALS_A_MINUTE):
        assert refused(client_id, **more).status_code in (400, 401)
    return refused(client_id, **more)


def test_who_is_refused_too_often_is_told_when_to_ask_again_and_may_then(clock: dict[str, datetime]) -> None:
    client = app().client_id
    said = until_it_is_too_much(client)
    assert said.status_code == 429 and said["Retry-After"] == "50"
    assert said.json()["error"] == "temporarily_unavailable" and said["Cache-Control"] == "no-store"
    assert AuditEvent.objects.filter(action="token").count() == limits.REFUSALS_A_MINUTE
    clock["at"] = AT + timedelta(seconds=50)
    assert refused(client).status_code != 429


def test_nobody_is_shut_out_by_what_others_ask(clock: dict[str, datetime]) -> None:
    """Not by a name used from elsewhere, not by another client of the same address, not by invented names."""
    client, other = app().client_id, backend()
    assert until_it_is_too_much(client).status_code == 429
    assert refused(client, address="192.0.2.2").status_code != 429
    assert until_it_is_too_much("no-such-client", address="127.0.0.1").status_code == 429
    assert refused("invented-too", address="127.0.0.1").status_code == 429
    assert ask(Said(other.client_id).text()).status_code == 200


def test_good_requests_are_limited_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "TOKENS_A_MINUTE", 3)
    client = backend()
    assert [ask(Said(client.client_id).text()).status_code for _ in range(4)] == [200, 200, 200, 429]


def test_a_cache_that_does_not_answer_refuses_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def add(self, *_: Any, **__: Any) -> None:
            raise ConnectionError

    monkeypatch.setattr(limits, "cache", Broken())
    assert ask(Said(backend().client_id).text()).status_code == 200
