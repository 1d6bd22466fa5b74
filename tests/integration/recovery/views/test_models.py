"""The models pages: proposing, answering, going back, training, cards; and that a shadow is seen nowhere else."""

import ast
from pathlib import Path

import pytest
from django.urls import reverse
from django.utils import timezone

from recovery.models import AuditEvent, ModelChange, ModelVersion, ShadowRisk, Snapshot, TrainingRun
from recovery.presenters.hypotheses_card import hypotheses_json, hypotheses_view
from recovery.services import model_report, served_models
from recovery.twin import hazard_store, hypotheses_store
from recovery.twin.cold_start import cold_start
from recovery.twin.hypotheses_store import shipped_for
from tests import factories

WHY = "Calibrated on our own patients"


@pytest.fixture(autouse=True)
def nothing_remembered():
    served_models._hazard.cache_clear()
    served_models._population.cache_clear()


@pytest.fixture
def version(scene) -> ModelVersion:
    said = {"value": 0.81, "low": 0.74, "high": 0.88}
    tenth = {"n": 50, "events": 5, "predicted": 0.1, "observed": {"value": 0.1, "low": 0.04, "high": 0.2}}
    figures = {"people": 500, "rows": 2000, "events": 120, "brier": 0.05, "auroc": said, "slope": said}
    figures |= {"intercept": said, "observed_over_expected": said, "tenths": [tenth] * 10}
    groups = {"sex": {"male": figures, "not male": None}}
    plain = hazard_store.to_plain(hazard_store.shipped_model()) | {"version": "hazard-own-5"}
    plain["training"] = {"synthetic": True, "run": 5, "cohort": "500 operations", "window": "2026-01-01 to 2026-06-01"}
    plain["training"] |= {"data_sha256": "a" * 64, "code_sha256": "b" * 64}
    return ModelVersion.objects.create(
        kind="hazard",
        version="hazard-own-5",
        parameters=plain,
        trained_on="fitted on synthetic patients",
        evaluation={"out_of_fold": {"all": figures, "days": {}, "subgroups": groups}},
        created_at=scene.now,
    )


def colleague(scene, name: str = "ben", **fields):
    user = factories.make_person(name, fields.pop("role", "administrator"), **fields)
    setattr(scene, name, user)
    return scene.client(name)


def text(answer) -> str:
    return " ".join(answer.content.decode().split())


def test_a_version_is_proposed_by_one_person_and_approved_by_another(scene, version):
    one, two = scene.client("administrator"), colleague(scene)
    one.post(reverse("model_propose", args=[version.pk]), {"reason": WHY})
    change = ModelChange.objects.get()
    assert "somebody else must approve" in text(one.get(reverse("models")))
    address = reverse("model_answer", args=[change.pk])
    assert one.post(address, {"reason": WHY, "answer": "approve"}).status_code == 403
    answer = two.post(address, {"reason": WHY, "answer": "approve"}, follow=True)
    assert "In service" in text(answer) and served_models.hazard().version == "hazard-own-5"
    assert "Go back to the model shipped with the product" in text(one.get(reverse("models")))


def test_going_back_is_one_step_with_a_reason(scene, version):
    one, two = scene.client("administrator"), colleague(scene)
    one.post(reverse("model_propose", args=[version.pk]), {"reason": WHY})
    two.post(reverse("model_answer", args=[ModelChange.objects.get().pk]), {"reason": WHY, "answer": "approve"})
    assert one.post(reverse("model_back", args=["hazard"]), {"reason": "no"}).status_code == 400
    assert served_models.hazard().version == "hazard-own-5"
    answer = one.post(reverse("model_back", args=["hazard"]), {"reason": "Too many alarms since Monday"}, follow=True)
    assert "Back to the model shipped with the product" in text(answer)
    assert "Too many alarms since Monday" in text(answer)


def test_a_named_steward_of_the_wards_may_and_a_colleague_without_the_name_may_not(scene, version):
    steward = colleague(scene, "sue", role="clinician", is_model_steward=True)
    assert steward.get(reverse("model_version", args=[version.pk])).status_code == 200
    assert "Change, train or compare" in text(steward.get(reverse("model")))
    assert scene.client("own").get(reverse("model_version", args=[version.pk])).status_code == 403
    assert "Change, train or compare" not in text(scene.client("own").get(reverse("model")))


