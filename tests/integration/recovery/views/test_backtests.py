"""The administrator's backtest pages: for nobody else, in all their states."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from recovery.backtest_files import files_of
from recovery.models import AuditEvent, Backtest

FIGURES = {
    "subjects": 1200,
    "synthetic": True,
    "note": "Judged as shipped.",
    "alerts": {
        "sensitivity": [0.46, 0.4, 0.5],
        "false_alarms_per_patient_day": [0.054, 0.05, 0.06],
        "ppv": None,
        "lead_h": None,
        "by_complication": {"ssi": {"n": 3, "sensitivity": [0.9, 0.5, 1.0], "lead_h": [1, 20, 40]}},
    },
    "risk": {"1": {"n": 10, "events": 2, "auroc": [0.8, 0.7, 0.9], "news2_auroc": None}},
    "forecast": {"heart_rate 7 d": {"n": 5, "coverage90": [0.9, 0.8, 1.0], "coverage50": None}},
    "data": {"problems": {"late": 61939}, "lines": {}},
}


@pytest.fixture(autouse=True)
def places(settings, tmp_path):
    settings.BACKTEST_FILES, settings.BACKTEST_EXPORTS = tmp_path / "files", str(tmp_path / "exports")
    (tmp_path / "exports" / "autumn").mkdir(parents=True)
    (tmp_path / "exports" / "autumn" / "Patient.ndjson").write_text("{}\n")


def make_run(scene, **fields):
    given = {"label": "autumn", "asked_name": "Ada", "created_at": scene.now, "words": "Waiting for a worker."}
    if fields.get("status") not in (None, "queued", "running"):
        given["ended_at"] = scene.now + timedelta(minutes=3)
    return Backtest.objects.create(**{**given, **fields})


def test_the_empty_list_says_so_and_offers_the_exports(scene):
    page = scene.client("administrator").get(reverse("backtests")).content.decode()
    assert "No backtest has been asked for yet" in page and "<option>autumn</option>" in page
    assert "http-equiv" not in page


def test_asking_for_a_folder_waits_for_a_worker_and_is_audited(scene):
    client = scene.client("administrator")
    answer = client.post(reverse("backtests"), {"folder": "autumn", "folds": "5"}, follow=True)
    page, run = answer.content.decode(), Backtest.objects.get()
    assert (run.folder, run.folds, run.status) == ("autumn", 5, "queued")
    assert "waiting for a worker" in page and 'http-equiv="refresh"' in page and "Cancel" in page
    assert AuditEvent.objects.filter(action="backtest_asked", actor_name="administrator").count() == 1


def test_uploaded_files_are_kept_under_their_names(scene):
    files = [SimpleUploadedFile("Patient.ndjson", b"{}\n"), SimpleUploadedFile("Procedure.ndjson.gz", b"x")]
    scene.client("administrator").post(reverse("backtests"), {"files": files, "folds": "0"})
    run = Backtest.objects.get()
    assert sorted(p.name for p in files_of(run.key).uploaded.iterdir()) == ["Patient.ndjson", "Procedure.ndjson.gz"]
    assert run.label == "2 uploaded files"


@pytest.mark.parametrize("sent", [{}, {"folder": "winter"}, {"folder": "../.."}, {"folder": "autumn", "folds": "77"}])
def test_what_cannot_be_replayed_is_refused_in_words(scene, sent):
    answer = scene.client("administrator").post(reverse("backtests"), sent)
    assert answer.status_code == 400 and not Backtest.objects.exists()


def test_too_large_an_upload_is_refused_before_it_is_read(scene, settings):
    settings.MAX_BACKTEST_UPLOAD = 1000
    files = [SimpleUploadedFile("Patient.ndjson", b"x" * 5000)]
    answer = scene.client("administrator").post(reverse("backtests"), {"files": files})
    assert answer.status_code == 400 and "limited to" in answer.content.decode() and not Backtest.objects.exists()


def test_a_post_without_the_token_is_refused(scene):
    from django.test import Client

    client = Client(enforce_csrf_checks=True, headers={"host": "localhost"})
    client.force_login(scene.administrator)
    assert client.post(reverse("backtests"), {"folder": "autumn"}).status_code == 403
    assert not Backtest.objects.exists()


def test_a_running_one_shows_how_far_it_is(scene):
    run = make_run(scene, status="running", progress=42, words="Replaying: 3 of 8")
    page = scene.client("administrator").get(reverse("backtest", args=[run.key])).content.decode()
    assert 'value="42"' in page and "Replaying: 3 of 8" in page and 'http-equiv="refresh"' in page


def test_a_finished_one_shows_its_figures_and_its_files(scene):
    run = make_run(scene, status="done", progress=100, words="Done.", figures=FIGURES, started_at=scene.now)
    page = scene.client("administrator").get(reverse("backtest", args=[run.key])).content.decode()
    for words in ("1,200", "46% (40% to 50%)", "0.054", "Surgical site infection", "Synthetic data", "took 3 min 0 s"):
        assert words in page
    assert "report.html" in page and "61,939" in page and "http-equiv" not in page


def test_a_failed_one_says_why(scene):
    run = make_run(scene, status="failed", words="The worker was killed 2 times.")
    page = scene.client("administrator").get(reverse("backtest", args=[run.key])).content.decode()
    assert "The worker was killed 2 times." in page and "There is no result" in page and "Delete for good" in page


def test_files_come_under_the_strict_policy_and_only_those_of_the_result(scene):
    run = make_run(scene, status="done", figures=FIGURES)
    results = files_of(run.key).results
    results.mkdir(parents=True)
    (results / "report.html").write_text("<!doctype html><p>hello")
    (results / "alerts.csv").write_text("patient\n")
    (results / "models.json").write_text("{}")
    client = scene.client("administrator")
    page = client.get(reverse("backtest_file", args=[run.key, "report.html"]))
    assert page.status_code == 200 and b"".join(page.streaming_content).endswith(b"hello")
    assert "script-src 'self'" in page["Content-Security-Policy"] and page["Content-Type"].startswith("text/html")
    table = client.get(reverse("backtest_file", args=[run.key, "alerts.csv"]))
    assert "attachment" in table["Content-Disposition"] and b"".join(table.streaming_content) == b"patient\n"
    for name in ("models.json", "risk.csv", "..", "%2e%2e"):
        assert client.get(f"/backtests/{run.key}/files/{name}").status_code == 404
    assert AuditEvent.objects.filter(action="backtest_fetched").count() == 2


def test_cancelling_and_deleting_by_the_buttons(scene):
    run, client = make_run(scene), scene.client("administrator")
    client.post(reverse("backtest_cancel", args=[run.key]))
    run.refresh_from_db()
    assert run.status == "cancelled"
    assert client.post(reverse("backtest_cancel", args=[run.key])).status_code == 409
    client.post(reverse("backtest_delete", args=[run.key]))
    assert not Backtest.objects.exists()


@pytest.mark.parametrize("who", ["own", "other", "patient"])
def test_nobody_but_an_administrator_sees_or_does_anything(scene, who):
    run = make_run(scene, status="done", figures=FIGURES)
    client = scene.client(who)
    assert client.get(reverse("backtests")).status_code == 403
    assert client.post(reverse("backtests"), {"folder": "autumn"}).status_code == 403
    for name, given in (("backtest", [run.key]), ("backtest_file", [run.key, "report.json"])):
        assert client.get(reverse(name, args=given)).status_code == 403
    for name in ("backtest_cancel", "backtest_delete"):
        assert client.post(reverse(name, args=[run.key])).status_code == 403
    assert Backtest.objects.count() == 1
