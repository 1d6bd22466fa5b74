"""Enrolment: by hand in one page, from the schedule, once; and every change of the plan with its undo."""

import json
import uuid
from datetime import timedelta
from urllib.parse import quote

import pytest
from django.urls import reverse

from recovery.audit import Actor
from recovery.exceptions import Conflict, Forbidden, Invalid, NotFound
from recovery.models import AuditEvent, Document, Episode, EpisodeChange, Owed, Pathway, Patient, Team, TeamMembership
from recovery.ports import ports
from recovery.selectors import schedule
from recovery.services import enrolling, episode_moves
from recovery.services.enrolling import NewOperation
from recovery.services.enrolment_resources import NewPerson
from recovery.services.ingestion import deliver
from tests import factories

pytestmark = pytest.mark.django_db


def typed(scene, **over):
    end = (scene.now - timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M")
    return {
        "token": str(uuid.uuid4()),
        "record_number": "MRN-77",
        "family_name": "Adeyemi",
        "given_name": "Tunde Ola",
        "birth_date": "1958-02-03",
        "sex": "male",
        "procedure": "colectomy_laparoscopic",
        "text": "",
        "end": end,
        "start": "",
        "team": scene.episode.team.key,
        "pathway": "",
    } | over


def send(scene, **over):
    return scene.client("own").post(reverse("enrol"), typed(scene, **over))


def test_one_page_makes_a_patient_an_operation_and_documents_that_the_ehr_can_read(scene):
    answer = send(scene)
    episode = Episode.objects.get(patient__record_number="MRN-77")
    assert answer.status_code == 302 and str(episode.key) in answer["Location"]
    assert (episode.procedure, episode.status, episode.team) == ("colectomy_laparoscopic", "active", scene.episode.team)
    assert (episode.patient.name, episode.patient.sex) == ("Tunde Ola Adeyemi", "male")
    said = json.loads(Document.objects.get(type="Patient", fhir_id=episode.patient.fhir_id).content)
    assert said["identifier"][0]["type"]["coding"][0]["code"] == "MR"
    assert Document.objects.filter(type="Procedure", fhir_id=episode.fhir_id).exists()
    assert Owed.objects.filter(kind="twin", key=episode.pk).exists()
    assert AuditEvent.objects.filter(action="enrol", patient=episode.patient).count() == 1


def test_a_surgeon_is_typed_at_enrolment_and_corrected_on_the_plan_page(scene):
    send(scene, surgeon="Dr. Ada Lane")
    episode = Episode.objects.get(patient__record_number="MRN-77")
    assert (episode.surgeon, episode.surgeon_by_hand) == ("Dr. Ada Lane", True)
    client = scene.client("own")
    assert '<option value="Dr. Ada Lane">' in client.get(reverse("enrol")).content.decode()
    client.post(reverse("plan_surgeon", args=[episode.key]), {"surgeon": "Jonas Weir", "reason": "swapped lists"})
    page = client.get(reverse("plan", args=[episode.key])).content.decode()
    assert "Dr. Ada Lane (written by the team) → Jonas Weir (written by the team)" in page and "swapped lists" in page
    said = json.loads(Document.objects.get(type="Procedure", fhir_id=episode.fhir_id).content)
    assert [one["actor"]["display"] for one in said["performer"]] == ["Jonas Weir"]


def test_the_same_form_sent_twice_is_one_episode(scene):
    said = typed(scene)
    client = scene.client("own")
    places = {client.post(reverse("enrol"), said)["Location"] for _ in range(2)}
    assert len(places) == 1 and Episode.objects.filter(patient__record_number="MRN-77").count() == 1


def test_an_operation_to_come_is_planned(scene):
    send(scene, end=(scene.now + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M"))
    assert Episode.objects.get(patient__record_number="MRN-77").status == "planned"


def test_times_are_the_hospitals_clock(scene, settings):
    settings.HOSPITAL_TIME_ZONE = "America/New_York"
    at = (scene.now - timedelta(days=2)).replace(hour=15, minute=0, second=0, microsecond=0)
    send(scene, end=at.strftime("%Y-%m-%dT%H:%M"))
    gone = Episode.objects.get(patient__record_number="MRN-77").surgery_end - at
    assert gone in (timedelta(hours=4), timedelta(hours=5))


def test_what_is_wrong_is_said_beside_its_field_and_what_was_typed_stays(scene):
    answer = send(scene, birth_date="2158-02-03")
    page = answer.content.decode()
    assert answer.status_code == 422 and "cannot be a birth date" in page and "Adeyemi" in page
    assert not Patient.objects.filter(record_number="MRN-77").exists()


def test_a_number_of_somebody_else_is_refused_without_naming_them(scene):
    answer = send(scene, record_number="S-1")
    page = answer.content.decode()
    assert answer.status_code == 422 and "Check the wristband" in page and "Hartmann" not in page


def test_the_same_person_gets_a_second_operation_but_not_the_same_one_twice(scene):
    send(scene)
    later = (scene.now + timedelta(days=20)).strftime("%Y-%m-%dT%H:%M")
    assert send(scene).status_code == 422
    assert send(scene, end=later, procedure="cholecystectomy").status_code == 302
    assert Patient.objects.filter(record_number="MRN-77").count() == 1
    assert Episode.objects.filter(patient__record_number="MRN-77").count() == 2


def test_a_namesake_born_the_same_day_needs_a_word(scene):
    send(scene)
    asked = send(scene, record_number="MRN-78")
    assert asked.status_code == 422 and "is_another_person" in asked.content.decode()
    assert send(scene, record_number="MRN-78", is_another_person="on").status_code == 302


def enrol_as(scene, user, team):
    return enrolling.enrol(
        token=uuid.uuid4(),
        person=NewPerson("N-1", "New", "Ned", scene.now.date() - timedelta(days=9000), "male"),
        operation=NewOperation("knee_replacement", "", None, scene.now),
        team_key=team,
        pathway_key="",
        is_another_person=False,
        user=user,
        actor=Actor.of_user(user),
        now=scene.now,
    )


def test_enrolling_is_no_way_into_another_teams_patient(scene):
    born = scene.now.date() - timedelta(days=20_000)
    Patient.objects.filter(pk=scene.foreign.patient_id).update(record_number="Q-1", birth_date=born)
    said = {"record_number": "Q-1", "family_name": "Quill", "given_name": "Zoltan", "birth_date": born.isoformat()}
    answer = send(scene, **said)
    assert answer.status_code == 422 and "another team follows this person" in answer.content.decode()
    Episode.objects.filter(pk=scene.foreign.pk).update(status="finished")
    assert send(scene, **said).status_code == 302


def test_nobody_enrols_into_a_team_of_others(scene):
    for who, team in (("own", "ward-9"), ("patient", "ward-7"), ("administrator", "ward-7")):
        with pytest.raises(Forbidden):
            enrol_as(scene, getattr(scene, who), team)


@pytest.fixture
def intake(scene, settings) -> Team:
    settings.INTAKE_TEAM = "intake"
    team = factories.make_team("intake", "Intake")
    TeamMembership.objects.create(team=team, user=scene.own, since=factories.LONG_AGO)
    return team


def announce(scene, *resources):
    delivery = ports().delivery_of(resources, "test")
    deliver(delivery=delivery, actor=Actor.system("ehr"), now=scene.now, atomic=True)


def a_request(scene, **over):
    patient = {"resourceType": "Patient", "id": "coming", "name": [{"family": "Coming", "given": ["Cora"]}]}
    request = {
        "resourceType": "ServiceRequest",
        "id": "order-1",
        "status": "active",
        "intent": "order",
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "609588000"}], "text": "Knee"},
        "subject": {"reference": "Patient/coming"},
        "occurrenceDateTime": (scene.now + timedelta(days=3)).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    announce(scene, patient, request | over)


def test_an_ordered_operation_stands_in_the_schedule_until_it_is_enrolled(scene, intake):
    a_request(scene)
    (one,) = schedule.announced(scene.own, scene.now)
    assert (one.person.name, one.procedure, one.source) == ("Cora Coming", "knee_replacement", "ServiceRequest")
    assert schedule.announced(scene.other, scene.now) == ()
    page = scene.client("own").get(reverse("enrol") + f"?from={quote(one.ticket)}").content.decode()
    assert 'value="Coming"' in page
    start = (scene.now + timedelta(days=3)).strftime("%Y-%m-%dT%H:%M")
    assert f'value="{start}"' in page
    stranger = scene.client("other").get(reverse("enrol") + f"?from={quote(one.ticket)}").content.decode()
    assert "Coming" not in stranger


def test_a_planned_stay_is_announced_too_and_is_taken_over_the_page(scene, intake):
    person = {"resourceType": "Patient", "id": "coming", "name": [{"family": "Coming", "given": ["Cora"]}]}
    stay = {
        "resourceType": "Encounter",
        "id": "stay-1",
        "status": "planned",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"},
        "subject": {"reference": "Patient/coming"},
        "period": {"start": (scene.now + timedelta(days=5)).strftime("%Y-%m-%dT%H:%M:%SZ")},
    }
    announce(scene, person, stay)
    Episode.objects.filter(pk=scene.foreign.pk).update(team=intake)
    assert [one.source for one in schedule.announced(scene.own, scene.now)] == ["Procedure", "Encounter"]
    client = scene.client("own")
    assert "Cora Coming" in client.get(reverse("enrol")).content.decode()
    taken = client.post(reverse("enrol_adopt", kwargs={"key": scene.foreign.key}), {"team": "ward-7"})
    assert taken.status_code == 302 and len(schedule.announced(scene.own, scene.now)) == 1


@pytest.mark.parametrize(
    ("procedure", "taken"), [("colectomy_open", "bowel"), ("knee_replacement", "knee"), ("cardiac", "any"), ("", "any")]
)
def test_the_usual_pathway_is_that_of_the_operation_of_its_kind_or_of_any(scene, procedure, taken):
    for key, of in (("any", ""), ("bowel", "colectomy"), ("knee", "knee_replacement")):
        Pathway.objects.create(key=key, name=key, procedure=of)
    found = enrolling.pathway_for("", procedure)
    assert found is not None and found.key == taken


def test_a_withdrawn_order_announces_nothing(scene, intake):
    a_request(scene, status="revoked")
    assert schedule.announced(scene.own, scene.now) == ()


def test_who_takes_an_announced_operation_first_has_it(scene, intake):
    Episode.objects.filter(pk=scene.foreign.pk).update(team=intake)
    other = scene.other
    (one,) = schedule.announced(scene.own, scene.now)
    said = {"key": one.episode, "pathway_key": "", "now": scene.now}
    with pytest.raises(NotFound):
        enrolling.adopt(**said, team_key="ward-9", user=other, actor=Actor.of_user(other))
    enrolling.adopt(**said, team_key="ward-7", user=scene.own, actor=Actor.of_user(scene.own))
    scene.foreign.refresh_from_db()
    assert scene.foreign.team.key == "ward-7"
    with pytest.raises(Conflict):
        enrolling.adopt(**said, team_key="intake", user=scene.own, actor=Actor.of_user(scene.own))


@pytest.fixture
def enrolled(scene) -> Episode:
    send(scene)
    return Episode.objects.get(patient__record_number="MRN-77")


def by(scene, who="own"):
    user = getattr(scene, who)
    return {"user": user, "actor": Actor.of_user(user), "now": scene.now}


def test_a_moved_operation_reanchors_everything_and_comes_back(scene, enrolled):
    before, version = enrolled.surgery_end, Document.objects.get(fhir_id=enrolled.fhir_id).version
    Owed.objects.all().delete()
    end = before - timedelta(hours=30)
    change = episode_moves.move_day_zero(key=enrolled.key, end=end, start=None, reason="wrong day", **by(scene))
    enrolled.refresh_from_db()
    assert enrolled.day_zero == end
    document = Document.objects.get(fhir_id=enrolled.fhir_id)
    assert document.version == version + 1 and end.strftime("%Y-%m-%dT%H:%M") in document.content
    owed = Owed.objects.get(kind="twin", key=enrolled.pk)
    assert owed.dirty_from_ms is None
    episode_moves.undo(change_key=change.key, **by(scene))
    enrolled.refresh_from_db()
    assert enrolled.day_zero == before
    with pytest.raises(Conflict):
        episode_moves.undo(change_key=change.key, **by(scene))


def test_moving_keeps_the_length_and_into_the_future_makes_it_planned(scene, enrolled):
    start = enrolled.surgery_end - timedelta(hours=2)
    episode_moves.move_day_zero(
        key=enrolled.key, end=enrolled.surgery_end, start=start, reason="known now", **by(scene)
    )
    end = enrolled.surgery_end + timedelta(days=3)
    episode_moves.move_day_zero(key=enrolled.key, end=end, start=None, reason="put off", **by(scene))
    enrolled.refresh_from_db()
    assert (enrolled.status, enrolled.surgery_end - enrolled.surgery_start) == ("planned", timedelta(hours=2))


@pytest.mark.parametrize("days", [-500, 500])
def test_an_operation_is_not_moved_out_of_the_world(scene, enrolled, days):
    end = scene.now + timedelta(days=days)
    with pytest.raises(Invalid, match="within a year"):
        episode_moves.move_day_zero(key=enrolled.key, end=end, start=None, reason="typo", **by(scene))


def test_a_patient_given_away_by_mistake_is_taken_back(scene, enrolled):
    change = episode_moves.transfer(key=enrolled.key, team_key="ward-9", reason="mistake", **by(scene))
    assert scene.client("own").get(reverse("plan", kwargs={"key": enrolled.key})).status_code == 404
    with pytest.raises(NotFound):
        episode_moves.undo(change_key=change.key, **by(scene, "administrator"))
    episode_moves.undo(change_key=change.key, **by(scene))
    enrolled.refresh_from_db()
    assert enrolled.team.key == "ward-7"


def test_what_was_changed_since_is_not_overwritten_by_an_undo(scene, enrolled):
    change = episode_moves.transfer(key=enrolled.key, team_key="ward-9", reason="mistake", **by(scene))
    Episode.objects.filter(pk=enrolled.pk).update(team=None)
    with pytest.raises(Conflict, match="elsewhere"):
        episode_moves.undo(change_key=change.key, **by(scene))


def test_an_ended_episode_is_not_followed_again_because_the_ehr_repeats_itself(scene, enrolled):
    change = episode_moves.finish(key=enrolled.key, reason="went home well", **by(scene))
    said = json.loads(Document.objects.get(type="Procedure", fhir_id=enrolled.fhir_id).content)
    announce(scene, said | {"note": [{"text": "coded"}]})
    enrolled.refresh_from_db()
    assert enrolled.status == "finished"
    episode_moves.undo(change_key=change.key, **by(scene))
    enrolled.refresh_from_db()
    assert enrolled.status == "active"


def test_a_change_needs_a_reason_and_the_team(scene, enrolled):
    with pytest.raises(Invalid, match="reason"):
        episode_moves.finish(key=enrolled.key, reason="  ", **by(scene))
    with pytest.raises(NotFound):
        episode_moves.finish(key=enrolled.key, reason="not mine", **by(scene, "other"))
    enrolled.refresh_from_db()
    assert enrolled.status == "active" and not EpisodeChange.objects.exists()


def test_the_plan_page_by_hand(scene, enrolled):
    client, key = scene.client("own"), {"key": enrolled.key}
    end = (enrolled.surgery_end - timedelta(hours=5)).strftime("%Y-%m-%dT%H:%M")
    page = client.post(reverse("plan_move", kwargs=key), {"end": end, "reason": "theatre says"}, follow=True)
    text = page.content.decode()
    assert page.status_code == 200 and "theatre says" in text and "Take back" in text
    change = EpisodeChange.objects.get()
    assert client.post(reverse("plan_undo", kwargs={"key": change.key}), follow=True).status_code == 200
    gone = client.post(reverse("plan_transfer", kwargs=key), {"team": "ward-9", "reason": "moved beds"})
    assert "no longer see this patient" in gone.content.decode()
