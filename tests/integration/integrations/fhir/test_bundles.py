"""Transactions are all or nothing; in a batch each entry stands for itself; sending again adds nothing."""

import base64
import json
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from recovery.models import AuditEvent, Batch, Document, Patient, Sample
from recovery.services import outbox
from tests.integration.integrations.fhir.conftest import Door, content, token_for
from tests.unit.integrations.fhir.observations import heart_rate


def bundle(*entries: dict[str, Any], kind: str = "transaction") -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def post(resource: dict[str, Any], full_url: str | None = None, **request: Any) -> dict[str, Any]:
    said = {"resource": resource, "request": {"method": "POST", "url": resource["resourceType"], **request}}
    return said if full_url is None else {"fullUrl": full_url, **said}


def at_minute(minute: int, **changes: Any) -> dict[str, Any]:
    return heart_rate(effectiveDateTime=f"2026-01-05T{8 + minute // 60:02d}:{minute % 60:02d}:00Z", **changes)


def statuses(response: Any) -> list[str]:
    return [entry["response"]["status"][:3] for entry in content(response)["entry"]]


def test_a_new_patient_and_their_readings_arrive_in_one_transaction(door: Door) -> None:
    urn = "urn:uuid:6a0ad0f6-6c9c-4b6f-9a1f-0b8a3f0f9b11"
    patient = {"resourceType": "Patient", "gender": "male"}
    reading = heart_rate(subject={"reference": urn}, device=None)
    response = door.post("", bundle(post(reading), post(patient, urn)))
    assert statuses(response) == ["201", "201"]
    place = content(response)["entry"][1]["response"]["location"].partition("/_history")[0]
    found = content(door.get(f"Observation?patient={place}"))
    assert [entry["resource"]["subject"]["reference"] for entry in found["entry"]] == [place]


def test_the_same_bundle_twice_adds_nothing_and_answers_with_the_same_places(door: Door, patient: str) -> None:
    procedure = {
        "resourceType": "Procedure",
        "id": "op1",
        "status": "completed",
        "subject": {"reference": "Patient/p1"},
    }
    note = {"resourceType": "Communication", "status": "completed", "identifier": [{"system": "urn:n", "value": "1"}]}
    sent = bundle(
        *(post(at_minute(minute)) for minute in range(5)),
        {"resource": procedure, "request": {"method": "PUT", "url": "Procedure/op1"}},
        post(note, ifNoneExist="identifier=urn:n|1"),
    )
    first, again = door.post("", sent), door.post("", sent)
    assert statuses(first) == ["201"] * 7 and statuses(again) == ["200"] * 7
    places = [[entry["response"]["location"] for entry in content(one)["entry"]] for one in (first, again)]
    assert places[0] == places[1]
    assert Sample.objects.count() == 5 and Document.objects.filter(type="Communication").count() == 1


def test_one_bad_entry_undoes_a_whole_transaction_and_is_named(door: Door, patient: str) -> None:
    bad = at_minute(1, status="bad")
    response = door.post("", bundle(post(at_minute(0)), post(bad), post({"resourceType": "Patient"})))
    assert response.status_code == 400
    assert content(response)["issue"][0]["expression"] == ["Bundle.entry[1].resource.status"]
    assert Sample.objects.count() == 0 and Patient.objects.count() == 1


def test_an_unknown_patient_undoes_a_whole_transaction(door: Door, patient: str) -> None:
    stranger = at_minute(1, subject={"reference": "Patient/stranger"})
    response = door.post("", bundle(post(at_minute(0)), post(stranger)))
    assert response.status_code == 422
    assert content(response)["issue"][0]["expression"] == ["Bundle.entry[1].resource.subject"]
    assert Sample.objects.count() == 0


def test_a_bad_entry_of_a_batch_costs_only_itself(door: Door, patient: str) -> None:
    stranger = at_minute(2, subject={"reference": "Patient/stranger"})
    sent = bundle(
        post(at_minute(0)),
        post(at_minute(1, status="bad")),
        post(stranger),
        post(at_minute(3)),
        {"request": 5},
        kind="batch",
    )
    response = door.post("", sent)
    assert response.status_code == 200 and statuses(response) == ["201", "400", "422", "201", "400"]
    outcome = content(response)["entry"][1]["response"]["outcome"]
    assert outcome["issue"][0]["expression"] == ["Observation.status"]
    assert Sample.objects.count() == 2


