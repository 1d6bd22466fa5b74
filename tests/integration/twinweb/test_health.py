"""Health tells machines the truth, and nothing about patients."""

import json
import os
import socket
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError
from django.test import Client, RequestFactory
from django.utils import timezone

from recovery.models import Owed
from twinweb import health, heartbeat
from twinweb.broker.store import Store


@pytest.fixture(autouse=True)
def embedded(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    settings.REDIS_URL = ""
    settings.EMBEDDED = True
    settings.METRICS_TOKEN = ""


def _ready() -> tuple[int, dict[str, Any]]:
    response = health.readyz(RequestFactory().get("/readyz"))
    return response.status_code, json.loads(response.content)


def test_livez_touches_no_database(monkeypatch: pytest.MonkeyPatch) -> None:
    # No database mark: pytest-django fails this test if anything asks the database.
    assert Client().get("/livez").status_code == 200


@pytest.mark.django_db
def test_a_stranger_may_ask_whether_the_server_is_ready() -> None:
    assert Client().get("/readyz").status_code == 200


@pytest.mark.django_db
def test_a_fresh_server_is_ready_and_names_what_does_not_run_yet() -> None:
    status, body = _ready()
    assert status == 200 and body["ready"] is True
    assert {"worker", "beat", "sweep"} <= set(body["degraded"])
    assert body["parts"]["worker"]["age_seconds"] is None


@pytest.mark.django_db
def test_with_everything_alive_nothing_is_degraded() -> None:
    for role in ("worker", "beat", "sweep"):
        heartbeat.leave(role)
    _, body = _ready()
    assert body["degraded"] in ([], ["disk"])


@pytest.mark.django_db
def test_a_worker_that_fell_silent_is_degraded(tmp_path: Path) -> None:
    heartbeat.leave("worker")
    assert "worker" not in _ready()[1]["degraded"]
    old = time.time() - health.OLDEST["worker"] - 5
    os.utime(tmp_path / "worker.heartbeat", (old, old))
    status, body = _ready()
    assert status == 200 and "worker" in body["degraded"]


@pytest.mark.django_db
def test_work_owed_for_too_long_is_degraded_and_counted() -> None:
    late = timezone.now() - timedelta(seconds=health.OLDEST["owed_work"] + 60)
    Owed.objects.create(kind="twin", key=1, owed_since=late)
    Owed.objects.create(kind="twin", key=2, owed_since=late, done_seq=1)
    _, body = _ready()
    assert "owed_work" in body["degraded"]
    assert body["parts"]["owed_work"]["kinds"]["twin"]["open"] == 1


@pytest.mark.django_db
def test_without_a_database_the_server_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone:
        def cursor(self) -> None:
            raise DatabaseError("gone")

    monkeypatch.setattr(health, "connection", Gone())
    status, body = _ready()
    assert status == 503 and body["ready"] is False
    assert {"database", "migrations"} <= set(body["degraded"])


@pytest.mark.django_db
def test_a_missing_migration_means_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_applied", False)
    monkeypatch.setattr(health.MigrationExecutor, "migration_plan", lambda *_: ["one"])
    status, body = _ready()
    assert status == 503 and "migrations" in body["degraded"]


@pytest.mark.django_db
def test_metrics_count_owed_work_broker_messages_and_heartbeats(tmp_path: Path) -> None:
    Owed.objects.create(kind="twin", key=1, owed_since=timezone.now())
    heartbeat.leave("worker")
    store = Store(tmp_path / "broker.sqlite3")
    store.put("twin", "a", "{}")
    store.close()
    text = Client().get("/metrics").content.decode()
    assert 'twinweb_owed_work{kind="twin"} 1' in text
    assert 'twinweb_broker_messages{queue="twin",state="waiting"} 1' in text
    assert 'twinweb_heartbeat_age_seconds{role="worker"}' in text
    assert "twinweb_dead_letters 0" in text
    assert text.count("# TYPE twinweb_part_ok gauge") == 1


@pytest.mark.django_db
def test_metrics_in_production_ask_for_their_token(settings: Any) -> None:
    settings.EMBEDDED = False
    assert Client().get("/metrics").status_code == 401
    settings.METRICS_TOKEN = "long-random-word"
    assert Client().get("/metrics").status_code == 401
    wrong = Client().get("/metrics", headers={"Authorization": "Bearer another"})
    right = Client().get("/metrics", headers={"Authorization": "Bearer long-random-word"})
    assert (wrong.status_code, right.status_code) == (401, 200)


@pytest.mark.django_db
def test_a_silent_redis_degrades_the_server_and_holds_the_answer_for_less_than_three_seconds(settings: Any) -> None:
    with socket.socket() as black_hole:
        black_hole.bind(("127.0.0.1", 0))
        black_hole.listen(16)
        settings.REDIS_URL = f"redis://127.0.0.1:{black_hole.getsockname()[1]}/0"
        begun = time.monotonic()
        status, body = _ready()
    assert status == 200 and "broker" in body["degraded"]
    assert time.monotonic() - begun < 3
