"""Figures of the served model on the unit's own snapshots and outcomes; small groups are never shown."""

import json
from datetime import timedelta

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from recovery.audit import Actor
from recovery.models import Alert, Document, Episode, Finding, ModelReport, ModelVersion, Patient, ShadowRisk, Snapshot
from recovery.presenters.model_report import reviews
from recovery.services import served_models
from recovery.services.landmarks import landmark_rows
from recovery.services.model_report import make_report
from tests import factories

pytestmark = pytest.mark.django_db
NOW = timezone.now().replace(minute=10)
ACTOR = Actor.system("test")


def ward(n: int = 60, *, seed: int = 3, every_ill: int = 5, days_ago: float = 25.0, version: str = "") -> list[Episode]:
    """n operations that ended `days_ago`, each with a snapshot on day 2; every fifth falls ill on day 5."""
    rng = np.random.default_rng(seed)
    teams = factories.make_team(), factories.make_team("ward-9", "Ward 9")
    version = version or served_models.hazard().version
    made = []
    for i in range(n):
        ill = i % every_ill == 0
        episode = factories.make_episode(
            teams[i % 2], key=f"p{i}", ended=NOW - timedelta(days=days_ago), sex="female" if i % 3 else "male"
        )
        at = episode.surgery_end + timedelta(days=2, hours=1)
        risk = float(np.clip(rng.beta(2, 6) + 0.2 * ill, 0.01, 0.9))
        said = factories.said()
        said["risks"][0] |= {"probability": round(risk, 4)}
        said |= {"model": {"hazard": version, "population": "cold-start-1"}}
        factories.make_snapshot(episode, at, said)
        if ill:
            Finding.objects.create(
                patient=episode.patient,
                document_type="Condition",
                fhir_id=f"c{i}",
                kind="complication",
                key="ssi",
                recorded_at=episode.surgery_end + timedelta(days=5),
            )
        made.append(episode)
    return made


def content() -> dict:
    return make_report(actor=ACTOR, now=NOW).content


def test_the_report_of_an_empty_ward_says_nothing_and_breaks_nothing():
    said = content()
    assert said["risk"]["all"] is None and said["subgroups"]["sex"] == [] and said["burden"]["alerts"] == 0
    assert ModelReport.objects.count() == 1


def test_predictions_are_judged_by_what_happened_in_the_week_after():
    ward()
    said = content()["risk"]
    assert (said["all"]["people"], said["all"]["events"]) == (60, 12)
    assert said["all"]["auroc"]["low"] < said["all"]["auroc"]["value"] < said["all"]["auroc"]["high"]
    assert set(said["days"]) == {"2"}


def test_a_week_that_is_not_over_and_another_version_are_counted_but_not_judged():
    ward(25, days_ago=6.0)
    assert content()["risk"]["open"] == 25
    ward_of_another = ward_of(30, "hazard-old")
    said = content()["risk"]
    assert said["other_version"] == len(ward_of_another) and said["all"] is None


def ward_of(n: int, version: str) -> list[Episode]:
    Snapshot.objects.all().delete()
    Finding.objects.all().delete()
    Episode.objects.all().delete()
    Patient.objects.all().delete()
    return ward(n, version=version)


def test_an_illness_before_the_snapshot_or_after_the_week_is_not_its_event():
    episodes = ward(20, every_ill=100)
    Finding.objects.all().delete()
    for i, days in ((0, 1.0), (1, 12.0), (2, 4.0)):
        Finding.objects.create(
            patient=episodes[i].patient,
            document_type="Condition",
            fhir_id=f"x{i}",
            kind="complication",
            key="ssi",
            recorded_at=episodes[i].surgery_end + timedelta(days=days),
        )
    happened = {row.episode_id: row.happened for row in landmark_rows(since=NOW - timedelta(days=100), now=NOW)}
    assert [happened[one.pk] for one in episodes[:3]] == [False, False, True]


def test_groups_of_fewer_than_twenty_are_withheld_and_the_others_shown():
    ward(50)
    said = content()["subgroups"]
    sex = {one["group"]: one for one in said["sex"]}
    assert sex["male"]["withheld"] and sex["male"]["figures"] is None and sex["male"]["ill"] is None
    assert not sex["female"]["withheld"] and sex["female"]["figures"]["people"] == 33
    assert [one["group"] for one in said["skin tone"]] == ["not recorded"]
    assert {one["group"] for one in said["site"]} == {"Ward 7", "Ward 9"}


def test_race_is_read_as_it_was_sent():
    one, two = ward(2)
    words = {"url": "ombCategory", "valueCoding": {"code": "2054-5", "display": "Black or African American"}}
    race = {"url": "http://hl7.org/fhir/us/core/StructureDefinition/us-core-race", "extension": [words]}
    Document.objects.create(
        type="Patient", fhir_id="p0", content=json.dumps({"extension": [race]}), updated_at=NOW, patient=one.patient
    )
    Document.objects.create(type="Patient", fhir_id="p1", content="{}", updated_at=NOW, patient=two.patient)
    rows = {row.episode_id: row.person.race for row in landmark_rows(since=NOW - timedelta(days=100), now=NOW)}
    assert rows == {one.pk: "Black or African American", two.pk: "not recorded"}


