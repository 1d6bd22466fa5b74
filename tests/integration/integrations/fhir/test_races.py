"""Many writers at the same moment, each a thread with a connection of its own, on either engine."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections
from django.http import HttpResponse

from recovery.models import ConditionalKey, Document, Sample
from tests.integration.integrations.fhir.conftest import Door, content, token_for
from tests.integration.integrations.fhir.test_bundles import bundle, post
from tests.unit.integrations.fhir.observations import heart_rate

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shared(transactional_db: None, tmp_path: Path) -> Iterator[None]:
    """On SQLite a database in a file, as in the product: threads cannot share the one in memory."""
    if connection.vendor != "sqlite":
        yield
        return
    held, name = connection.connection, connection.settings_dict["NAME"]
    connection.connection, connection.settings_dict["NAME"] = None, str(tmp_path / "races.sqlite3")
    connection.ensure_connection()
    held.backup(connection.connection)
    try:
        yield
    finally:
        connection.close()
        connection.connection, connection.settings_dict["NAME"] = held, name


@pytest.fixture
def door(shared: None) -> Door:
    token = token_for("system/*.cruds")
    Door(token).put("Patient/p1", {"resourceType": "Patient", "id": "p1"})
    Door(token).put("Device/d1", {"resourceType": "Device", "id": "d1", "patient": {"reference": "Patient/p1"}})
    return Door(token)


def at_once(count: int, act: Callable[[int], HttpResponse]) -> list[HttpResponse]:
    """What `count` threads are answered that begin together."""
    start, answers = threading.Barrier(count), {}

    def run(number: int) -> None:
        try:
            start.wait(30)
            answers[number] = act(number)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert len(answers) == count
    return [answers[number] for number in range(count)]


def organization(name: str, **said: Any) -> dict[str, Any]:
    return {"resourceType": "Organization", "name": name, **said}


IDENTIFIED = {"identifier": [{"system": "urn:o", "value": "1"}]}


def test_of_eight_writers_on_one_version_one_wins_each_round(door: Door) -> None:
    door.put("Organization/o", organization("first", id="o"))
    for version in range(1, 6):
        answers = at_once(
            8,
            lambda n, version=version: door.put(
                "Organization/o", organization(f"{version}-{n}", id="o"), If_Match=f'W/"{version}"'
            ),
        )
        assert Counter(one.status_code for one in answers) == {200: 1, 412: 7}
        winner = next(n for n, one in enumerate(answers) if one.status_code == 200)
        assert content(door.get("Organization/o"))["name"] == f"{version}-{winner}"


def test_of_eight_writers_on_a_streamed_reading_one_wins(door: Door) -> None:
    address = "Observation/" + content(door.post("Observation", heart_rate()))["id"]

    def change(n: int) -> HttpResponse:
        value = {**heart_rate()["valueQuantity"], "value": 80 + n}
        return door.put(address, heart_rate(id=address.partition("/")[2], valueQuantity=value), If_Match='W/"1"')

    answers = at_once(8, change)
    assert Counter(one.status_code for one in answers) == {200: 1, 412: 7}
    assert Sample.objects.filter(ended_batch__isnull=True).count() == 1


def test_of_eight_patches_on_one_version_one_wins(door: Door) -> None:
    door.put("Organization/o", organization("first", id="o"))
    answers = at_once(
        8,
        lambda n: door.send(
            "PATCH",
            "Organization/o",
            f'[{{"op": "replace", "path": "/name", "value": "{n}"}}]',
            "application/json-patch+json",
            If_Match='W/"1"',
        ),
    )
    assert Counter(one.status_code for one in answers) == {200: 1, 412: 7}


@pytest.mark.parametrize("made", [organization("first", id="n1"), heart_rate(id="n1")])
def test_of_eight_who_put_what_must_not_stand_yet_one_makes_it(door: Door, made: dict[str, Any]) -> None:
    answers = at_once(8, lambda n: door.put(f"{made['resourceType']}/n1", made, If_None_Match="*"))
    assert Counter(one.status_code for one in answers) == {201: 1, 412: 7}


def test_fifty_conditional_creates_make_one(door: Door) -> None:
    answers = at_once(
        50,
        lambda n: door.post("Organization", organization(f"{n}", **IDENTIFIED), If_None_Exist="identifier=urn:o|1"),
    )
    assert Counter(one.status_code for one in answers) == {201: 1, 200: 49}
    assert len({one["Location"] for one in answers}) == 1
    assert Document.objects.filter(type="Organization").count() == ConditionalKey.objects.count() == 1


def test_fifty_conditional_updates_make_one_with_fifty_versions(door: Door) -> None:
    answers = at_once(50, lambda n: door.put("Organization?identifier=urn:o|1", organization(f"{n}", **IDENTIFIED)))
    assert Counter(one.status_code for one in answers) == {201: 1, 200: 49}
    assert Document.objects.get(type="Organization").version == 50


def test_fifty_conditional_readings_are_one_reading(door: Door) -> None:
    said = heart_rate(identifier=[{"system": "urn:r", "value": "1"}])
    answers = at_once(50, lambda n: door.post("Observation", said, If_None_Exist="identifier=urn:r|1"))
    assert Counter(one.status_code for one in answers) == {201: 1, 200: 49}
    assert Sample.objects.filter(ended_batch__isnull=True).count() == 1
    assert not Document.objects.filter(type="Observation").exists()  # it is streamed like any other


def test_fifty_different_readings_under_one_condition_leave_one(door: Door) -> None:
    def send(n: int) -> HttpResponse:
        value = {**heart_rate()["valueQuantity"], "value": 60 + n}
        said = heart_rate(identifier=[{"system": "urn:r", "value": "1"}], valueQuantity=value)
        if n % 2:
            return door.post("Observation", said, If_None_Exist="identifier=urn:r|1")
        return door.post("", bundle(post(said, ifNoneExist="identifier=urn:r|1"), kind="batch"))

    answers = at_once(50, send)
    assert {one.status_code for one in answers} <= {200, 201}
    assert Sample.objects.filter(ended_batch__isnull=True).count() == 1
    assert content(door.get("Observation?identifier=urn:r|1"))["total"] == 1


def test_one_transaction_sent_eight_times_at_once_makes_one_set_and_no_dangling_reference(door: Door) -> None:
    urn = "urn:uuid:6a0ad0f6-6c9c-4b6f-9a1f-0b8a3f0f9b11"
    role = {"resourceType": "PractitionerRole", "identifier": [{"value": "r"}], "organization": {"reference": urn}}
    sent = bundle(
        post(role, ifNoneExist="identifier=r"),
        post(organization("one", **IDENTIFIED), urn, ifNoneExist="identifier=urn:o|1"),
        post(heart_rate()),
    )
    answers = at_once(8, lambda n: door.post("", sent))
    assert [one.status_code for one in answers] == [200] * 8
    assert {kind: Document.objects.filter(type=kind).count() for kind in ("Organization", "PractitionerRole")} == {
        "Organization": 1,
        "PractitionerRole": 1,
    }
    assert Sample.objects.count() == 1
    places = {tuple(entry["response"]["location"] for entry in content(one)["entry"]) for one in answers}
    assert len(places) == 1
    role_at, organization_at, _ = places.pop()
    held = content(door.get(role_at.partition("/_history")[0]))
    assert held["organization"]["reference"] == organization_at.partition("/_history")[0]


def test_a_lost_race_in_a_transaction_leaves_no_dangling_reference(door: Door) -> None:
    """Each transaction refers to the one organisation from a resource of its own: the losers must follow the winner."""
    urn = "urn:uuid:6a0ad0f6-6c9c-4b6f-9a1f-0b8a3f0f9b11"

    def send(n: int) -> HttpResponse:
        role = {"resourceType": "PractitionerRole", "id": f"r{n}", "organization": {"reference": urn}}
        put = {"resource": role, "request": {"method": "PUT", "url": f"PractitionerRole/r{n}"}}
        return door.post(
            "", bundle(put, post(organization("one", **IDENTIFIED), urn, ifNoneExist="identifier=urn:o|1"))
        )

    assert [one.status_code for one in at_once(8, send)] == [200] * 8
    made = f"Organization/{Document.objects.get(type='Organization').fhir_id}"
    for n in range(8):
        assert content(door.get(f"PractitionerRole/r{n}"))["organization"]["reference"] == made


def test_two_documents_voided_and_said_at_once_end_as_the_last_of_them_says(door: Door) -> None:
    """One number said by eight documents at once, seven of which are voided at once: it still speaks."""
    noted = [heart_rate(id=f"n{n}", note=[{"text": f"{n}"}]) for n in range(8)]
    at_once(8, lambda n: door.put(f"Observation/n{n}", noted[n]))
    at_once(8, lambda n: door.put(f"Observation/n{n}", {**noted[n], "status": "final" if not n else "cancelled"}))
    assert Sample.objects.filter(ended_batch__isnull=True).count() == 1
    door.put("Observation/n0", {**noted[0], "status": "cancelled"})
    assert Sample.objects.filter(ended_batch__isnull=True).count() == 0