def test_the_good_entries_of_a_batch_are_one_delivery(door: Door, patient: str) -> None:
    before = Batch.objects.count()
    door.post("", bundle(*(post(at_minute(minute)) for minute in range(20)), kind="batch"))
    assert Batch.objects.count() == before + 1


def test_readings_cost_no_query_each(door: Door, patient: str) -> None:
    def queries(count: int, first: int) -> int:
        sent = bundle(*(post(at_minute(first + minute)) for minute in range(count)))
        outbox.forget()  # what is subscribed to is remembered for a second, which may end between two of these
        with CaptureQueriesContext(connection) as caught:
            assert statuses(door.post("", sent)) == ["201"] * count
        return len(caught)

    queries(1, 0)
    assert queries(100, 100) == queries(1, 1)


def test_entries_are_processed_delete_post_put_get_and_answered_as_sent(door: Door, patient: str) -> None:
    door.put("Organization/o1", {"resourceType": "Organization", "id": "o1", "name": "Old"})
    door.put("Organization/o2", {"resourceType": "Organization", "id": "o2", "name": "Old"})
    new = {"resourceType": "Organization", "id": "o2", "name": "New"}
    sent = bundle(
        {"request": {"method": "GET", "url": "Organization/o2"}},
        {"request": {"method": "GET", "url": "Organization?name=new"}},
        {"resource": new, "request": {"method": "PUT", "url": "Organization/o2"}},
        post({"resourceType": "Organization", "name": "Third"}),
        {"request": {"method": "DELETE", "url": "Organization/o1"}},
    )
    response = door.post("", sent)
    entries = content(response)["entry"]
    assert statuses(response) == ["200", "200", "200", "201", "204"]
    assert entries[0]["resource"]["name"] == "New"
    assert [one["resource"]["id"] for one in entries[1]["resource"]["entry"]] == ["o2"]
    assert door.get("Organization/o1").status_code == 410


def test_a_reference_by_search_is_resolved_or_refused(door: Door) -> None:
    door.post("Patient", {"resourceType": "Patient", "identifier": [{"system": "urn:mrn", "value": "7"}]})
    by_search = heart_rate(subject={"reference": "Patient?identifier=urn:mrn|7"}, device=None)
    response = door.post("", bundle(post(by_search)))
    assert statuses(response) == ["201"]
    found = content(door.get(content(response)["entry"][0]["response"]["location"].partition("/_history")[0]))
    assert found["subject"]["reference"].startswith("Patient/")
    unknown = heart_rate(subject={"reference": "Patient?identifier=urn:mrn|8"})
    assert door.post("", bundle(post(unknown))).status_code == 412


def test_other_entries_may_refer_to_a_reading_of_the_same_transaction(door: Door, patient: str) -> None:
    urn = "urn:uuid:0c1a2b30-0000-4000-8000-000000000001"
    report = {
        "resourceType": "DiagnosticReport",
        "status": "final",
        "code": {"text": "Day 1"},
        "result": [{"reference": urn}],
    }
    response = door.post("", bundle(post(report), post(heart_rate(), urn)))
    where = content(response)["entry"][0]["response"]["location"].partition("/_history")[0]
    result = content(door.get(where))["result"][0]["reference"]
    assert content(door.get(result))["valueQuantity"]["value"] == 72


def test_a_transaction_sent_again_finds_its_reading_under_the_id_it_has(door: Door, patient: str) -> None:
    urn = "urn:uuid:0c1a2b30-0000-4000-8000-000000000001"
    report = {
        "resourceType": "DiagnosticReport",
        "status": "final",
        "identifier": [{"system": "urn:report", "value": "1"}],
        "code": {"text": "Day 1"},
        "result": [{"reference": urn}],
    }
    door.post("Observation", heart_rate())  # held already, under an id of its own
    sent = bundle(post(report, ifNoneExist="identifier=urn:report|1"), post(heart_rate(), urn))
    first, again = content(door.post("", sent)), content(door.post("", sent))
    places = [[entry["response"]["location"] for entry in one["entry"]] for one in (first, again)]
    assert places[0] == places[1]
    held = content(door.get(places[0][0].partition("/_history")[0]))["result"][0]["reference"]
    assert f"{held}/_history/1" == places[0][1] and door.get(held).status_code == 200
    assert Sample.objects.count() == 1 and Document.objects.filter(type="Observation").count() == 0


