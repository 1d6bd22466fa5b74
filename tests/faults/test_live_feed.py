"""kill -9 while the ward sends 20 readings a second: nothing acknowledged is lost, every twin is current after."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.senders import Feed
from tests.faults.stack import DIED, ROOT, Stack, prepared, wait_for

pytestmark = [
    pytest.mark.faults,
    pytest.mark.skipif("DATABASE_URL" in os.environ, reason="the embedded product is what is killed here"),
]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with prepared(tmp_path_factory.mktemp("live"), ("seed_demo", "--patients", "6")) as running:
        yield running


def test_a_killed_worker_and_a_killed_web_server_lose_no_acknowledged_reading(stack: Stack, tmp_path: Path) -> None:
    with Feed(stack, rate=20) as feed:
        wait_for(lambda: len(feed.acknowledged) >= 60, 30, "the feed to flow")
        assert stack.kill("worker") >= 1
        before = len(feed.acknowledged)
        wait_for(lambda: len(feed.acknowledged) >= before + 60, 30, "the feed to flow without a worker")
        assert stack.kill("web") >= 2
        before = len(feed.acknowledged)
        wait_for(lambda: len(feed.acknowledged) >= before + 60, 60, "the feed to flow again")
        assert feed.client.tally.retries >= 1, "the web server was never away"
    assert feed.client.tally.refused == 0
    assert stack.ask("settled", "60")["owed"] == 0
    found = stack.ask("missing_readings", feed.written_to(tmp_path / "acknowledged"))
    assert found["wanted"] >= 180 and found["missing"] == [] and found["twice"] == []
    twins = stack.ask("twins")
    assert twins["differing"] == [] and twins["compared"] == twins["twins"] == twins["episodes"] == 6


def test_work_whose_doorbell_was_never_rung_is_found_by_the_sweep(stack: Stack) -> None:
    assert stack.ask("settled", "60")["owed"] == 0
    command = [sys.executable, "-m", "tests.faults.questions", "die_before_the_bell", "demo-01"]
    died = subprocess.run(command, cwd=ROOT, env=stack.environment, capture_output=True, text=True, timeout=60)
    assert died.returncode == DIED, died.stderr
    assert stack.ask("settled", "60")["owed"] == 0
    assert stack.ask("twins")["differing"] == []