def test_the_page_of_a_version_compares_it_with_what_is_served_and_warns(scene, version):
    page = text(scene.client("administrator").get(reverse("model_version", args=[version.pk])))
    assert "0.81 (0.74 to 0.88)" in page and "Fitted to synthetic patients" in page
    assert "withheld" in page and "<svg" in page
    assert page.count("<dt") >= 31


def test_pages_without_anything_to_show_say_so(scene):
    page = text(scene.client("administrator").get(reverse("models")))
    for words in ("No version yet", "No training", "No report yet", "Nothing has been changed"):
        assert words in page


def test_a_report_of_a_small_ward_is_shown_with_the_reason_for_its_silence(scene):
    model_report.make_report(actor=factories.ACTOR, now=scene.now)
    page = text(scene.client("administrator").get(reverse("models")))
    assert "Too few people to judge" in page and "Patient-days followed" in page
    assert scene.episode.patient.family_name not in page


def test_a_training_is_asked_for_shown_and_cancelled(scene):
    client = scene.client("administrator")
    asked = {"kind": "hazard", "since": "2026-01-01", "until": "2026-06-01", "held_out": scene.episode.team_id}
    answer = client.post(reverse("model_train"), asked, follow=True)
    run = TrainingRun.objects.get()
    assert "Waiting for a worker" in text(answer) and 'http-equiv="refresh"' in text(answer)
    assert run.held_out_id == scene.episode.team_id and run.asked_name == "administrator"
    answer = client.post(reverse("model_training_cancel", args=[run.pk]), follow=True)
    assert "Cancelled" in text(answer) and 'http-equiv="refresh"' not in text(answer)


@pytest.mark.parametrize("given", [{"since": "yesterday"}, {"kind": "all"}, {"until": ""}, {"seed": "-1"}])
def test_a_training_that_cannot_be_read_is_refused_by_field(scene, given):
    asked = {"kind": "hazard", "since": "2026-01-01", "until": "2026-06-01"} | given
    answer = scene.client("administrator").post(reverse("model_train"), asked)
    assert answer.status_code == 400 and next(iter(given)) in text(answer)
    assert not TrainingRun.objects.exists()


@pytest.mark.parametrize("kind", ["hazard", "population", "hypotheses"])
def test_the_card_has_all_31_attributes_each_answered_or_not_known_with_the_reason(scene, kind):
    said = scene.client("own").get(reverse("model_card_json", args=[kind])).json()
    assert len(said["attributes"]) == 31
    assert len({one["number"] for one in said["attributes"]}) == 31
    for one in said["attributes"]:
        assert len(one["answer"]) > 15
        assert one["known"] is not one["answer"].startswith("Not known")
        if not one["known"]:
            assert len(one["answer"]) > len("Not known: ")
    page = text(scene.client("own").get(reverse("model_card", args=[kind])))
    assert all(one["name"].split("'")[0] in page for one in said["attributes"])


@pytest.mark.parametrize("kind", ["hazard", "population", "hypotheses"])
def test_the_card_names_the_hypotheses_what_they_were_learned_from_and_their_limits(scene, kind):
    said = scene.client("own").get(reverse("model_card_json", args=[kind])).json()["hypotheses"]
    served = shipped_for(cold_start().version)
    assert said["version"] == served.version and said["training"]["synthetic"] is True
    for page in (reverse("model_card", args=[kind]), reverse("model")):
        shown = text(scene.client("own").get(page))
        assert served.version in shown and "ynthetic cohort" in shown and "not evidence about patients" in shown
        assert "not a diagnosis" in shown and "loose sensor" in shown


def test_where_no_hypotheses_serve_the_pages_say_so():
    silent = hypotheses_view(None)
    assert "No hypotheses" in silent.silent and not silent.version
    assert hypotheses_json(None)["training"] == {}


def test_the_card_of_another_kind_does_not_exist(scene):
    assert scene.client("own").get("/model/detector/").status_code == 404


def test_changes_are_in_the_trail_with_their_reason(scene, version):
    scene.client("administrator").post(reverse("model_propose", args=[version.pk]), {"reason": WHY})
    row = AuditEvent.objects.get(action="model_proposed")
    assert row.actor_name == "administrator" and row.detail["reason"] == WHY