def test_the_same_condition_twice_in_one_bundle_makes_one(door: Door, patient: str) -> None:
    urns = ["urn:uuid:0c1a2b30-0000-4000-8000-00000000000" + str(n) for n in range(2)]
    identifier = [{"system": "urn:r", "value": "1"}]
    other = {**heart_rate()["valueQuantity"], "value": 99}
    report = {
        "resourceType": "DiagnosticReport",
        "status": "final",
        "code": {"text": "Day 1"},
        "result": [{"reference": urn} for urn in urns],
    }
    for kind in ("transaction", "batch"):
        sent = bundle(
            post(report),
            post(heart_rate(identifier=identifier), urns[0], ifNoneExist="identifier=urn:r|1"),
            post(heart_rate(identifier=identifier, valueQuantity=other), urns[1], ifNoneExist="identifier=urn:r|1"),
            kind=kind,
        )
        answered = content(door.post("", sent))["entry"]
        places = [one["response"]["location"].partition("/_history")[0] for one in answered]
        assert places[1] == places[2] and answered[2]["response"]["status"].startswith("200")
        held = content(door.get(places[0]))["result"]
        assert [one["reference"] for one in held] == [places[1]] * 2
        assert Sample.objects.count() == 1


def test_conditions_that_no_longer_fit_what_they_made_make_another(door: Door) -> None:
    first = content(door.post("Patient", _numbered("7"), If_None_Exist="identifier=urn:mrn|7"))["id"]
    door.put(f"Patient/{first}", {**_numbered("8"), "id": first})
    assert door.post("Patient", _numbered("7"), If_None_Exist="identifier=urn:mrn|7").status_code == 201


def _numbered(number: str) -> dict[str, Any]:
    return {"resourceType": "Patient", "identifier": [{"system": "urn:mrn", "value": number}]}


def test_a_conditional_create_finds_what_a_plain_create_stored(door: Door) -> None:
    said = {"resourceType": "Patient", "identifier": [{"system": "urn:mrn", "value": "7"}]}
    first = door.post("Patient", said)
    again = door.post("Patient", said, If_None_Exist="identifier=urn:mrn|7")
    assert (first.status_code, again.status_code) == (201, 200) and first["Location"] == again["Location"]
    door.post("Patient", said)
    assert door.post("Patient", said, If_None_Exist="identifier=urn:mrn|7").status_code == 412


def test_each_entry_needs_its_own_scope(door: Door, patient: str) -> None:
    narrow = Door(token_for("system/Observation.c system/Patient.r", "narrow"))
    allowed = narrow.post("", bundle(post(heart_rate()), kind="batch"))
    mixed = bundle(
        post(at_minute(1)),
        post({"resourceType": "Patient"}),
        {"request": {"method": "GET", "url": "Device/d1"}},
        kind="batch",
    )
    assert statuses(allowed) == ["201"]
    assert statuses(narrow.post("", mixed)) == ["201", "403", "403"]
    assert narrow.post("", bundle(post({"resourceType": "Patient"}))).status_code == 403
    denied = AuditEvent.objects.filter(actor_name="narrow", outcome="denied").count()
    peep = {"request": {"method": "GET", "url": "Device/d1"}}
    assert narrow.post("", bundle(post(at_minute(2)), peep)).status_code == 403
    assert AuditEvent.objects.filter(actor_name="narrow", outcome="denied").count() == denied + 1
    assert Sample.objects.count() == 2


def patch_of(url: str, *operations: dict[str, Any], **changes: Any) -> dict[str, Any]:
    data = base64.b64encode(json.dumps(operations).encode()).decode()
    binary = {"resourceType": "Binary", "contentType": "application/json-patch+json", "data": data, **changes}
    return {"resource": binary, "request": {"method": "PATCH", "url": url}}


