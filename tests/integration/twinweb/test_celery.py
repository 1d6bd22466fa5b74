"""The Celery application: safe options, and a doorbell that never makes anybody wait for a dead broker."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from kombu.exceptions import OperationalError

from tests.servers import free_port, redis_server
from twinweb import celery, doorbell
from twinweb.schedule import SCHEDULE

ROOT = Path(__file__).resolve().parents[3]
PUBLISH = """
import json, time
from twinweb.celery import app
took = []
for _ in range(3):
    begun = time.monotonic()
    try:
        app.send_task("recovery.sweep")
        outcome = "sent"
    except Exception as error:
        outcome = type(error).__name__
    took.append([outcome, time.monotonic() - begun])
print(json.dumps(took))
"""


def _publish_three_times(url: str, data: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[object]]:
    monkeypatch.setenv("REDIS_URL", url)
    monkeypatch.setenv("TWINWEB_DATA", str(data))
    run = subprocess.run(
        [sys.executable, "-c", PUBLISH], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    outcome: list[list[object]] = json.loads(run.stdout)
    return outcome


@pytest.fixture
def black_hole() -> Iterator[str]:
    """A port that takes connections and never answers, as a broker behind a broken firewall does."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        yield f"redis://127.0.0.1:{listener.getsockname()[1]}/0"


def test_messages_are_json_and_acknowledged_after_the_work() -> None:
    conf = celery.app.conf
    assert conf.accept_content == ["json"] and conf.task_serializer == "json"
    assert conf.task_acks_late and conf.task_reject_on_worker_lost and conf.task_ignore_result
    assert conf.worker_prefetch_multiplier == 1


def test_a_task_ends_before_redis_would_hand_it_out_again() -> None:
    options = celery.redis_broker("redis://x")["broker_transport_options"]
    assert celery.TASK_TIME_LIMIT < options["visibility_timeout"]


def test_abandoned_redis_messages_are_looked_for_every_five_seconds() -> None:
    options = celery.redis_broker("redis://x")["broker_transport_options"]
    assert options["unacked_restore_interval"] * options["unacked_restore_throttle"] == 5


def test_ingest_goes_before_twin_before_alerts_before_training() -> None:
    assert celery.QUEUES == ("ingest", "twin", "alerts", "training")
    assert celery.embedded_broker(settings.DATA_DIR)["broker_transport_options"]["queue_order"] == celery.QUEUES
    redis_options = celery.redis_broker("redis://x")["broker_transport_options"]
    assert redis_options["queue_order_strategy"] == "priority"
    assert [queue.name for queue in celery.app.conf.task_queues] == list(celery.QUEUES)


def test_every_route_leads_to_a_queue_that_is_consumed() -> None:
    assert set(celery.ROUTES.values()) <= set(celery.QUEUES)


def test_ticks_that_nobody_took_are_dropped() -> None:
    assert all(entry["options"]["expires"] > 0 for entry in SCHEDULE.values())


@pytest.mark.faults
def test_a_black_holed_redis_holds_a_publish_for_less_than_a_second(
    black_hole: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes = _publish_three_times(black_hole, tmp_path, monkeypatch)
    assert [name for name, _ in outcomes] == ["OperationalError"] * 3
    assert all(float(str(took)) < 1.0 for _, took in outcomes)


@pytest.mark.faults
def test_a_redis_that_refuses_connections_holds_a_publish_for_less_than_a_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes = _publish_three_times(f"redis://127.0.0.1:{free_port()}/0", tmp_path, monkeypatch)
    assert [name for name, _ in outcomes] == ["OperationalError"] * 3
    assert all(float(str(took)) < 1.0 for _, took in outcomes)


def test_a_healthy_redis_takes_messages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with redis_server(tmp_path) as url:
        outcomes = _publish_three_times(url, tmp_path, monkeypatch)
    assert [name for name, _ in outcomes] == ["sent"] * 3


def test_the_doorbell_tries_again_after_its_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    bell = doorbell.DoorbellCelery("bell", broker=f"redis://127.0.0.1:{free_port()}/0", set_as_current=False)
    bell.conf.broker_transport_options = {"max_retries": 0}
    bell.conf.task_publish_retry = False
    with pytest.raises(OperationalError):
        bell.send_task("anything")
    with pytest.raises(OperationalError, match="a moment ago"):
        bell.send_task("anything")
    later = time.monotonic() + doorbell.REST + 1
    monkeypatch.setattr(doorbell.time, "monotonic", lambda: later)
    with pytest.raises(OperationalError, match="refused"):
        bell.send_task("anything")
