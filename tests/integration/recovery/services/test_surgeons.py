"""The surgeon of an episode is who the Procedure names, by the Practitioner's own name where only an id is sent."""

from datetime import timedelta

import pytest

from recovery.audit import Actor
from recovery.exact_json import loads
from recovery.exceptions import Conflict
from recovery.models import Document, Episode, EpisodeChange
from recovery.ports import ports
from recovery.selectors.careteam import board
from recovery.selectors.ranking import BoardFilter
from recovery.services import episode_moves
from recovery.services.ingestion import deliver
from tests import deliveries as d
from tests import factories

pytestmark = pytest.mark.django_db


def test_a_practitioner_who_is_only_pointed_at_is_named_and_a_name_alone_gets_a_mark():
    deliver(delivery=d.enrolment(), actor=Actor.system("test"), now=d.SURGERY_END, atomic=True)
    surgeon = {"resourceType": "Practitioner", "id": "s1", "name": [{"family": "Lane", "given": ["Ada"]}]}
    operation = {
        "resourceType": "Procedure",
        "id": "p1-op",
        "status": "completed",
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "609588000"}]},
        "subject": {"reference": "Patient/p1"},
        "performedPeriod": {"end": d.SURGERY_END.isoformat()},
    }
    told = []
    for actor in ({"reference": "Practitioner/s1"}, {"display": "Dr. Jonas Weir"}):
        said = [surgeon, operation | {"performer": [{"actor": actor}]}]
        now = d.SURGERY_END + timedelta(hours=1)
        deliver(delivery=ports().delivery_of(said, "test"), actor=Actor.system("test"), now=now, atomic=True)
        told.append(Episode.objects.values_list("surgeon", "surgeon_key").get(fhir_id="p1-op"))
    assert told[0] == ("Ada Lane", "s1")
    assert told[1][0] == "Dr. Jonas Weir" and told[1][1].startswith("n-") and "Weir" not in told[1][1]


def ward(now):
    """A nurse of the ward, one patient whose Procedure names nobody, and a known surgeon of another patient."""
    team = factories.make_team()
    user = factories.make_person("nurse", team=team)
    people = [
        {"resourceType": "Patient", "id": "p1", "name": [{"family": "Hart"}]},
        {"resourceType": "Practitioner", "id": "s1", "name": [{"family": "Lane", "given": ["Ada"]}]},
    ]
    send([*people, operation("p1-op"), operation("p2-op", {"reference": "Practitioner/s1"})], now)
    Episode.objects.update(team=team)
    return user


def operation(fhir_id, surgeon=None, *others):
    end = d.SURGERY_END + (timedelta(days=40) if fhir_id == "p2-op" else timedelta(0))
    said = {
        "resourceType": "Procedure",
        "id": fhir_id,
        "status": "completed",
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "609588000"}]},
        "subject": {"reference": "Patient/p1"},
        "performedPeriod": {"end": end.isoformat()},
    }
    role = {"coding": [{"system": "http://snomed.info/sct", "code": "304292004"}]}
    performers = [*([{"function": role, "actor": surgeon}] if surgeon else []), *others]
    return said | ({"performer": performers} if performers else {})


def send(resources, now):
    deliver(delivery=ports().delivery_of(resources, "ehr"), actor=Actor.system("ehr"), now=now, atomic=True)


def write(user, name, now):
    key = Episode.objects.get(fhir_id="p1-op").key
    return episode_moves.set_surgeon(
        key=key, name=name, reason="theatre list", user=user, actor=Actor.of_user(user), now=now
    )


def named(fhir_id="p1-op"):
    return Episode.objects.values_list("surgeon", "surgeon_key", "surgeon_by_hand").get(fhir_id=fhir_id)


def procedure():
    return loads(Document.objects.get(type="Procedure", fhir_id="p1-op").content)


NOW = d.SURGERY_END + timedelta(days=50)


def test_one_who_is_known_is_picked_by_name_and_filters_the_board_like_the_records_own():
    user = ward(NOW)
    write(user, "ada  lane", NOW)
    assert named() == ("Ada Lane", "s1", True)
    assert procedure()["performer"][0]["actor"] == {"reference": "Practitioner/s1", "display": "Ada Lane"}
    found = board(user, NOW, BoardFilter(surgeon="s1"))
    assert found.surgeons == (("s1", "Ada Lane"),) and found.total == 2


def test_correcting_the_surgeon_leaves_who_else_took_part():
    user = ward(NOW)
    nurse = {"function": {"text": "Scrub nurse"}, "actor": {"display": "Bo Reed"}}
    send([operation("p1-op", {"display": "Wrong Name"}, nurse)], NOW)
    write(user, "Dr. New", NOW)
    assert [one["actor"]["display"] for one in procedure()["performer"]] == ["Dr. New", "Bo Reed"]
    write(user, "", NOW)
    assert [one["actor"]["display"] for one in procedure()["performer"]] == ["Bo Reed"] and named()[0] == ""


def test_silence_of_the_record_keeps_what_the_team_wrote_and_another_name_wins_and_says_so():
    user = ward(NOW)
    write(user, "Dr. Jonas Weir", NOW)
    episode_moves.move_day_zero(
        key=Episode.objects.get(fhir_id="p1-op").key,
        end=d.SURGERY_END - timedelta(hours=1),
        start=None,
        reason="clock",
        user=user,
        actor=Actor.of_user(user),
        now=NOW,
    )
    send([operation("p1-op")], NOW)
    assert named()[0] == "Dr. Jonas Weir" and named()[2]
    send([operation("p1-op", {"reference": "Practitioner/s1"})], NOW)
    assert named() == ("Ada Lane", "s1", False)
    newest = EpisodeChange.objects.filter(what="surgeon").order_by("-pk")[0]
    assert newest.actor_name == "the hospital's record" and newest.before["surgeon"] == "Dr. Jonas Weir"
    send([operation("p1-op")], NOW)
    assert named() == ("", "", False)


def test_the_same_name_from_the_record_becomes_the_records_without_a_change():
    user = ward(NOW)
    write(user, "Dr. Jonas Weir", NOW)
    surgeon = {"resourceType": "Practitioner", "id": "s2", "name": [{"text": "Dr. Jonas Weir"}]}
    send([surgeon, operation("p1-op", {"reference": "Practitioner/s2"})], NOW)
    assert named() == ("Dr. Jonas Weir", "s2", False) and EpisodeChange.objects.count() == 1


def test_what_the_team_wrote_is_taken_back_and_is_refused_twice():
    user = ward(NOW)
    change = write(user, "Dr. Jonas Weir", NOW)
    with pytest.raises(Conflict):
        write(user, " Dr. Jonas  Weir", NOW)
    episode_moves.undo(change_key=change.key, user=user, actor=Actor.of_user(user), now=NOW)
    assert named() == ("", "", False) and "performer" not in procedure()
