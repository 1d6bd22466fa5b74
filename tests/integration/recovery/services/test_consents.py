"""What a patient withdraws is used no more: not by the twin, a page, a search or a training, from the next query on."""

import json
from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from recovery.audit import Actor
from recovery.exceptions import Invalid
from recovery.models import AuditEvent, ConsentDecision, Document, Episode, Owed, Patient, Sample, Series
from recovery.selectors.careteam import current_snapshots
from recovery.selectors.consents import consents_of, history_of, withdrawn_for_care
from recovery.selectors.fhir_streams import SeriesQuery, series_seen
from recovery.selectors.timeline import observed
from recovery.services import consents, refresh
from recovery.services.ingestion import deliver
from recovery.services.intake import Delivery
from recovery.services.readings import series_of
from recovery.services.training_cases import case_of, eligible
from tests import deliveries as d

ACTOR = Actor.system("test")
NOW = d.SURGERY_END + timedelta(hours=30)
LATER = NOW + timedelta(minutes=1)

pytestmark = pytest.mark.django_db


@pytest.fixture
def episode() -> Episode:
    deliver(delivery=d.enrolment(), actor=ACTOR, now=d.SURGERY_END, atomic=True)
    hours = range(1, 29)
    readings = [d.number(hour, hour, 80.0 + hour % 3) for hour in hours]
    steps = d.series(metric="steps", unit="{steps}")
    readings += [d.number(100 + hour, hour, 40.0, steps) for hour in hours]
    deliver(delivery=Delivery("test", readings=tuple(readings)), actor=ACTOR, now=NOW, atomic=True)
    refresh.refresh_owed(clock=lambda: NOW)
    return Episode.objects.select_related("patient").get()


def decide(episode: Episode, purpose: str, kind: str, allowed: bool, now: datetime = LATER) -> int:
    return consents.decide(
        patient_id=episode.patient_id,
        choices={(purpose, kind): allowed},
        said_by="Ida Hartmann",
        actor=ACTOR,
        now=now,
    )


def said_of(episode: Episode):
    from django.db.models import Q

    return current_snapshots(Q(episode=episode))[episode.pk]


def test_a_withdrawn_type_is_gone_from_page_search_and_twin_at_once_and_the_rest_stays(episode):
    assert {"steps", "heart_rate"} <= set(said_of(episode).metrics)
    decide(episode, "care", "activity", False)
    assert "steps" not in said_of(episode).metrics and "heart_rate" in said_of(episode).metrics
    assert set(observed(episode, LATER)) == {"heart_rate"}
    assert {row.metric for row in series_of(episode)} == {"heart_rate"}
    assert len(list(series_seen(SeriesQuery(["p1"])))) == 1


def test_the_twin_is_made_anew_without_it_and_with_it_again(episode):
    decide(episode, "care", "vitals", False)
    assert Owed.objects.filter(kind="twin", done_seq__lt=2).exists()
    refresh.refresh_owed(clock=lambda: LATER)
    snapshot = episode.snapshots.get(current=True)
    assert snapshot.content["metrics"].get("heart_rate", {}).get("now") is None
    again = LATER + timedelta(hours=1)
    decide(episode, "care", "vitals", True, again)
    refresh.refresh_owed(clock=lambda: again)
    assert episode.snapshots.get(current=True).content["metrics"]["heart_rate"]["now"] is not None


def test_what_arrives_after_a_withdrawal_is_kept_sealed_and_told(episode):
    decide(episode, "care", "vitals", False)
    assert withdrawn_for_care(episode.patient_id)[0].sealed
    late = d.number(1, 29.5, 99.0)
    receipt = deliver(delivery=Delivery("test", readings=(late,)), actor=ACTOR, now=LATER, atomic=True)
    assert receipt.outcomes[1].status == "created" and Sample.objects.filter(value=99.0).exists()
    assert "heart_rate" not in observed(episode, LATER)


def test_what_the_team_is_told_names_the_type_and_the_day(episode):
    decide(episode, "care", "activity", False)
    (told,) = withdrawn_for_care(episode.patient_id)
    assert (told.data_type, told.since) == ("activity", LATER)


