"""Searches that follow references: chains, _has, includes, compartments; and that nobody sees more through them."""

import pytest

from tests.integration.integrations.fhir.conftest import Door, content, token_for
from tests.integration.integrations.fhir.searching import Rows, check, fill, heart_rate, ids, put


@pytest.fixture
def ward(door: Door) -> Door:
    return fill(door)


CHAINS: Rows = [
    ("Observation?subject:Patient.identifier=urn:mrn|B1", "hr3 t3"),
    ("Observation?patient.name=berg", "hr3 t3"),
    ("Observation?patient.family:exact=Berg", "hr3 t3"),
    ("Observation?subject:Patient.gender=male&code=8867-4", "hr3"),
    ("Observation?patient.birthdate=lt1958&code=8310-5", "t1 t2"),
    ("Observation?patient.organization.name=are&code=8867-4", "hr1 hr2 ecg"),
    ("Observation?patient.organization.name=oslo", ""),
    ("Observation?patient.general-practitioner:Practitioner.identifier=77&code=8310-5", "t1 t2"),
    ("Observation?device.manufacturer=acme&code=8310-5", "t1 t2"),
    ("Observation?patient._id=bob", "hr3 t3"),
    ("Procedure?patient.name=ann", "knee"),
    ("Procedure?encounter.class=IMP", "knee"),
    ("Procedure?encounter.service-provider.name=are", "knee"),
    ("Procedure?performer:Practitioner.family=surgeon", "knee"),
    ("Procedure?performer:Practitioner.family=nobody", ""),
    ("DiagnosticReport?result.code=8867-4", "report"),
    ("DiagnosticReport?result.code=85354-9", "report"),
    ("DiagnosticReport?result.code=8310-5", ""),
    ("DiagnosticReport?result.patient.name=angst", "report"),
    ("Provenance?target:Observation.code=85354-9", "origin"),
    ("RiskAssessment?patient.name=ann", "risk"),
    ("RiskAssessment?patient.name=berg", ""),
    ("Group?member:Patient.name=ann", "cohort"),
    ("Procedure?code.name=x", None),
    ("Procedure?patient:Group.name=x", None),
    ("Observation?patient.organization.partof.partof.partof.name=x", None),
]


def test_a_chain_follows_references_to_their_targets(ward: Door) -> None:
    check(ward, CHAINS)


REVERSE: Rows = [
    ("Patient?_has:Observation:patient:code=8867-4", "ann bob"),
    ("Patient?_has:Observation:patient:code=85354-9", "ann"),
    ("Patient?_has:Observation:patient:value-quantity=gt100&_has:Observation:patient:code=8310-5", "ann"),
    ("Patient?_has:Observation:patient:date=2026-01-07", "ann bob"),
    ("Patient?_has:Observation:patient:date=gt2026-02", ""),
    ("Patient?_has:Observation:patient:identifier=one", "ann"),
    ("Patient?_has:Procedure:patient:code=609588000", "ann"),
    ("Patient?_has:Procedure:patient:encounter.class=IMP", "ann"),
    ("Patient?_has:Encounter:patient:status=in-progress", "bob"),
    ("Patient?_has:Group:member:_id=cohort", "ann"),
    ("Patient?_has:RiskAssessment:patient:probability=gt0.1", "ann"),
    ("Practitioner?_has:Procedure:performer:patient.name=ann", "doc"),
    ("Organization?_has:Patient:organization:_has:Observation:patient:code=8310-5", "org"),
    ("Organization?_has:Patient:organization:_has:Encounter:patient:status=in-progress", ""),
    ("Observation?_has:Provenance:target:agent=Practitioner/doc", "bp1 hr2"),
    ("Observation?_has:DiagnosticReport:result:status=final", "bp2 hr2"),
    ("Encounter?_has:Procedure:encounter:status=completed", "stay"),
    ("Patient?_has:Observation:patient=x", None),
    ("Patient?_has:Nothing:patient:code=1", None),
    ("Patient?_has:Observation:code:code=1", None),
]


def test_has_finds_what_others_refer_to(ward: Door) -> None:
    check(ward, REVERSE)


