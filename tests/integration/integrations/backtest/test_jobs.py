"""The job that runs backtests: progress, results, cancelling, killed workers and processes, uploads."""

import subprocess
import zipfile
from datetime import UTC, datetime, timedelta

import pytest

from integrations.backtest import jobs
from integrations.backtest.errors import BacktestRefused
from integrations.backtest.uploads import unpack
from recovery.audit import Actor
from recovery.backtest_files import files_of
from recovery.exceptions import Conflict, Invalid
from recovery.models import AuditEvent, Backtest
from recovery.services import backtests
from tests import factories
from tests.exports import make_rows, write_export

NOW = datetime(2026, 5, 1, 8, tzinfo=UTC)
ACTOR = Actor.system("test")


class Clock:
    """Each look at it is a second later."""

    def __init__(self):
        self.now = NOW

    def __call__(self):
        self.now += timedelta(seconds=1)
        return self.now


@pytest.fixture
def scene(db, settings, tmp_path):
    settings.BACKTEST_FILES, settings.BACKTEST_EXPORTS = tmp_path / "files", str(tmp_path / "exports")
    (tmp_path / "exports").mkdir()
    return factories.make_person("boss", "administrator")


@pytest.fixture(scope="module")
def rows():
    return make_rows(4, days=8)


def asked(boss, folder="one", **also):
    return backtests.ask_for_folder(folder=folder, folds=0, user=boss, actor=ACTOR, now=NOW, **also)


def test_an_export_on_the_server_becomes_a_result_with_figures_and_files(scene, rows, tmp_path):
    write_export(tmp_path / "exports" / "one", rows)
    run = asked(scene)
    assert jobs.run_owed(clock=Clock()) == 1
    run.refresh_from_db()
    assert (run.status, run.progress, run.words) == ("done", 100, "Done.")
    assert run.figures["subjects"] == 4 and run.figures["synthetic"] and "'roc'" not in str(run.figures["risk"])
    assert (files_of(run.key).results / "report.html").is_file()
    assert set(AuditEvent.objects.values_list("action", flat=True)) == {"backtest_asked", "backtest_done"}
    assert jobs.run_owed(clock=Clock()) == 0


def test_an_uploaded_archive_is_unpacked_and_replayed(scene, rows, tmp_path):
    folder = write_export(tmp_path / "made", rows, zipped=True)
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for path in folder.iterdir():
            archive.write(path, f"some/place/{path.name}")
        archive.writestr("../../evil.ndjson", "{}")
        archive.writestr("readme.exe", "x")
    upload = factories_upload(tmp_path / "all.zip")
    run = backtests.ask_for_files(files=[upload], folds=0, user=scene, actor=ACTOR, now=NOW)
    jobs.run_owed(clock=Clock())
    run.refresh_from_db()
    assert run.status == "done", run.words
    held = {path.name for path in files_of(run.key).uploaded.iterdir()}
    assert "evil.ndjson" in held and "readme.exe" not in held and "all.zip" not in held
    assert not (tmp_path / "evil.ndjson").exists()


def factories_upload(path):
    from django.core.files.uploadedfile import SimpleUploadedFile

    return SimpleUploadedFile(path.name, path.read_bytes())


def test_an_export_that_is_none_fails_with_the_reason_in_words(scene, tmp_path):
    (tmp_path / "exports" / "one").mkdir()
    (tmp_path / "exports" / "one" / "Patient.ndjson").write_text("{}\n")
    run = asked(scene)
    jobs.run_owed(clock=Clock())
    run.refresh_from_db()
    assert run.status == "failed" and "Procedure" in run.words and run.ended_at


def test_an_export_that_vanished_fails_in_words(scene, rows, tmp_path):
    folder = write_export(tmp_path / "exports" / "one", rows)
    run = asked(scene)
    folder.rename(tmp_path / "elsewhere")
    jobs.run_owed(clock=Clock())
    run.refresh_from_db()
    assert (run.status, run.words) == ("failed", "The export is no longer where it was.")


def test_a_run_cancelled_while_it_runs_stops_its_process(scene, rows, tmp_path, monkeypatch):
    write_export(tmp_path / "exports" / "one", rows)
    run = asked(scene)
    monkeypatch.setattr(jobs, "LOOK_EVERY_S", 0.05)
    monkeypatch.setattr(jobs, "_command", lambda order: ["sleep", "600"])
    seen = []
    told = backtests.still_at_it

    def cancelling(**given):
        seen.append(given["progress"])
        if len(seen) == 2:
            backtests.cancel(key=run.key, user=scene, actor=ACTOR, now=NOW)
        return told(**given)

    monkeypatch.setattr(backtests, "still_at_it", cancelling)
    jobs.run_owed(clock=Clock())
    run.refresh_from_db()
    assert (run.status, run.claimed_until) == ("cancelled", None) and len(seen) == 2