def test_a_patient_who_says_no_to_improvement_trains_no_model(episode):
    since, until = d.SURGERY_END - timedelta(days=1), d.SURGERY_END + timedelta(days=60)
    assert list(eligible(since, until)) == [episode]
    decide(episode, "improvement", "activity", False)
    assert set(case_of(episode).samples) == {"heart_rate"}
    decide(episode, "improvement", "records", False)
    assert not eligible(since, until).exists()
    assert "steps" in said_of(episode).metrics


def test_research_needs_a_yes_for_each_type(episode):
    assert not Series.objects.usable_for("research").exists()
    decide(episode, "research", "vitals", True)
    assert [row.metric for row in Series.objects.usable_for("research")] == ["heart_rate"]
    assert Series.objects.sealed("research").count() == 1


def test_a_wearables_reading_without_a_metric_goes_with_either_kind(episode):
    key = d.series(metric="", source="Device/ring")
    deliver(delivery=Delivery("test", readings=(d.number(1, 2, 5.0, key),)), actor=ACTOR, now=NOW, atomic=True)
    unread = Series.objects.get(metric="")
    for kind in ("activity", "vitals"):
        decide(episode, "care", kind, False)
        assert unread not in Series.objects.usable_for("care")
        decide(episode, "care", kind, True)
        assert unread in Series.objects.usable_for("care")


def test_every_decision_is_a_row_and_the_old_one_ends_where_the_new_begins(episode):
    moments = [LATER + timedelta(hours=hour) for hour in range(3)]
    for moment, allowed in zip(moments, (False, True, False), strict=True):
        decide(episode, "care", "activity", allowed, moment)
    past = history_of(episode.patient_id)
    assert [(one.allowed, one.since, one.until) for one in past] == [
        (False, moments[2], None),
        (True, moments[1], moments[2]),
        (False, moments[0], moments[1]),
    ]
    assert AuditEvent.objects.filter(action="consent", patient=episode.patient).count() == 3


def test_saying_the_same_twice_is_one_decision(episode):
    assert decide(episode, "care", "activity", False) == 1
    assert decide(episode, "care", "activity", False) == 0
    assert ConsentDecision.objects.count() == 1


def test_the_fhir_consent_says_what_stands(episode):
    decide(episode, "care", "activity", False)
    document = Document.objects.get(type="Consent")
    said = json.loads(document.content)
    assert said["patient"] == {"reference": "Patient/p1"} and said["performer"] == [{"display": "Ida Hartmann"}]
    permitted = [one["coding"][0]["code"] for one in said["provision"]["provision"][0]["code"]]
    assert permitted == ["vitals", "implant", "answers", "records"]
    decide(episode, "care", "activity", True, LATER + timedelta(hours=1))
    assert Document.objects.get(type="Consent").version == 2


def test_the_record_of_the_operation_cannot_be_withdrawn_from_care(episode):
    with pytest.raises(Invalid, match="must keep"):
        decide(episode, "care", "records", False)
    with pytest.raises(IntegrityError), transaction.atomic():
        ConsentDecision.objects.create(
            patient=episode.patient, purpose="care", data_type="records", allowed=False, since=NOW, said_by="x"
        )


@pytest.mark.parametrize(("purpose", "kind"), [("care", "everything"), ("sale", "activity")])
def test_an_unknown_purpose_or_type_is_refused(episode, purpose, kind):
    with pytest.raises(Invalid):
        decide(episode, purpose, kind, True)


def test_one_patients_decision_is_not_anothers(episode):
    deliver(delivery=d.enrolment("p2"), actor=ACTOR, now=NOW, atomic=True)
    other = d.number(1, 2, 70.0, d.series("p2"))
    deliver(delivery=Delivery("test", readings=(other,)), actor=ACTOR, now=NOW, atomic=True)
    decide(episode, "care", "vitals", False)
    theirs = Series.objects.get(patient__fhir_id="p2")
    assert theirs in Series.objects.usable_for("care")


def test_before_anything_is_said_care_and_improvement_hold_and_research_does_not(episode):
    said = {(one.purpose, one.data_type): one for one in consents_of(episode.patient_id)}
    assert {one.allowed for (purpose, _kind), one in said.items() if purpose == "research"} == {False}
    assert {one.allowed for (purpose, _kind), one in said.items() if purpose != "research"} == {True}
    assert [key for key, one in said.items() if not one.switchable] == [("care", "records")]
    assert Patient.objects.get(pk=episode.patient_id).consents.count() == 0