def test_a_patch_in_a_transaction_goes_with_the_rest_or_not_at_all(door: Door, patient: str) -> None:
    to_male = {"op": "replace", "path": "/gender", "value": "male"}
    response = door.post("", bundle(post(heart_rate()), patch_of("Patient/p1", to_male)))
    assert statuses(response) == ["201", "200"]
    assert content(response)["entry"][1]["response"]["etag"] == 'W/"2"'
    assert content(door.get("Patient/p1"))["gender"] == "male"
    bad = bundle(post(at_minute(1)), patch_of("Patient/p1", {"op": "test", "path": "/gender", "value": "female"}))
    response = door.post("", bad)
    assert response.status_code == 422
    assert content(response)["issue"][0]["diagnostics"].startswith("Bundle.entry[1]")
    assert Sample.objects.count() == 1


def test_a_patch_in_a_batch_by_conditions_with_a_version_and_of_a_reading(door: Door, patient: str) -> None:
    reading = content(door.post("Observation", heart_rate()))["id"]
    void = patch_of(f"Observation/{reading}", {"op": "replace", "path": "/status", "value": "entered-in-error"})
    by_conditions = patch_of("Patient?gender=female", {"op": "add", "path": "/birthDate", "value": "1960"})
    stale = patch_of("Device/d1", {"op": "add", "path": "/lotNumber", "value": "1"})
    stale["request"]["ifMatch"] = 'W/"7"'
    response = door.post("", bundle(void, by_conditions, stale, kind="batch"))
    assert statuses(response) == ["200", "200", "412"]
    assert content(door.get(f"Observation/{reading}"))["status"] == "entered-in-error"
    assert content(door.get("Patient/p1"))["birthDate"] == "1960"


def test_a_patch_may_point_at_what_the_transaction_makes(door: Door, patient: str) -> None:
    urn = "urn:uuid:6a0ad0f6-6c9c-4b6f-9a1f-0b8a3f0f9b11"
    home = {"op": "add", "path": "/managingOrganization", "value": {"reference": urn}}
    response = door.post(
        "", bundle(post({"resourceType": "Organization", "name": "x"}, urn), patch_of("Patient/p1", home))
    )
    assert statuses(response) == ["201", "200"]
    where = content(response)["entry"][0]["response"]["location"].partition("/_history")[0]
    assert content(door.get("Patient/p1"))["managingOrganization"]["reference"] == where


@pytest.mark.parametrize(
    ("entry", "status"),
    [
        (patch_of("Patient/p1", contentType="application/json"), 415),
        (patch_of("Patient/p1", data="!"), 400),
        (patch_of("Patient/p1", resourceType="Parameters"), 400),
        (patch_of("Patient", {"op": "remove", "path": "/gender"}), 400),
        (patch_of("Patient/none", {"op": "remove", "path": "/gender"}), 404),
        (patch_of("Patient/p1", {"op": "remove", "path": "/none"}), 422),
        (patch_of("Patient/p1", {"op": "replace", "path": "/gender", "value": "purple"}), 400),
    ],
)
def test_patches_of_a_bundle_that_cannot_be_done(door: Door, patient: str, entry: dict[str, Any], status: int) -> None:
    assert door.post("", bundle(entry)).status_code == status
    assert statuses(door.post("", bundle(entry, kind="batch"))) == [str(status)]


def test_the_answer_to_a_bundle_is_as_the_caller_prefers(door: Door, patient: str) -> None:
    sent = bundle(post(heart_rate()), {"request": {"method": "DELETE", "url": "Device/none"}})
    whole = content(door.post("", sent, Prefer="return=representation"))["entry"]
    assert whole[0]["resource"]["valueQuantity"]["value"] == 72 and "resource" not in whole[1]
    told = content(door.post("", sent, Prefer="return=OperationOutcome"))["entry"]
    assert told[0]["response"]["outcome"]["resourceType"] == "OperationOutcome"
    assert "resource" not in content(door.post("", sent))["entry"][0]


def test_a_get_that_fails_undoes_its_transaction_and_not_its_batch(door: Door, patient: str) -> None:
    lost = {"request": {"method": "GET", "url": "Patient/none"}}
    response = door.post("", bundle(post(heart_rate()), lost))
    assert response.status_code == 404 and Sample.objects.count() == 0
    assert content(response)["issue"][0]["diagnostics"].startswith("Bundle.entry[1]")
    assert statuses(door.post("", bundle(post(heart_rate()), lost, kind="batch"))) == ["201", "404"]


