"""A worker that comes up takes up the work its killed predecessor held."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone

from recovery import queue
from recovery.models import Owed
from twinweb import worker


class Bell:
    """Stands for the application: remembers what was rung."""

    def __init__(self) -> None:
        self.rung: list[str] = []

    def send_task(self, name: str, **options: Any) -> None:
        self.rung.append(name)


def _owed(**more: Any) -> Owed:
    now = timezone.now()
    return Owed.objects.create(
        **{"kind": "twin", "key": 1, "owed_since": now, "claimed_until": now + timedelta(minutes=5), **more}
    )


def _come_up(hostname: str = "worker@ward") -> list[str]:
    bell = Bell()
    worker.take_up_work(sender=SimpleNamespace(hostname=hostname, app=bell))
    return bell.rung


@pytest.fixture
def embedded(settings: Any) -> None:
    settings.EMBEDDED, settings.REDIS_URL = True, ""


@pytest.mark.django_db
def test_claims_of_a_killed_worker_are_open_when_the_next_one_comes_up(embedded: None) -> None:
    _owed(attempts=1)
    assert queue.claim(kind="twin", limit=5, now=timezone.now()) == []
    assert _come_up() == ["recovery.sweep"]
    assert [claim.key for claim in queue.claim(kind="twin", limit=5, now=timezone.now())] == [1]


@pytest.mark.django_db
def test_a_holder_that_lives_after_all_stores_nothing(embedded: None) -> None:
    _owed(claimed_until=None)
    (held,) = queue.claim(kind="twin", limit=1, now=timezone.now())
    _come_up()
    assert queue.settle(held) is False


@pytest.mark.django_db
def test_work_that_was_tried_often_keeps_its_claim(embedded: None) -> None:
    _owed(attempts=queue.SUSPECT_AFTER + 1)
    _come_up()
    assert queue.claim(kind="twin", limit=5, now=timezone.now()) == []


@pytest.mark.django_db
def test_with_several_workers_nobody_opens_anothers_claim(settings: Any) -> None:
    settings.EMBEDDED, settings.REDIS_URL = False, "redis://127.0.0.1:1/0"
    _owed(attempts=1)
    assert _come_up() == ["recovery.sweep"]
    assert queue.claim(kind="twin", limit=5, now=timezone.now()) == []


@pytest.mark.django_db
def test_the_trainer_takes_up_nothing(embedded: None) -> None:
    _owed(attempts=1)
    assert _come_up("trainer@ward") == []
    assert Owed.objects.get().claimed_until is not None