def test_what_a_shadow_says_is_on_no_page_of_a_patient(scene, version):
    ModelVersion.objects.filter(pk=version.pk).update(status="shadow")
    snapshot = Snapshot.objects.get(episode=scene.episode)
    risks = [{"outcome": "complication", "horizon_h": 168, "probability": 0.7731, "low": 0.7, "high": 0.8}]
    ShadowRisk.objects.create(version=version, snapshot=snapshot, made_at=snapshot.made_at, risks=risks)
    for who, name in (("own", "patient"), ("own", "board"), ("own", "alerts"), ("patient", "me"), ("own", "what_if")):
        address = reverse(name, kwargs={"key": scene.episode.key} if name in ("patient", "what_if") else {})
        page = text(scene.client(who).get(address))
        assert "77 in 100" not in page and "0.7731" not in page and "hazard-own-5" not in page


def test_only_the_models_own_files_read_what_a_shadow_said():
    root = Path(__file__).resolve().parents[4]
    readers = set()
    for folder in ("recovery", "integrations", "twinweb"):
        for path in (root / folder).rglob("*.py"):
            if "migrations" in path.parts:
                continue
            names = {node.id for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Name)}
            if "ShadowRisk" in names:
                readers.add(str(path.relative_to(root)))
    assert readers == {"recovery/services/shadow.py", "recovery/services/model_report.py"}


def test_the_list_says_who_put_a_model_into_service_and_the_version_page_what_its_card_lacks(scene, version):
    models = text(scene.client("administrator").get(reverse("models")))
    assert "shipped with the product; nobody here has changed it" in models
    version.parameters["training"]["cohort"] = ""
    version.save()
    page = text(scene.client("administrator").get(reverse("model_version", args=[version.pk])))
    assert "Empty: Population of the training data" in page and "an empty field blocks activation" in page
    assert "Propose for service" not in page
    version.parameters["training"]["cohort"] = "500 operations"
    version.save()
    scene.client("administrator").post(reverse("model_propose", args=[version.pk]), {"reason": WHY})
    change = ModelChange.objects.get()
    colleague(scene).post(reverse("model_answer", args=[change.pk]), {"answer": "approve", "reason": WHY})
    served = text(scene.client("administrator").get(reverse("models")))
    assert "proposed by administrator, approved by ben" in served and "not yet checked here" in served


def own_courses(name: str = "courses-of-ours") -> ModelVersion:
    plain = cold_start().to_plain() | {"version": name}
    return ModelVersion.objects.create(
        kind="population", version=name, parameters=plain, trained_on="our operations", created_at=timezone.now()
    )


def test_courses_without_causes_learned_under_them_say_what_would_be_lost(scene):
    page = text(scene.client("administrator").get(reverse("model_version", args=[own_courses().pk])))
    assert "No causes have been learned under this expected course" in page


def test_where_no_cause_is_weighed_by_name_the_list_says_so(scene):
    ModelVersion.objects.filter(pk=own_courses().pk).update(status="active")
    page = text(scene.client("administrator").get(reverse("models")))
    assert "None were learned under the expected course in service" in page and "Silent" in page
    for kind in ("hypotheses", "population"):
        assert scene.client("own").get(reverse("model_card", args=[kind])).status_code == 200
        said = scene.client("own").get(reverse("model_card_json", args=[kind])).json()
        assert len(said["attributes"]) == 31 and said["hypotheses"]["silent"]


def test_causes_are_trained_under_courses_that_are_chosen(scene):
    ours = own_courses()
    one = scene.client("administrator")
    assert "courses-of-ours" in text(one.get(reverse("models")))
    asked = {"kind": "hypotheses", "since": "2026-01-01", "until": "2026-06-01", "under": ours.pk}
    page = text(one.post(reverse("model_train"), asked, follow=True))
    assert TrainingRun.objects.get().under == ours
    assert "Named causes" in page and "under the expected course courses-of-ours" in page


def test_a_version_of_causes_says_under_which_courses_it_serves_and_what_it_never_saw(scene):
    plain = hypotheses_store.to_plain(shipped_for(cold_start().version)) | {"version": "causes-1"}
    plain["training"] = {
        "twin_version": cold_start().version,
        "causes": {"ssi": 40, "leak": 7},
        "named": ["ssi", "leak"],
    }
    version = ModelVersion.objects.create(
        kind="hypotheses", version="causes-1", parameters=plain, trained_on="our operations", created_at=timezone.now()
    )
    page = text(scene.client("administrator").get(reverse("model_version", args=[version.pk])))
    assert f"Serves only beside the expected course {cold_start().version}" in page
    assert "Not learned for want of patients, so never named: " in page and "pneumonia" in page
    assert "Learned from few: anastomotic leak (7 patients)" in page