def test_a_get_of_a_version_that_the_caller_has_is_not_answered_again(door: Door, patient: str) -> None:
    known = {"request": {"method": "GET", "url": "Patient/p1", "ifNoneMatch": 'W/"1"'}}
    answer = content(door.post("", bundle(known, kind="batch")))["entry"][0]
    assert answer["response"]["status"].startswith("304") and "resource" not in answer


@pytest.mark.parametrize("kind", ["batch", "transaction"])
def test_a_head_is_answered_as_a_get_without_its_resource(door: Door, patient: str, kind: str) -> None:
    urls = ["Patient/p1", "Patient/p1/_history/1", "Patient?gender=female", "Patient/p1/Observation"]

    def asked(method: str) -> list[dict[str, Any]]:
        answered = door.post("", bundle(*({"request": {"method": method, "url": url}} for url in urls), kind=kind))
        return list(content(answered)["entry"])

    heads, gets = asked("HEAD"), asked("GET")
    assert heads == [{"response": one["response"]} for one in gets]
    assert heads[0]["response"].keys() == {"status", "etag", "lastModified"}
    assert AuditEvent.objects.filter(action="read", entity="Patient/p1").count() == 4


def test_a_head_that_fails_undoes_its_transaction_and_not_its_batch(door: Door, patient: str) -> None:
    lost = {"request": {"method": "HEAD", "url": "Patient/none"}}
    assert door.post("", bundle(post(heart_rate()), lost)).status_code == 404 and Sample.objects.count() == 0
    assert statuses(door.post("", bundle(post(heart_rate()), lost, kind="batch"))) == ["201", "404"]


def test_a_put_for_what_must_not_stand_yet_overwrites_nothing(door: Door) -> None:
    def put(name: str) -> dict[str, Any]:
        made = {"resourceType": "Organization", "id": "n1", "name": name}
        return {"resource": made, "request": {"method": "PUT", "url": "Organization/n1", "ifNoneMatch": "*"}}

    assert statuses(door.post("", bundle(put("first"), put("twice"), kind="batch"))) == ["201", "412"]
    assert statuses(door.post("", bundle(put("later"), kind="batch"))) == ["412"]
    refused = door.post("", bundle(post({"resourceType": "Organization", "name": "lost"}), put("later")))
    assert refused.status_code == 412 and content(refused)["issue"][0]["expression"] == ["Bundle.entry[1]"]
    assert [one["resource"]["name"] for one in content(door.get("Organization"))["entry"]] == ["first"]


def test_entries_may_refer_to_each_other_by_the_addresses_they_had_elsewhere(door: Door) -> None:
    base = "https://elsewhere.example/fhir"
    role = {"resourceType": "PractitionerRole", "practitioner": {"reference": "Practitioner/7"}}
    role["organization"] = {"reference": f"{base}/Organization/9"}
    sent = bundle(
        post(role, f"{base}/PractitionerRole/1"),
        post({"resourceType": "Practitioner"}, f"{base}/Practitioner/7"),
        post({"resourceType": "Organization", "name": "x"}, f"{base}/Organization/9"),
    )
    response = door.post("", sent)
    assert statuses(response) == ["201"] * 3
    places = [one["response"]["location"].partition("/_history")[0] for one in content(response)["entry"]]
    held = content(door.get(places[0]))
    assert [held["practitioner"]["reference"], held["organization"]["reference"]] == places[1:]


def test_five_thousand_entries_are_one_transaction(door: Door, patient: str) -> None:
    def second(n: int) -> str:
        return f"2026-01-05T{8 + n // 3600:02d}:{n // 60 % 60:02d}:{n % 60:02d}Z"

    sent = bundle(*(post(heart_rate(effectiveDateTime=second(n))) for n in range(5_000)))
    assert statuses(door.post("", sent)) == ["201"] * 5_000
    assert Sample.objects.count() == 5_000
    assert set(statuses(door.post("", sent))) == {"200"}


def test_an_empty_bundle_is_answered(door: Door) -> None:
    assert content(door.post("", {"resourceType": "Bundle", "type": "batch"}))["type"] == "batch-response"
