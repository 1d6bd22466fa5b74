"""Signs of life: their age can be told, across processes and across hosts."""

import os
import stat
import time
from pathlib import Path

import pytest
from django.test import override_settings

from tests.servers import free_port, redis_server
from twinweb import heartbeat


def test_without_a_beat_there_is_no_age(tmp_path: Path) -> None:
    with override_settings(DATA_DIR=tmp_path, REDIS_URL=""):
        assert heartbeat.age("worker") is None


def test_the_age_is_the_time_since_the_last_beat(tmp_path: Path) -> None:
    with override_settings(DATA_DIR=tmp_path, REDIS_URL=""):
        heartbeat.leave("worker")
        path = tmp_path / "worker.heartbeat"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        old = time.time() - 90
        os.utime(path, (old, old))
        assert heartbeat.age("worker") == pytest.approx(90, abs=5)
        heartbeat.leave("worker")
        assert heartbeat.age("worker") == pytest.approx(0, abs=5)


def test_a_beat_on_another_host_is_seen_through_redis(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    here = tmp_path / "here"
    elsewhere.mkdir()
    here.mkdir()
    with redis_server(tmp_path) as url, override_settings(REDIS_URL=url):
        with override_settings(DATA_DIR=elsewhere):
            heartbeat.leave("worker")
        with override_settings(DATA_DIR=here):
            assert heartbeat.age("worker") == pytest.approx(0, abs=5)
            assert heartbeat.age("beat") is None


def test_a_dead_redis_does_not_stop_a_beat(tmp_path: Path) -> None:
    with override_settings(DATA_DIR=tmp_path, REDIS_URL=f"redis://127.0.0.1:{free_port()}/0"):
        heartbeat.leave("worker")
        assert heartbeat.age("worker") == pytest.approx(0, abs=5)
