"""kill -9 in the middle of everything: nothing acknowledged is lost, and every twin is current afterwards.

The product as `manage.py up` starts it, on the stores of the run (SQLite, or PostgreSQL and Redis), with a small demo
ward whose devices send 20 readings a second.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.export import write_export
from tests.faults.senders import Feed
from tests.faults.stack import DIED, ROOT, Stack, prepared, wait_for

pytestmark = pytest.mark.faults
ON_THE_WARD, IMPORTED = 6, 20
COUNTS = re.compile(r"(\w+): (\d+) in = (\d+) stored \+ (\d+) already held \+ (\d+) refused")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with prepared(tmp_path_factory.mktemp("kills"), ("seed_demo", "--patients", str(ON_THE_WARD))) as running:
        yield running


def _imported(stack: Stack) -> int:
    """Packets in the store that came with an id, as only the import's do."""
    return stack.number_of("SELECT count(*) FROM recovery_packet WHERE fhir_id IS NOT NULL")


def _flows(feed: Feed, readings: int = 60) -> None:
    before = len(feed.acknowledged)
    wait_for(lambda: len(feed.acknowledged) >= before + readings, 60, "the live feed to flow")


def _killed_half_way(stack: Stack, export: Path, feed: Feed) -> int:
    """Begin the import and kill worker, web server and import in the middle of it; returns what it had stored."""
    running = stack.start("import_fhir", str(export))
    try:
        wait_for(lambda: _imported(stack) > 0 or running.poll() is not None, 60, "the first chunk of the import")
        assert running.poll() is None, "the import was over before anything could be killed"
        assert stack.kill("worker") >= 1
        assert stack.kill("web") >= 2
    finally:
        running.kill()
        running.communicate()
    kept = _imported(stack)
    _flows(feed)
    assert feed.client.tally.retries >= 1, "the web server was never away"
    return kept


def _import_again(stack: Stack, export: Path, notes: Path) -> dict[str, list[int]]:
    """type -> in, stored, already held, refused."""
    said = stack.run("import_fhir", str(export), "--refused", str(notes), seconds=120)
    return {name: list(map(int, numbers)) for name, *numbers in COUNTS.findall(said)}


def test_kills_during_an_import_and_a_live_feed_lose_nothing_that_was_acknowledged(
    stack: Stack, tmp_path: Path
) -> None:
    export, ids, notes = tmp_path / "export", tmp_path / "ids", tmp_path / "notes"
    wanted = write_export(export, IMPORTED, on_the_ward=ON_THE_WARD)
    ids.write_text("\n".join(wanted))
    with Feed(stack, rate=20) as feed:
        _flows(feed)
        kept = _killed_half_way(stack, export, feed)
        again = _import_again(stack, export, notes)
        _flows(feed)
    _check_the_import(stack, again, wanted, kept, ids, notes)
    _check_the_feed(stack, feed, tmp_path / "acknowledged")
    _check_the_twins(stack)


def _check_the_import(
    stack: Stack, counts: dict[str, list[int]], wanted: list[str], kept: int, ids: Path, notes: Path
) -> None:
    assert all(refused == 0 for *_, refused in counts.values()), counts
    read, stored, held, _ = counts["Observation"]
    assert read == len(wanted) == stored + held and held >= kept > 0 and stored > 0
    repeats = {json.loads(line)["name"].partition("/")[2] for line in notes.read_text().splitlines()}
    missing = set(stack.ask("missing_ids", str(ids))["missing"])
    assert missing <= repeats, "only exact repeats of another reading may have lost their own id"


def _check_the_feed(stack: Stack, feed: Feed, path: Path) -> None:
    assert feed.client.tally.refused == 0
    found = stack.ask("missing_readings", feed.written_to(path))
    assert found["wanted"] >= 180 and found["missing"] == [] and found["twice"] == []


def _check_the_twins(stack: Stack) -> None:
    assert stack.ask("settled", "90", seconds=120)["owed"] == 0
    twins = stack.ask("twins")
    assert twins["differing"] == []
    assert twins["compared"] == twins["twins"] == twins["episodes"] == ON_THE_WARD + IMPORTED


def test_work_whose_doorbell_was_never_rung_is_found_by_the_sweep(stack: Stack) -> None:
    assert stack.ask("settled", "60")["owed"] == 0
    command = [sys.executable, "-m", "tests.faults.questions", "die_before_the_bell", "demo-01"]
    died = subprocess.run(command, cwd=ROOT, env=stack.environment, capture_output=True, text=True, timeout=60)
    assert died.returncode == DIED, died.stderr
    assert stack.ask("settled", "60")["owed"] == 0
    assert stack.ask("twins")["differing"] == []