INCLUDES: Rows = [
    ("Procedure?_id=knee&_include=Procedure:patient", "ann"),
    ("Procedure?_id=knee&_include=Procedure:subject:Patient", "ann"),
    ("Procedure?_id=knee&_include=Procedure:subject:Group", ""),
    ("Procedure?_id=knee&_include=Procedure:patient&_include=Procedure:performer", "ann doc"),
    ("Procedure?_id=knee&_include=Procedure:*", "ann doc stay"),
    ("Procedure?_id=knee&_include=*", "ann doc stay"),
    ("Procedure?_id=knee&_include=Procedure:patient&_include:iterate=Patient:organization", "ann org"),
    ("Procedure?_id=knee&_include=Procedure:encounter&_include:iterate=Encounter:service-provider", "stay org"),
    ("Procedure?_id=knee&_include:recurse=Procedure:patient", "ann"),
    ("Observation?_id=hr1&_include=Observation:patient&_include=Observation:device", "ann watch"),
    ("Observation?_id=hr1,hr2&_include=Observation:subject", "ann"),
    ("DiagnosticReport?_id=report&_include=DiagnosticReport:result", "bp2 hr2"),
    ("Observation?_id=bp1&_revinclude=Provenance:target", "origin"),
    ("Patient?_id=bob&_revinclude=Observation:subject", "hr3 t3"),
    ("Patient?_id=bob&_revinclude=Observation:patient&_revinclude=Encounter:patient", "hr3 t3 open"),
    ("Organization?_id=org&_revinclude=Patient:organization&_revinclude:iterate=Procedure:patient", "ann knee"),
    ("Patient?_id=ann&_include=Observation:subject", ""),
    ("Group?_include=Group:member&_revinclude:iterate=Condition:subject", "ann pain"),
]


def test_a_page_brings_along_what_it_is_asked_to(ward: Door) -> None:
    found = {}
    for query, _ in INCLUDES:
        brought = [one for one in ids(ward, query, "include") if not one.startswith(("arrival-", "conclusion-"))]
        found[query] = " ".join(sorted(brought))
    assert found == {query: " ".join(sorted((expected or "").split())) for query, expected in INCLUDES}


def test_the_provenance_of_a_streamed_reading_comes_along(ward: Door) -> None:
    brought = ids(ward, "Observation?_id=hr2&_revinclude=Provenance:target", "include")
    assert "origin" in brought


def test_what_is_included_says_so_and_is_not_counted(ward: Door) -> None:
    page = content(ward.get("Observation?patient=bob&_include=Observation:patient&_total=accurate"))
    modes = [(one["resource"]["id"], one["search"]["mode"]) for one in page["entry"]]
    assert page["total"] == 2 and modes == [("t3", "match"), ("hr3", "match"), ("bob", "include")]


def test_a_match_is_not_included_again(ward: Door) -> None:
    page = content(ward.get("Patient?_include=Patient:link&_revinclude=Patient:general-practitioner"))
    assert sorted(one["resource"]["id"] for one in page["entry"]) == ["ann", "bob"]


COMPARTMENT: Rows = [
    ("Patient/bob/Observation", "hr3 t3"),
    ("Patient/bob/Observation?code=8867-4", "hr3"),
    ("Patient/ann/Observation?date=2026-01-05", "hr1 t1 bp1 pale"),
    ("Patient/ann/Procedure", "knee"),
    ("Patient/ann/Condition", "pain"),
    ("Patient/ann/Group", "cohort"),
    ("Patient/ann/RiskAssessment", "risk"),
    ("Patient/nobody/Observation", ""),
    ("Patient/ann/Observation?patient=bob", ""),
]


def test_a_compartment_holds_what_is_the_patients(ward: Door) -> None:
    put(
        ward,
        heart_rate(
            id="own", subject={"reference": "Patient/bob"}, device=None, performer=[{"reference": "Patient/ann"}]
        ),
    )
    check(ward, [*COMPARTMENT, ("Patient/ann/Observation?subject=Patient/bob", "own")][-1:])
    ward.delete("Observation/own")
    check(ward, COMPARTMENT)


def test_a_type_that_is_in_no_compartment_is_refused(ward: Door) -> None:
    assert ward.get("Patient/ann/Practitioner").status_code == 404
    assert ward.get("Patient/ann/Nothing").status_code == 404


