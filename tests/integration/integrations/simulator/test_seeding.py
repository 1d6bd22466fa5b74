"""The demo ward in the store: once, in order of arrival, with people who see what they may."""

import stat
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.utils import timezone

from integrations.simulator import ward as wards
from integrations.simulator.accounts import LOGINS_FILE, PEOPLE, TOKEN_FILE
from integrations.simulator.at_work import NOTES
from integrations.simulator.seeding import take_in_the_past
from recovery.models import (
    Alert,
    AuditEvent,
    Batch,
    EmergencyAccess,
    Episode,
    Packet,
    Patient,
    Sample,
    Snapshot,
    Team,
    Twin,
    User,
)
from recovery.permissions import visible_episodes
from recovery.selectors.schedule import announced
from recovery.services import emergency
from recovery.services.connections import authenticate_token
from recovery.services.proof import equals_rebuild

pytestmark = pytest.mark.django_db
COUNTED = (AuditEvent, Batch, Episode, Packet, Patient, Sample, Snapshot, Team, Twin, User)


@pytest.fixture
def directory(tmp_path: Path, settings) -> Path:
    settings.DATA_DIR = tmp_path
    return tmp_path


@pytest.fixture
def seeded(directory: Path) -> wards.Ward:
    call_command("seed_demo", "--patients", "3", stdout=None)
    ward = wards.remembered(directory)
    assert ward is not None
    return ward


def _rows() -> dict[str, int]:
    return {model.__name__: model.objects.count() for model in COUNTED}


def test_everyone_has_an_episode_a_twin_and_a_current_snapshot(seeded: wards.Ward) -> None:
    for member in seeded.members:
        episode = Episode.objects.get(fhir_id=f"{member.key}-op")
        assert episode.team is not None and episode.team.key == member.team and episode.pathway is not None
        assert Snapshot.objects.filter(episode=episode, current=True, content__day=member.day).exists()
        assert equals_rebuild(episode.twin, timezone.now())


def test_a_second_seeding_adds_nothing(seeded: wards.Ward, capsys: pytest.CaptureFixture[str]) -> None:
    before = _rows()
    call_command("seed_demo", "--patients", "3")
    assert _rows() == before
    assert "already there" in capsys.readouterr().out


def test_a_seeding_cut_short_is_finished_by_doing_it_again(seeded: wards.Ward, directory: Path) -> None:
    before = {name: count for name, count in _rows().items() if name not in ("AuditEvent", "Batch")}
    logins = (directory / LOGINS_FILE).read_text()
    again = take_in_the_past(seeded, directory)
    assert again.new == 0
    assert {name: count for name, count in _rows().items() if name in before} == before
    assert (directory / LOGINS_FILE).read_text() == logins


def test_files_of_a_database_that_is_gone_are_not_believed(directory: Path) -> None:
    wards.finish(directory, wards.Ward(1, timezone.now() - timedelta(days=9), patients=3))
    (directory / LOGINS_FILE).write_text("of another database")
    (directory / TOKEN_FILE).write_text("of another database")
    call_command("seed_demo", "--patients", "3", stdout=None)
    ward = wards.remembered(directory)
    assert ward is not None and timezone.now() - ward.anchor < timedelta(hours=2)
    assert User.objects.count() == len(PEOPLE) and "another" not in (directory / LOGINS_FILE).read_text()


def test_the_privacy_officer_finds_one_access_looked_at_and_one_that_waits(seeded: wards.Ward) -> None:
    rows = EmergencyAccess.objects.order_by("opened_at")
    assert [(row.user.username, row.verdict) for row in rows] == [("nurse-c", "approved"), ("nurse-c", "")]
    assert all(row.closed_at and row.closed_at <= seeded.anchor for row in rows)
    answered = Alert.objects.filter(owner__username="nurse")
    assert answered.exists() and set(answered.filter(status="resolved").values_list("outcome", flat=True)) <= set(NOTES)


def test_readings_were_received_after_they_were_measured_and_in_order(seeded: wards.Ward) -> None:
    for packet in Packet.objects.select_related("batch"):
        assert packet.end_ms <= packet.batch.received_at.timestamp() * 1000 <= packet.end_ms + 6 * 3_600_000
    received = list(Batch.objects.order_by("pk").values_list("received_at", flat=True))
    assert received == sorted(received) and received[-1] == seeded.anchor


def test_demo_people_see_what_their_line_says(seeded: wards.Ward, directory: Path) -> None:
    lines = [line.split() for line in (directory / LOGINS_FILE).read_text().splitlines()]
    passwords = {name: password for _, name, password, *_ in lines}
    seen = {}
    for person in PEOPLE:
        user = User.objects.get(username=person.username)
        assert user.check_password(passwords[person.username]) and user.role == person.role
        seen[person.username] = visible_episodes(user, timezone.now()).count()
    assert seen == {"nurse": 3, "surgeon": 3, "nurse-c": 0, "administrator": 0, "patient": 1}


def test_passwords_and_token_are_for_their_owner_only_and_differ_each_time(
    seeded: wards.Ward, directory: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    for name in (LOGINS_FILE, TOKEN_FILE, wards.WARD_FILE):
        assert stat.S_IMODE((directory / name).stat().st_mode) == 0o600
    passwords = [line.split()[2] for line in (directory / LOGINS_FILE).read_text().splitlines()]
    assert len(set(passwords)) == len(passwords) and min(map(len, passwords)) >= 16
    actor = authenticate_token(token=(directory / TOKEN_FILE).read_text().strip(), now=timezone.now())
    assert actor is not None and actor.scopes == "system/*.cruds"


def test_everything_synthetic_says_so(seeded: wards.Ward) -> None:
    assert Patient.objects.count() == 3 + 2  # the ward, and two whose operations are ordered
    assert all(one.is_synthetic and one.origin.startswith("Synthetic") for one in Patient.objects.all())


def test_the_lead_finds_ordered_operations_to_enrol(seeded: wards.Ward) -> None:
    found = announced(User.objects.get(username="surgeon"), timezone.now())
    assert [one.source for one in found] == ["ServiceRequest"] * 2
    assert all(one.person.is_synthetic and one.procedure for one in found)


def test_what_was_known_before_a_packet_arrived_does_not_hold_it(seeded: wards.Ward) -> None:
    then = seeded.anchor - timedelta(hours=30)
    newest = Sample.objects.known_at(then).order_by("-at_ms").first()
    assert newest is not None and newest.at_ms < then.timestamp() * 1000
    assert Sample.objects.known_at(then).count() < Sample.objects.known_at(seeded.anchor).count()


def test_staff_who_are_refused_something_do_not_stop_the_seeding(
    directory: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(emergency, "SEARCHES_AN_HOUR", 0)
    call_command("seed_demo", "--patients", "3", stdout=None)
    assert Snapshot.objects.filter(current=True).count() == 3 and not EmergencyAccess.objects.exists()
    assert "were refused something: More than 0 emergency searches" in caplog.text