def test_a_process_that_is_killed_is_a_failure_with_its_cause(scene, rows, tmp_path, monkeypatch):
    write_export(tmp_path / "exports" / "one", rows)
    run = asked(scene)
    monkeypatch.setattr(jobs, "_command", lambda order: ["sh", "-c", "kill -9 $$"])
    jobs.run_owed(clock=Clock())
    run.refresh_from_db()
    assert run.status == "failed" and "killed by signal 9" in run.words


def test_a_run_whose_worker_was_killed_is_taken_up_again_and_fails_the_second_time(scene, rows, tmp_path):
    write_export(tmp_path / "exports" / "one", rows)
    run = asked(scene)
    first = backtests.take_up(now=NOW)
    assert backtests.take_up(now=NOW + timedelta(seconds=30)) is None
    second = backtests.take_up(now=NOW + timedelta(seconds=61))
    assert (first.key, second.attempt) == (run.key, 2)
    assert not backtests.still_at_it(order=first, progress=50, words="late", now=NOW)
    assert not backtests.finish(order=first, figures={}, now=NOW)
    assert backtests.take_up(now=NOW + timedelta(seconds=200)) is None
    run.refresh_from_db()
    assert run.status == "failed" and "killed 2 times" in run.words


def test_what_the_process_says_moves_the_bar():
    heard = jobs.Heard()
    heard.listen(iter(["100 patients in 1 groups\n", "replaying: 1 of 2\n", "\n"]), jobs.BARS[False])
    assert (heard.progress, heard.words) == (52, "Replaying: 1 of 2")


def test_a_folder_outside_the_allowed_one_is_refused(scene, rows, tmp_path):
    write_export(tmp_path / "secret", rows)
    (tmp_path / "exports" / "link").symlink_to(tmp_path / "secret")
    for name in ("../secret", "/etc", "", ".", "link", str(tmp_path / "secret"), "no\x00"):
        with pytest.raises(Invalid):
            asked(scene, name)
    assert not Backtest.objects.exists()


@pytest.mark.parametrize("name", ["a.exe", "Patient.ndjson.exe", ".ndjson", "x" * 200 + ".ndjson"])
def test_a_file_that_is_no_export_is_refused_by_name(scene, name):
    from django.core.files.uploadedfile import SimpleUploadedFile

    with pytest.raises(Invalid, match="give NDJSON files"):
        given = [SimpleUploadedFile(name, b"x")]
        backtests.ask_for_files(files=given, folds=0, user=scene, actor=ACTOR, now=NOW)


def test_an_archive_that_unpacks_to_too_much_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "big.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("Observation.ndjson", "x" * 1_000_000)
    with pytest.raises(BacktestRefused, match="more than may be unpacked"):
        unpack(tmp_path, 1000)
    (tmp_path / "big.zip").write_bytes(b"this is no archive")
    with pytest.raises(BacktestRefused, match="big.zip is no zip archive"):
        unpack(tmp_path, 1000)
    assert not list(tmp_path.glob("*.ndjson"))


def test_only_so_many_wait_at_once(scene, rows, tmp_path):
    write_export(tmp_path / "exports" / "one", rows)
    for _ in range(backtests.MOST_WAITING):
        asked(scene)
    with pytest.raises(Conflict, match="waiting already"):
        asked(scene)


def test_deleting_removes_the_files_and_leaves_the_trail(scene, rows, tmp_path, django_capture_on_commit_callbacks):
    write_export(tmp_path / "exports" / "one", rows)
    run = asked(scene)
    with pytest.raises(Conflict):
        backtests.delete(key=run.key, user=scene, actor=ACTOR, now=NOW)
    backtests.cancel(key=run.key, user=scene, actor=ACTOR, now=NOW)
    files_of(run.key).results.mkdir(parents=True)
    with django_capture_on_commit_callbacks(execute=True):
        backtests.delete(key=run.key, user=scene, actor=ACTOR, now=NOW)
    assert not files_of(run.key).root.exists() and not Backtest.objects.exists()
    assert AuditEvent.objects.filter(action="backtest_deleted", entity=f"Backtest/{run.key}").exists()


def test_the_command_of_the_job_gives_way_and_ends_with_the_worker(scene, rows, tmp_path):
    write_export(tmp_path / "exports" / "one", rows)
    asked(scene)
    command = jobs._command(backtests.take_up(now=NOW))
    assert "--in-background" in command
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
