"""A backtest end to end on a small synthetic export: the same rows whatever the files look like, and no leak."""

import csv
import json
import multiprocessing
import os
import re
import signal
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

from integrations.backtest.errors import BacktestRefused
from integrations.backtest.outputs import FILES
from integrations.backtest.running import Options, backtest
from integrations.backtest.served import served
from tests.exports import make_rows, write_export, write_lines

TABLES = ("alerts.csv", "risk.csv", "forecast.csv")
TIMES = {"alerts.csv": "raised_at", "risk.csv": "at", "forecast.csv": "made_at"}
ROOT = Path(__file__).resolve().parents[4]
# A run until then writes every file, and replays nothing.
BEFORE_ALL = datetime.fromisoformat("2020-01-01T00:00:00+00:00")


def run(cohort, out, **options):
    given = {"every": 3, "workers": 1} | options
    return backtest(cohort, out, served(""), Options(**given), lambda *_: None)


def table(path):
    return list(csv.DictReader(path.read_text().splitlines()))


def bytes_of(out):
    return {name: (out / name).read_bytes() for name in TABLES}


@pytest.fixture(scope="module")
def rows():
    return make_rows(8)


@pytest.fixture(scope="module")
def whole(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("whole")
    report = run(write_export(folder / "in", rows), folder / "out")
    return folder, report


def test_the_rows_have_the_columns_of_the_design_and_nothing_is_left_beside_them(whole):
    folder, report = whole
    assert sorted(p.name for p in (folder / "out").iterdir()) == sorted(FILES)
    risks = table(folder / "out" / "risk.csv")
    assert {row["outcome"] for row in risks} >= {"complication", "pneumonia", "death", "readmission"}
    assert {row["horizon_h"] for row in risks} == {"24", "72", "168", "720"}
    assert all(float(r["low"]) <= float(r["probability"]) <= float(r["high"]) for r in risks)
    forecasts = table(folder / "out" / "forecast.csv")
    assert {row["code"] for row in forecasts} == {"8867-4", "9279-1", "59408-5", "8310-5", "55423-8", "72514-3"}
    alerts = table(folder / "out" / "alerts.csv")
    assert alerts and {row["severity"] for row in alerts} <= {"low", "medium", "high"}
    assert report["subjects"] == 8 and report["synthetic"] and report["alerts"]["complications"] == 3


def test_what_was_out_of_order_is_counted(whole):
    problems = whole[1]["data"]["problems"]
    assert problems["duplicate"] > 20 and problems["late"] > 20 and problems["fahrenheit"] > 50


@pytest.mark.parametrize(
    "form",
    [{"zipped": True, "mixed": 3}, {"parts": 3, "mixed": 5, "zipped": True}],
    ids=["gzip and shuffled", "many shuffled files"],
)
def test_the_form_and_the_order_of_the_files_change_no_byte(whole, rows, tmp_path, form):
    run(write_export(tmp_path / "in", rows, **form), tmp_path / "out")
    assert bytes_of(tmp_path / "out") == bytes_of(whole[0] / "out")


def test_the_number_of_processes_changes_no_byte(whole, tmp_path):
    report = run(whole[0] / "in", tmp_path / "out", workers=2)
    assert bytes_of(tmp_path / "out") == bytes_of(whole[0] / "out")
    same = {key: value for key, value in whole[1].items() if key != "run"}
    assert {key: value for key, value in report.items() if key != "run"} == same


@pytest.mark.parametrize("until", ["2026-01-09T11:30:00+00:00", "2026-01-13T00:00:00+00:00"])
def test_until_an_hour_gives_the_rows_before_it_to_the_byte(whole, tmp_path, until):
    report = run(whole[0] / "in", tmp_path / "out", until=datetime.fromisoformat(until))
    for name, column in TIMES.items():
        full = (whole[0] / "out" / name).read_text()
        times = [row[column] for row in csv.DictReader(full.splitlines())]
        kept = sum(datetime.fromisoformat(at) < datetime.fromisoformat(until) for at in times)
        lines = full.splitlines(keepends=True)
        assert (tmp_path / "out" / name).read_text() == "".join(lines[: 1 + kept])
        assert times == sorted(times)
    assert report["until"] == until


def test_bad_rows_cost_only_themselves_and_are_named(whole, rows, tmp_path):
    folder = write_export(tmp_path / "in", rows)
    good = rows["Observation"][40]
    nobody = {**good, "id": "n", "subject": {"reference": "Patient/nobody"}}
    bad = ['{"resourceType":"Observation"', "[]", "\x00\x01", '"text"', "null", '{"a": 1e999}', json.dumps(nobody)]
    bad += [json.dumps({**good, "id": f"b{n}"} | change) for n, change in enumerate(CHANGES)]
    bad += [json.dumps({"resourceType": "Patient", "id": "x000"})]
    write_lines(folder / "Observation.zzz.ndjson", bad)
    (folder / "Observation.900.ndjson").write_text("\n".join(bad))
    (folder / "Observation.901.ndjson.gz").write_bytes(b"\x1f\x8b\x08 this is no gzip file")
    report = run(folder, tmp_path / "out")
    assert bytes_of(tmp_path / "out") == bytes_of(whole[0] / "out")
    data = report["data"]
    assert data["problems"]["not_readable"] >= 5 and data["problems"]["file_cut_short"] >= 1
    assert data["problems"]["unknown_patient"] == 1
    assert any(one["row"] == "Observation.900.ndjson:1" for one in data["named"])


CHANGES = (
    {"issued": "yesterday"},
    {"status": "entered-in-error"},
    {"code": {}},
    {"code": None},
    {"subject": {}},
    {"valueSampledData": {"data": 5}},
    {"valueSampledData": {"origin": {"value": 0}, "period": 0, "dimensions": 1, "data": "1 2"}},
    {"effectivePeriod": {"start": "2026"}},
    {"effectivePeriod": "x"},
    {"component": 7},
    {"component": [None]},
    {"resourceType": "Condition"},
)


def test_until_before_everything_gives_tables_without_rows(whole, tmp_path):
    report = run(whole[0] / "in", tmp_path / "out", until=BEFORE_ALL)
    assert [len((tmp_path / "out" / name).read_text().splitlines()) for name in TABLES] == [1, 1, 1]
    assert report["subjects"] == 0 and (tmp_path / "out" / "report.html").stat().st_size > 1000


def test_strange_but_readable_patients_stop_nothing(rows, tmp_path):
    """A child, a person of 900, one who died before surgery, a reading of the year 9999, no reading at all."""
    strange = {name: [dict(row) for row in found] for name, found in rows.items()}
    for person, change in zip(strange["Patient"], STRANGE, strict=False):
        person.update(change)
    silent = {"reference": "Patient/x004"}
    strange["Observation"] = [row for row in strange["Observation"] if row["subject"] != silent]
    far = {**strange["Observation"][50], "id": "far", "issued": "9999-12-31T23:59:59Z"}
    far["effectivePeriod"] = {"start": "9999-12-31T00:00:00Z", "end": "9999-12-31T06:00:00Z"}
    strange["Observation"].append(far)
    strange["Device"] = [{key: value for key, value in row.items() if key != "patient"} for row in strange["Device"]]
    report = run(write_export(tmp_path / "in", strange), tmp_path / "out", every=6)
    assert report["subjects"] == 8 and report["abstained"]["age_below_18"] > 0
    assert report["data"]["used"]["Device"] == 8 * report["run"]["groups"]  # of nobody in particular: told to all
    assert any(one["value"] == "Band" and one["subjects"] == 7 for one in report["subgroups"])


STRANGE = (
    {"birthDate": "2020-05-05"},
    {"birthDate": "1126-01-01"},
    {"deceasedDateTime": "2026-01-01T00:00:00Z"},
    {"gender": "unknown", "birthDate": "1950"},
)


def test_an_export_without_operations_is_refused_in_words(rows, tmp_path):
    folder = write_export(tmp_path / "in", {**rows, "Procedure": []})
    with pytest.raises(BacktestRefused, match="No patient of this export"):
        run(folder, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []
    with pytest.raises(BacktestRefused, match="Procedure"):
        run(write_export(tmp_path / "other", {"Patient": rows["Patient"]}), tmp_path / "out")


def test_folds_judge_every_patient_by_a_model_fitted_on_others(rows, tmp_path):
    report = run(write_export(tmp_path / "in", rows), tmp_path / "out", folds=2)
    assert "cross-validated" in report["note"] and report["models"]["risk"] == "cross-validated, 2 folds"
    counted = {key: report["data"]["used"][key] for key in ("Patient", "Procedure")}
    assert counted == {"Patient": 8, "Procedure": 8}


def test_the_report_holds_no_script_and_no_inline_style_and_says_synthetic(whole):
    page = (whole[0] / "out" / "report.html").read_text()
    assert not re.search(r"<script|style\s*=|<style|javascript:|\son[a-z]+\s*=", page)
    assert "Synthetic data" in page and "<svg" in page and "not a cleared medical device" in page


def test_what_an_export_says_of_itself_is_shown_as_text(rows, tmp_path):
    folder = write_export(tmp_path / "in", rows)
    (folder / "SOURCE.txt").write_text("<script>alert(1)</script>")
    run(folder, tmp_path / "out", until=BEFORE_ALL)
    page = (tmp_path / "out" / "report.html").read_text()
    assert "&lt;script&gt;alert(1)" in page and "<script>" not in page


def wait_until_it_replays(child):
    assert any("replaying" in line for line in child.stderr)


def test_a_killed_run_leaves_no_half_report_and_the_next_one_clears_up(whole, tmp_path):
    out = tmp_path / "out"
    command = [sys.executable, "manage.py", "backtest", str(whole[0] / "in"), "--out", str(out), "--workers", "1"]
    child = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    wait_until_it_replays(child)
    child.send_signal(signal.SIGKILL)
    child.communicate()
    assert not [p for p in out.iterdir() if not p.name.startswith(".backtest-")]
    run(whole[0] / "in", out, until=BEFORE_ALL)
    assert sorted(p.name for p in out.iterdir()) == sorted(FILES)


def test_a_stopped_run_says_so_and_leaves_nothing(whole, tmp_path):
    out = tmp_path / "out"
    command = [sys.executable, "manage.py", "backtest", str(whole[0] / "in"), "--out", str(out), "--workers", "2"]
    child = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    wait_until_it_replays(child)
    child.send_signal(signal.SIGTERM)
    told = child.communicate(timeout=60)[1]
    assert child.returncode == 130 and "Stopped" in told
    assert list(out.iterdir()) == []


def test_a_stopped_run_leaves_no_process_that_could_still_write(rows, tmp_path):
    def stop(doing, done, total):
        if done:
            raise KeyboardInterrupt

    options = Options(every=3, workers=2)
    with pytest.raises(KeyboardInterrupt):
        backtest(write_export(tmp_path / "in", rows), tmp_path / "out", served(""), options, stop)
    assert multiprocessing.active_children() == []
    assert list((tmp_path / "out").iterdir()) == []


def test_a_folder_that_is_none_ends_with_two_and_a_sentence(tmp_path):
    command = [sys.executable, "manage.py", "backtest", str(tmp_path / "no"), "--out", str(tmp_path / "out")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=os.environ, check=False)
    assert done.returncode == 2 and "is not a folder" in done.stderr and "Traceback" not in done.stderr


def test_a_result_that_cannot_be_written_is_said_in_a_sentence(whole, tmp_path):
    (tmp_path / "out").write_text("a file, not a folder")
    command = [sys.executable, "manage.py", "backtest", str(whole[0] / "in"), "--out", str(tmp_path / "out")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "File exists" in done.stderr and "Traceback" not in done.stderr
