"""One patient's page: everything from the snapshot, every number with unit, source and time, nothing absurd."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from recovery import audit
from recovery.audit import Actor
from recovery.models import Alert, AlertTransition, AuditEvent, Look
from tests import factories

pytestmark = pytest.mark.django_db
FORBIDDEN = re.compile(r"\b(None|nan|NaN|undefined|inf)\b")
TAGS = re.compile(r"<[^>]+>")


def page(scene, key=None) -> str:
    return scene.client("own").get(f"/patients/{key or scene.episode.key}/").content.decode()


def text_of(body: str) -> str:
    return re.sub(r"\s+", " ", TAGS.sub(" ", body))


def say(scene, **over):
    scene.episode.snapshots.update(content=factories.said(**over))


def test_the_banner_names_who_when_born_which_number_which_operation_and_which_day(scene):
    said = text_of(page(scene))
    for word in ("Ida Hartmann", "birth date not known", "S-1", "Total knee replacement", "Day 1", "synthetic patient"):
        assert word in said


def test_a_reading_has_value_unit_time_and_source(scene):
    said = text_of(page(scene))
    assert re.search(r"82 /min", said) and "Watch" in said and "Own course now 80, 90 % band 71 to 89" in said


def test_every_risk_has_denominator_horizon_and_interval(scene):
    said = text_of(page(scene))
    assert re.search(
        r"12 in 100 people like this: any complication within 7 days\. Likely between 7 and 19 in 100", said
    )
    assert "88 in 100 do not" in said


def test_a_withheld_risk_shows_its_reason_and_no_number(scene):
    withheld = factories.said()["risks"][0] | {
        "probability": None,
        "low": None,
        "high": None,
        "abstained": "The model was made for adults.",
    }
    say(scene, risks=[withheld])
    said = text_of(page(scene))
    assert "The model was made for adults." in said and "in 100 people" not in said


def test_a_partial_score_names_what_is_missing_and_how_high_it_could_be(scene):
    score = {"name": "NEWS2", "value": 3, "highest": 11, "band": "low", "complete": False, "missing": ["consciousness"]}
    score |= {"items": [{"name": "pulse", "points": 1, "value": 112.0}], "source": "RCP 2017"}
    say(scene, scores=[score])
    said = text_of(page(scene))
    assert "at least 3" in said and "consciousness missing; with it the score could be up to 11" in said
    assert "1 point on NEWS2" in said


MILESTONE = {"key": "walk_100m", "label": "Walks 100 m in a day, in all", "metric": "heart_rate", "unit": "/d"}
MILESTONE |= {"target": 200.0, "direction": "up", "from_day": 4, "early": 6, "median": 7, "late": 9, "usual": 8}
MILESTONE |= {"probability": 0.99, "reached": 0.0, "achieved": False, "personal": True, "source": "made up"}


def test_a_milestone_is_a_distribution_beside_where_people_like_this_are(scene):
    assert "Milestones" not in text_of(page(scene))
    say(scene, milestones=[MILESTONE])
    said = text_of(page(scene))
    assert "Day 6 to 9 (8 of 10 chances), middle day 7. Half of people like this by day 8." in said


def test_what_one_might_do_about_the_first_open_alert_is_said_at_the_top(scene):
    scene.episode.alerts.update(steps=["Consider a call.", "Measure again.", "A third."])
    said = text_of(page(scene))
    assert said.index("What next? Consider a call. Measure again. ") < said.index("Nobody has answered yet")
    scene.episode.alerts.update(status="acknowledged")
    assert "What next?" not in text_of(page(scene))


def test_what_waits_for_an_answer_is_said_before_where_the_readings_stand(scene):
    said = text_of(page(scene))
    assert said.index("Several readings off their own course") < said.index("Heart rate on the own expected course.")


def test_the_chart_is_readable_without_scripts(scene):
    body = page(scene)
    assert (
        '<title id="t-heart_rate">Heart rate: latest 82\u00a0/min, expected 71 to 89 (90 % band); on own course.'
        in body
    )
    assert 'class="c-90" d="M' in body and "<table" in body


def test_the_live_part_is_the_page_and_is_audited_apart(scene):
    body = scene.client("own").get(reverse("patient_now", args=[scene.episode.key])).content.decode()
    assert body.lstrip().startswith('<div id="twin"') and "12 in 100" in body
    assert AuditEvent.objects.filter(action="view_patient_live", patient=scene.episode.patient).exists()


def test_the_first_look_and_the_next_one_are_told_apart(scene):
    assert "You have not opened this page before." in page(scene)
    assert "You last looked just now. Nothing has changed since." in text_of(page(scene))


def later(scene, **over):
    """Two hours after the last look: another snapshot."""
    looked = scene.now - timedelta(hours=2)
    scene.client("own").post(reverse("patient_seen", args=[scene.episode.key]), {"at": looked.isoformat()})
    scene.episode.snapshots.update(hour=1, current=False, made_at=scene.now - timedelta(hours=3))
    factories.make_snapshot(scene.episode, scene.now, factories.said(**over))
    Alert.objects.update(raised_at=looked - timedelta(hours=1))


def test_what_changed_since_i_left_is_told_line_by_line(scene):
    heart = factories.said()["metrics"]["heart_rate"]
    fast = heart | {"now": 118.0, "now_source": "Bedside monitor"}
    risk = factories.said()["risks"][0] | {"probability": 0.31, "high": 0.4}
    later(scene, state="act", metrics={"heart_rate": fast}, risks=[risk])
    AlertTransition.objects.create(
        alert=scene.alert, at=scene.now, from_status="open", to_status="acknowledged", actor_name="emil"
    )
    said = text_of(page(scene))
    assert "You last looked 2 h ago. Since then:" in said
    for line in (
        "State: On track, now Act now",
        "above own 90 % band (on own course when you looked)",
        "Risk of any complication: 31 in 100, 12 in 100 when you looked",
        "New source of data: Bedside monitor",
        f"{scene.alert.headline}: taken by emil",
    ):
        assert line in said
    assert "All that has changed (5)" in said, "on a phone the first three stand there, the rest is a tap away"


def test_a_leaving_told_late_or_from_the_future_never_hides_a_change(scene):
    url = reverse("patient_seen", args=[scene.episode.key])
    for hours in (-2, -5, 72):
        scene.client("own").post(url, {"at": (scene.now + timedelta(hours=hours)).isoformat()})
    assert Look.objects.get().at <= timezone.now()
    assert scene.client("own").post(url, {"at": "yesterday"}).status_code == 400


def test_where_no_leaving_was_told_the_last_opening_counts(scene):
    looked = scene.now - timedelta(hours=2)
    audit.record(
        actor=Actor.of_user(scene.own), now=looked, action="view_patient", patient_ids=[scene.episode.patient_id]
    )
    scene.episode.snapshots.update(hour=1, current=False, made_at=scene.now - timedelta(hours=3))
    factories.make_snapshot(scene.episode, scene.now, factories.said("act"))
    assert "State: On track, now Act now" in text_of(page(scene))


def test_an_old_estimate_says_that_it_is_old(scene):
    scene.episode.snapshots.update(made_at=scene.now - timedelta(hours=5))
    assert "Estimates are not being renewed" in page(scene)


ABSURD = {
    "no snapshot at all": None,
    "empty content": {},
    "no readings": factories.said(metrics={}, risks=[], state="no_data", sentence="No reading has arrived yet."),
    "risk 0": factories.said(risks=[factories.said()["risks"][0] | {"probability": 0.0, "low": 0.0, "high": 0.0}]),
    "risk 100": factories.said(risks=[factories.said()["risks"][0] | {"probability": 1.0, "low": 0.1, "high": 1.0}]),
    "unknown state": factories.said("splendid"),
    "nulls everywhere": factories.said(
        metrics={"heart_rate": dict.fromkeys(factories.said()["metrics"]["heart_rate"], None) | {"label": "Heart rate"}}
    ),
    "not finite": factories.said(
        metrics={"heart_rate": factories.said()["metrics"]["heart_rate"] | {"now": 1e999, "norm": -1e308}}
    ),
    "unknown metric": factories.said(
        metrics={"shoe_size": factories.said()["metrics"]["heart_rate"] | {"label": "Shoe size"}}
    ),
    "one point of curve": factories.said(
        metrics={
            "heart_rate": factories.said()["metrics"]["heart_rate"]
            | {"curve": {"hours": [0.0], **{q: [70.0] for q in ("q05", "q25", "q50", "q75", "q95", "norm")}}}
        }
    ),
}


@pytest.mark.parametrize("name", ABSURD)
def test_absurd_content_never_breaks_a_page_or_shows_none(scene, name):
    content = ABSURD[name]
    if content is None:
        scene.episode.snapshots.all().delete()
    else:
        scene.episode.snapshots.update(
            content={k: v for k, v in content.items()} if name != "not finite" else _finite(content)
        )
    for who, url in (("own", "/patients/"), ("own", f"/patients/{scene.episode.key}/"), ("patient", "/me/")):
        answer = scene.client(who).get(url)
        assert answer.status_code == 200
        assert not FORBIDDEN.search(text_of(answer.content.decode()))


def _finite(content):
    """JSON has no infinity: what a careless writer would leave is a huge number."""
    content["metrics"]["heart_rate"]["now"] = 1e300
    return content


@pytest.mark.parametrize(
    ("given", "family"),
    [
        ("Wolfeschlegelsteinhausenbergerdorff" * 5, "Hubert Blaine" * 12),
        ("محمد", "عبد الرحمن"),
        ("", ""),
        ("<script>alert(1)</script>", 'O\'Neil & "Sons"'),
    ],
)
def test_any_name_fits_and_none_is_code(scene, given, family):
    patient = scene.episode.patient
    patient.given_name, patient.family_name = given[:200], family[:200]
    patient.save()
    body = page(scene)
    assert "<script>alert" not in body
    assert ("Unnamed patient" in body) == (not given and not family)


def test_a_planned_operation_without_a_time_has_a_page(scene):
    scene.episode.status, scene.episode.surgery_end = "planned", None
    scene.episode.save()
    assert "day of surgery not known" in page(scene).lower()


def test_the_day_before_surgery_is_counted_backwards(scene):
    scene.episode.surgery_end = scene.now + timedelta(hours=50)
    scene.episode.save()
    assert "2 days before surgery" in text_of(page(scene)).lower()


def crp() -> dict[str, object]:
    """A made-up CRP of 162 mg/L, drawn 20 hours ago and above the own band of then."""
    heart = factories.said()["metrics"]["heart_rate"]
    curve = {"hours": [0.0, 12.0, 24.0, 36.0, 48.0], "norm": [20.0, 50.0, 90.0, 110.0, 120.0]}
    curve |= {name: [10.0 * (i + 1) + 2 * h for h in curve["hours"]] for i, name in enumerate(factories.QUANTILES)}
    own = {"label": "C-reactive protein", "unit": "mg/L", "now": 162.0, "now_source": "Medical device", "worn": None}
    own |= {"expected": 78.0, "low50": 68.0, "high50": 88.0, "low90": 58.0, "high90": 98.0, "norm": 90.0}
    return heart | own | {"baseline": None, "hours_since": 20.0, "curve": curve}


def test_blood_values_have_a_panel_of_their_own_with_the_band_of_when_they_were_drawn(scene):
    content = factories.said()
    say(scene, metrics=content["metrics"] | {"crp": crp()})
    course, _, laboratory = text_of(page(scene)).partition("Laboratory")
    assert "162 mg/L" in laboratory and "above own 90 % band" in laboratory and "Own course then 78" in laboratory
    assert "C-reactive protein" not in course.partition("Course")[2]


def test_without_a_blood_value_the_panel_says_so(scene):
    assert "No blood value that the twin follows" in text_of(page(scene))


CAUSES = {
    "probability": 0.07,
    "ordinary": 0.5,
    "known": 0.2,
    "silent": "",
    "causes": [
        {
            "name": "pneumonia",
            "label": "pneumonia",
            "benign": False,
            "probability": 0.3,
            "begun_h_ago": 20,
            "for": ["oxygen saturation"],
            "against": ["temperature"],
        }
    ],
    "model": "hypotheses-1",
    "evidence": "fitted on a synthetic cohort",
}


def test_what_could_explain_the_last_three_days_is_told_with_its_shares_and_its_model(scene):
    say(scene, suspicion=CAUSES)
    said = text_of(page(scene))
    assert "What could explain the last three days" in said
    assert "7 in 100 that a complication is under way now. Ordinary recovery: 50 in 100" in said
    assert "A complication already diagnosed: 20 in 100." in said
    assert "Pneumonia : 30 in 100; would have begun about 20 h ago. For: oxygen saturation." in said
    assert "A hint, not a diagnosis. Model hypotheses-1, fitted on a synthetic cohort." in said


@pytest.mark.parametrize("suspicion", [None, {}])
def test_a_snapshot_from_before_the_hypotheses_shows_no_causes(scene, suspicion):
    say(scene, suspicion=suspicion)
    assert "What could explain" not in page(scene)
    scene.episode.snapshots.update(content={k: v for k, v in factories.said().items() if k != "suspicion"})
    assert "What could explain" not in page(scene)


def test_silence_of_the_hypotheses_is_said_in_words(scene):
    nothing = {"probability": None, "ordinary": None, "silent": "No reading of the last three days.", "causes": []}
    say(scene, suspicion=nothing)
    said = text_of(page(scene))
    assert "No reading of the last three days." in said and "that a complication is under way" not in said
    assert not FORBIDDEN.search(said)