def test_a_compartment_is_searched_by_form_too(ward: Door) -> None:
    response = ward.send("POST", "Patient/bob/Observation/_search", "code=8867-4", "application/x-www-form-urlencoded")
    page = content(response)
    assert [one["resource"]["id"] for one in page["entry"]] == ["hr3"]
    assert page["link"][0]["url"] == "http://testserver/fhir/Patient/bob/Observation?code=8867-4"


def test_a_compartment_is_searched_inside_a_batch(ward: Door) -> None:
    get = {"request": {"method": "GET", "url": "Patient/bob/Observation?code=8867-4"}}
    answer = content(ward.post("", {"resourceType": "Bundle", "type": "batch", "entry": [get]}))["entry"][0]
    assert [one["resource"]["id"] for one in answer["resource"]["entry"]] == ["hr3"]


@pytest.mark.parametrize("count", [1, 3, 50])
def test_all_of_a_compartment_comes_page_by_page(ward: Door, count: int) -> None:
    found, url = [], f"Patient/ann/*?_count={count}"
    while url:
        page = content(ward.get(url))
        found += [(one["resource"]["resourceType"], one["resource"]["id"]) for one in page.get("entry", [])]
        links = {one["relation"]: one["url"] for one in page["link"]}
        url = links.get("next", "").partition("/fhir/")[2]
    assert len(found) == len(set(found))
    mine = {name for kind, name in found if kind not in ("AuditEvent", "Provenance")}
    wanted = "watch stay knee pain hr1 hr2 t1 t2 steps ecg bp1 bp2 pale report risk answers cohort"
    assert mine >= set(wanted.split()) and not mine & {"hr3", "t3", "open", "bob"}


# ---- who may see what ---


def as_reader(scopes: str) -> Door:
    return Door(token_for(scopes, name=scopes))


def test_a_search_does_not_look_into_a_type_that_the_token_may_not_search(ward: Door) -> None:
    reader = as_reader("system/Observation.rs system/Procedure.rs")
    refused = [
        "Observation?patient.name=berg",
        "Observation?subject:Patient.gender=male",
        "Observation?patient.organization.name=are",
        "Procedure?encounter.class=IMP",
        "Procedure?performer.family=surgeon",
        "Observation?_has:Provenance:target:agent=Practitioner/doc",
    ]
    assert {query: reader.get(query).status_code for query in refused} == dict.fromkeys(refused, 403)
    counted = reader.get("Observation?patient.name=berg&_summary=count")
    assert counted.status_code == 403 and b"total" not in counted.content


def test_a_chain_goes_only_where_the_token_may_search(ward: Door) -> None:
    reader = as_reader("system/Observation.rs system/Patient.s")
    assert ids(reader, "Observation?subject.name=berg&code=8867-4") == ["hr3"]
    assert reader.get("Patient?_has:Observation:patient:code=8310-5").status_code == 200
    assert reader.get("Patient?_has:Observation:patient:_has:Provenance:target:_id=origin").status_code == 403


def test_an_include_brings_only_what_the_token_may_read(ward: Door) -> None:
    reader = as_reader("system/Procedure.rs system/Patient.r system/Encounter.s")
    assert ids(reader, "Procedure?_include=*", "include") == ["ann"]
    assert ids(reader, "Procedure?_include=Procedure:encounter", "include") == []
    assert ids(reader, "Procedure?_include=Procedure:patient&_include:iterate=Patient:organization", "include") == [
        "ann"
    ]
    assert ids(reader, "Procedure?_revinclude=Provenance:target", "include") == []


def test_a_compartment_shows_only_types_that_the_token_may_search(ward: Door) -> None:
    reader = as_reader("system/Observation.rs system/Patient.rs")
    page = content(reader.get("Patient/ann/*"))
    assert {one["resource"]["resourceType"] for one in page["entry"]} == {"Observation"}
    assert reader.get("Patient/ann/Procedure").status_code == 403


def test_conditions_of_a_write_do_not_follow_references(ward: Door) -> None:
    body = {"resourceType": "Organization", "name": "New"}
    response = ward.post("Organization", body, **{"If-None-Exist": "_has:Patient:organization:name=ann"})
    assert response.status_code == 400 and "_has" in content(response)["issue"][0]["diagnostics"]
