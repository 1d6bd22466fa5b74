"""A Redis that could lose messages is refused, and one that will not tell is named."""

import subprocess
import sys
from pathlib import Path

import pytest
from django.test import override_settings

from tests.servers import free_port, redis_server
from twinweb import redis_guard
from twinweb.checks import redis_keeps_messages

ROOT = Path(__file__).resolve().parents[3]


def _ids(url: str) -> list[str]:
    return [finding.id for finding in redis_guard.examine(url)]


def test_redis_with_aof_and_without_eviction_is_fit(tmp_path: Path) -> None:
    with redis_server(tmp_path, "--appendonly", "yes", "--maxmemory-policy", "noeviction") as url:
        assert _ids(url) == []


def test_redis_without_aof_and_with_eviction_is_refused_twice(tmp_path: Path) -> None:
    with redis_server(tmp_path, "--appendonly", "no", "--maxmemory-policy", "allkeys-lru") as url:
        assert _ids(url) == ["twinweb.E010", "twinweb.E011"]


def test_redis_that_hides_its_configuration_is_a_warning(tmp_path: Path) -> None:
    with redis_server(tmp_path, "--appendonly", "no", "--rename-command", "CONFIG", "") as url:
        assert _ids(url) == ["twinweb.W012"]


def test_redis_that_does_not_answer_is_a_warning() -> None:
    assert _ids(f"redis://127.0.0.1:{free_port()}/0") == ["twinweb.W013"]


def test_the_deploy_check_reports_what_the_guard_found(tmp_path: Path) -> None:
    with redis_server(tmp_path, "--appendonly", "no") as url, override_settings(REDIS_URL=url):
        assert [message.id for message in redis_keeps_messages()] == ["twinweb.E010"]


@pytest.mark.faults
def test_a_worker_does_not_start_on_redis_without_aof(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with redis_server(tmp_path, "--appendonly", "no") as url:
        monkeypatch.setenv("REDIS_URL", url)
        monkeypatch.setenv("TWINWEB_DATA", str(tmp_path))
        command = [sys.executable, "-m", "celery", "-A", "twinweb.celery:app", "worker", "--pool", "threads"]
        start = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert start.returncode != 0
    assert "appendonly yes" in start.stderr