def test_alarms_in_the_week_before_a_diagnosis_count_and_those_after_do_not():
    episodes = ward(100, every_ill=5)
    ill = episodes[::5]
    for i, episode in enumerate(ill):
        at = episode.surgery_end + timedelta(days=4.5 if i < 15 else 5.5)
        factories.make_alert(episode, NOW, raised_at=at, last_hit_at=at)
    Patient.objects.update(sex="female")
    (female,) = content()["subgroups"]["sex"]
    assert female["sensitivity"]["value"] == pytest.approx(0.75) and female["ill"] == 20


def test_burden_counts_alerts_per_patient_day_and_what_people_made_of_them():
    episodes = ward(30)
    for i, episode in enumerate(episodes[:12]):
        state = {"status": "resolved", "resolved_at": NOW, "outcome": "true_problem" if i < 9 else "false_alarm"}
        factories.make_alert(episode, NOW, severity="medium" if i % 2 else "low", **state)
    said = content()["burden"]
    assert said["by_severity"] == {"medium": 6, "low": 6}
    assert said["ppv"]["value"] == pytest.approx(0.75) and said["resolved"] == 12
    assert said["useful"] is None
    assert Alert.objects.count() == 12


def test_a_shadow_is_judged_on_the_very_same_snapshots():
    ward(60)
    version = ModelVersion.objects.create(
        kind="hazard", version="h2", parameters={}, trained_on="x", status="shadow", created_at=NOW
    )
    for snapshot in Snapshot.objects.all():
        risks = [{"outcome": "complication", "horizon_h": 168, "probability": 0.2, "low": 0.1, "high": 0.3}]
        ShadowRisk.objects.create(version=version, snapshot=snapshot, made_at=snapshot.made_at, risks=risks)
    said = content()["shadows"]["h2"]
    assert said["paired"] == 60 and said["shadow"]["events"] == said["served"]["events"] == 12
    assert said["shadow"]["auroc"]["value"] == pytest.approx(0.5)
    assert said["served"]["auroc"]["value"] > 0.5


def test_inputs_that_moved_show_as_drift():
    ward(60, days_ago=60.0)
    for snapshot in Snapshot.objects.all():
        snapshot.content["metrics"]["heart_rate"]["now"] = 70.0 + snapshot.pk % 10
        snapshot.save()
    old = set(Snapshot.objects.values_list("pk", flat=True))
    for i, episode in enumerate(Episode.objects.all()[:60]):
        twin = factories.make_episode(key=f"new{i}", ended=NOW - timedelta(days=20))
        said = factories.said()
        said["metrics"]["heart_rate"]["now"] = 95.0 + episode.pk % 10
        factories.make_snapshot(twin, twin.surgery_end + timedelta(days=2, hours=1), said)
    assert Snapshot.objects.count() == len(old) + 60
    drift = {one["name"]: one for one in content()["drift"]}
    assert drift["Heart rate"]["verdict"] == "large"
    assert drift["Operation"]["verdict"] == "little"


def test_one_command_computes_every_shown_figure_again_and_names_what_differs(capsys):
    ward()
    content()
    call_command("model_report", again=True)
    assert "Every figure" in capsys.readouterr().out
    Finding.objects.filter(fhir_id="c0").update(recorded_at=NOW + timedelta(days=1))
    with pytest.raises(CommandError, match="are others now"):
        call_command("model_report", again=True)
    assert "risk.all.events: 12, 11" in capsys.readouterr().out
    assert ModelReport.objects.count() == 1


def test_without_a_report_there_is_nothing_to_compute_again():
    with pytest.raises(CommandError, match="no report"):
        call_command("model_report", again=True)


def test_the_net_benefit_counts_true_alarms_less_false_ones_at_the_odds_of_the_threshold():
    ward()
    at = next(one for one in content()["decision"] if one["threshold"] == 0.2)
    rows = [(row.risk, row.happened) for row in landmark_rows(since=NOW - timedelta(days=100), now=NOW)]
    right = sum(risk >= 0.2 and happened for risk, happened in rows)
    wrong = sum(risk >= 0.2 and not happened for risk, happened in rows)
    assert at["model"] == pytest.approx((right - wrong / 4) / 60) and at["acted_on"] == right + wrong
    assert at["everyone"] == pytest.approx((12 - 48 / 4) / 60)


def test_what_crossed_its_limit_asks_for_a_review_and_what_did_not_asks_for_nothing():
    wide, off = {"value": 1.2, "low": 0.8, "high": 1.7}, {"value": 2.6, "low": 1.9, "high": 3.4}
    little = {"value": 0.05, "low": 0.02, "high": 0.09}
    low = {"value": 0.5, "low": 0.3, "high": 0.8}

    def said(one, coverage, verdict, useful, groups):
        return {
            "risk": {"all": {"observed_over_expected": one}},
            "weeks": [{"week": "2026-W40", "ratio": one}],
            "coverage": [{"metric": "Steps", "coverage90": coverage}],
            "drift": [{"name": "Device", "verdict": verdict, "index": 0.4}],
            "burden": {"useful": useful},
            "subgroups": {"sex": [{"group": str(i), "figures": {"observed_over_expected": g}} for i, g in groups]},
        }

    assert list(reviews(said(wide, 0.9, "some", wide, enumerate([wide, wide | {"value": 1.6}])))) == []
    found = " ".join(reviews(said(off, 0.7, "large", little, enumerate([low, off]))))
    for words in ("too low here", "Week 2026-W40", "Device has moved", "Steps: the 90 % band", "useful", "By sex"):
        assert words in found
    assert list(reviews({})) == []
