"""kill -9 of worker, web server and the import itself in the middle of an import: run again, it is whole."""

import json
import os
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.export import write_export
from tests.faults.stack import Stack, prepared, wait_for

pytestmark = [
    pytest.mark.faults,
    pytest.mark.skipif("DATABASE_URL" in os.environ, reason="the embedded product is what is killed here"),
]
PATIENTS = 20
COUNTS = re.compile(r"(\w+): (\d+) in = (\d+) stored \+ (\d+) already held \+ (\d+) refused")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with prepared(tmp_path_factory.mktemp("import")) as running:
        yield running


def _packets(stack: Stack) -> int:
    with sqlite3.connect(f"file:{stack.data / 'twinweb.sqlite3'}?mode=ro", uri=True, timeout=30) as store:
        (found,) = store.execute("SELECT count(*) FROM recovery_packet").fetchone()
    store.close()
    return int(found)


def _counts(said: str) -> dict[str, tuple[int, int, int, int]]:
    return {name: tuple(map(int, numbers)) for name, *numbers in COUNTS.findall(said)}  # type: ignore[misc]


def test_an_import_that_was_killed_is_whole_after_a_second_run(stack: Stack, tmp_path: Path) -> None:
    export, names = tmp_path / "export", tmp_path / "ids"
    wanted = write_export(export, PATIENTS)
    names.write_text("\n".join(wanted))
    running = stack.start("import_fhir", str(export))
    try:
        wait_for(lambda: _packets(stack) > 0 or running.poll() is not None, 60, "the first chunk of the import")
        assert running.poll() is None, "the import was over before anything could be killed"
        assert stack.kill("worker") >= 1
        assert stack.kill("web") >= 2
    finally:
        running.kill()
        running.communicate()
    kept = _packets(stack)
    assert kept < len(wanted), "the import was over before it was killed"
    notes = tmp_path / "notes"
    again = _counts(stack.run("import_fhir", str(export), "--refused", str(notes)))
    assert all(one[3] == 0 for one in again.values()), again
    read, stored, held, _ = again["Observation"]
    assert read == len(wanted) == stored + held and held >= kept > 0
    found = stack.ask("missing_ids", str(names))
    repeats = {json.loads(line)["name"].partition("/")[2] for line in notes.read_text().splitlines()}
    assert set(found["missing"]) <= repeats, "only exact repeats of another reading may have lost their own id"
    wait_for(stack.answers, 60, "the web server's return")
    assert stack.ask("settled", "90", seconds=120)["owed"] == 0
    twins = stack.ask("twins")
    assert twins["differing"] == [] and twins["compared"] == twins["twins"] == twins["episodes"] == PATIENTS
