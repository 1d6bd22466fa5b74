"""What a search parameter's value means, one row a behaviour of R4 search.html, on documents and streams alike."""

import pytest

from tests.integration.integrations.fhir.conftest import Door
from tests.integration.integrations.fhir.searching import Rows, check, fill


@pytest.fixture
def ward(door: Door) -> Door:
    return fill(door)


TOKENS: Rows = [
    ("Patient?identifier=urn:mrn|B1", "bob"),
    ("Patient?identifier=B1", "bob"),
    ("Patient?identifier=|B1", ""),
    ("Patient?identifier=urn:mrn|", "ann bob"),
    (r"Patient?identifier=urn:mrn|A\,1\|2", "ann"),
    ("Patient?identifier:of-type=http://terminology.hl7.org/CodeSystem/v2-0203|MR|A\\,1\\|2", "ann"),
    ("Patient?identifier:of-type=http://terminology.hl7.org/CodeSystem/v2-0203|MR|B1", ""),
    ("Patient?identifier:text=record", "ann"),
    ("Patient?gender=female,male", "ann bob"),
    ("Patient?gender:not=female", "bob"),
    ("Patient?gender=fem", ""),
    ("Patient?active=true", "ann"),
    ("Patient?active:missing=true", "bob"),
    ("Patient?deceased=true", "bob"),
    ("Patient?deceased=false", "ann"),
    ("Patient?email=ann@example.org", "ann"),
    ("Patient?phone=ann@example.org", ""),
    ("Patient?telecom=555", "ann"),
    ("Procedure?code:text=knee", "knee"),
    ("Procedure?code:text=PROTHESE", "knee"),
    ("Procedure?code:text=hip", ""),
    ("Observation?code:text=temperature", "t1 t2 t3"),
    ("Observation?code=8867-4&status=preliminary", "hr3"),
    ("Observation?code=http://loinc.org|8867-4", "hr1 hr2 hr3 ecg"),
    ("Observation?code=|8867-4", ""),
    ("Observation?code:not=8867-4&patient=bob", "t3"),
    ("Observation?category=vital-signs&code=85354-9", "bp1 bp2"),
    ("Observation?combo-code=8480-6", "bp1 bp2"),
    ("Observation?combo-code=8310-5", "t1 t2 t3"),
    ("Observation?component-code=http://loinc.org|8462-4", "bp1 bp2"),
    ("Observation?value-concept=274643008", "pale"),
    ("Observation?value-concept:missing=false", "pale"),
    ("Observation?identifier=urn:i|one", "hr2"),
    ("Observation?identifier=one", "hr2"),
    ("Observation?identifier=urn:x|one", ""),
    ("Observation?identifier:missing=false", "hr2"),
    ("Observation?identifier:not=one&patient=ann&code=8867-4", "hr1 ecg"),
    ("Patient?_tag=urn:t|study", "ann"),
    ("Patient?_tag:missing=true", "bob"),
    ("Patient?_profile=http://example.org/p/one", "ann"),
    ("Patient?_profile:below=http://example.org/p", "ann"),
    ("Patient?_profile:below=http://example.org/q", ""),
    ("Patient?_id=ann,bob&_id=bob", "bob"),
]


def test_a_token_finds_system_and_code(ward: Door) -> None:
    check(ward, TOKENS)


STRINGS: Rows = [
    ("Patient?family=angst", "ann"),
    ("Patient?family=ÅNGSTRÖM", "ann"),
    ("Patient?family=strom", ""),
    ("Patient?family:contains=STRO", "ann"),
    ("Patient?family:exact=Ångström", "ann"),
    ("Patient?family:exact=Angström", ""),
    ("Patient?name=zoe", "ann"),
    ("Patient?name=zoe,bob", "ann bob"),
    ("Patient?given=ann&given=zoe", "ann"),
    ("Patient?address=ostersund", "ann"),
    ("Patient?address-postalcode=831", "ann"),
    ("Organization?name=fjell", "org"),
    ("Observation?value-string=pale", "pale"),
    ("Questionnaire?url=http://example.org/forms/knee", "form"),
    ("Questionnaire?url=http://example.org/forms", ""),
    ("Questionnaire?url:below=http://example.org/forms", "form"),
    ("Questionnaire?url:above=http://example.org/forms/knee/right", "form"),
]


def test_a_string_begins_folded_and_a_uri_is_exact(ward: Door) -> None:
    check(ward, STRINGS)


REFERENCES: Rows = [
    ("Procedure?patient=ann", "knee"),
    ("Procedure?patient=Patient/ann", "knee"),
    ("Procedure?patient=Patient/ann/_history/1", "knee"),
    ("Procedure?patient=http://testserver/fhir/Patient/ann", "knee"),
    ("Procedure?patient=http://elsewhere/fhir/Patient/ann", ""),
    ("Procedure?subject:Patient=ann", "knee"),
    ("Procedure?subject=Group/ann", ""),
    ("Condition?asserter:identifier=urn:staff|77", "pain"),
    ("Condition?asserter:identifier=urn:staff|78", ""),
    ("QuestionnaireResponse?questionnaire=http://example.org/forms/knee", "answers"),
    ("QuestionnaireResponse?questionnaire=http://example.org/forms/knee|1.2", "answers"),
    ("Observation?subject=Patient/bob", "hr3 t3"),
    ("Observation?device=Device/watch&code=8310-5", "t1 t2"),
    ("Observation?device=watch&code=8310-5", "t1 t2"),
    ("Observation?device:missing=true", "hr3 t3"),
    ("Encounter?service-provider=org", "stay"),
    ("DiagnosticReport?result=Observation/bp2", "report"),
    ("Group?member=Patient/ann", "cohort"),
]


def test_a_reference_is_found_in_every_form(ward: Door) -> None:
    check(ward, REFERENCES)


DATES: Rows = [
    ("Observation?date=2026-01-05&patient=ann", "hr1 t1 bp1 pale"),
    ("Observation?date=2026-01-05T08&patient=ann", None),
    ("Observation?date=2026-01-05T08:00&patient=ann", "hr1"),
    ("Observation?date=2026-01-05T09:00:00%2B01:00&patient=ann", "hr1"),
    ("Observation?date=ap2026-01-05&patient=bob&code=8867-4", "hr3"),
    ("Observation?date=ne2026-01-05&patient=ann&code=8867-4", "hr2 ecg"),
    ("Observation?date=2026-01-07&code=8867-4", "ecg"),
    ("Observation?date=2026-01-07T01:00:00Z&code=8867-4", ""),
    ("Observation?date=gt2026-01-07T01:00:00Z&code=8867-4", "ecg"),
    ("Observation?date=lt2026-01-07T01:00:00Z&code=8867-4", "hr1 hr2 hr3 ecg"),
    ("Observation?date=sa2026-01-06&code=8867-4", "ecg"),
    ("Observation?date=eb2026-01-06&code=8867-4", "hr1"),
    ("Observation?date=gt2026-01-07T01:00:00Z&date=lt2026-01-07T02:00:00Z", "ecg t3"[:3]),
    ("Observation?date=2026-01-05,2026-01-07&code=8867-4", "hr1 ecg"),
    ("Observation?date=2026-01-05&code=55423-8", ""),
    ("Observation?date=ge2026-01-05&code=55423-8", "steps"),
    ("Observation?date=gt2026-01-05&code=55423-8", "steps"),
    ("Observation?date=2026-01&code=55423-8", "steps"),
    ("Observation?date:missing=true", ""),
    ("Encounter?date=2026-01-05", ""),
    ("Encounter?date=ge2026-01-05", "stay open"),
    ("Encounter?date=lt2026-01-05", "stay"),
    ("Encounter?date=sa2026-01-05", "open"),
    ("Encounter?date=eb2026-01-10", "stay"),
    ("Encounter?date=ap2026-01-07", "stay open"),
    ("Encounter?date=2026", "stay"),
    ("Encounter?date=ne2026", "open"),
    ("Patient?birthdate=1957-03", "ann"),
    ("Patient?birthdate=1960", "bob"),
    ("Patient?birthdate=1960-05", ""),
    ("Patient?birthdate=ge1960-01-01", "bob"),
    ("Patient?death-date=2026-02", "bob"),
    ("Patient?death-date:missing=true", "ann"),
    ("Patient?_lastUpdated=gt2100", ""),
    ("Patient?_lastUpdated=lt2000,gt2001", "ann bob"),
    ("Observation?_lastUpdated=lt2000,gt2001&code=85354-9", "bp1 bp2"),
    ("Observation?_lastUpdated=lt2000,gt2001&patient=bob", "hr3 t3"),
]


def test_a_date_is_a_range(ward: Door) -> None:
    check(ward, DATES)


UCUM = "http://unitsofmeasure.org"


NUMBERS: Rows = [
    ("Observation?value-quantity=104", "hr2"),
    (f"Observation?value-quantity=104|{UCUM}|/min", "hr2"),
    (f"Observation?value-quantity=1.7333|{UCUM}|/s", "hr2"),
    (f"Observation?value-quantity=104|{UCUM}|mm[Hg]", ""),
    ("Observation?value-quantity=104||/min", "hr2"),
    ("Observation?value-quantity=104||beats/minute", "hr2"),
    (f"Observation?value-quantity=38.5|{UCUM}|Cel", "t2 t3"),
    (f"Observation?value-quantity=gt38|{UCUM}|Cel", "t2 t3"),
    (f"Observation?value-quantity=ge38.5|{UCUM}|Cel", "t2 t3"),
    (f"Observation?value-quantity=gt38.5|{UCUM}|Cel", ""),
    (f"Observation?value-quantity=lt100|{UCUM}|[degF]", "t1"),
    (f"Observation?value-quantity=le98.6|{UCUM}|[degF]", "t1"),
    (f"Observation?value-quantity=98.6|{UCUM}|[degF]", "t1"),
    (f"Observation?value-quantity=ap37|{UCUM}|Cel&patient=bob", "t3"),
    (f"Observation?value-quantity=ne37|{UCUM}|Cel", "t2 t3"),
    ("Observation?value-quantity=4e1&code=8310-5", "t1 t3"),
    ("Observation?value-quantity=gt100&code=8867-4", "hr2"),
    ("Observation?value-quantity=72&code=8867-4", "hr1 hr3"),
    ("Observation?value-quantity=gt72.5&code=8867-4", "hr2 ecg"),
    ("Observation?value-quantity:missing=true", "bp1 bp2 pale"),
    (f"Observation?combo-value-quantity=gt160|{UCUM}|mm[Hg]", "bp2"),
    (f"Observation?component-value-quantity=12.7|{UCUM}|kPa", "bp2"),
    (f"Observation?code-value-quantity=8310-5$gt38|{UCUM}|Cel", "t2 t3"),
    (f"Observation?code-value-quantity=http://loinc.org|8310-5$lt38|{UCUM}|Cel", "t1"),
    ("Observation?code-value-quantity=8867-4$gt100", "hr2"),
    ("Observation?code-value-quantity=8310-5$gt100", "t2"),
    (f"Observation?component-code-value-quantity=8480-6$gt150|{UCUM}|mm[Hg]", "bp2"),
    (f"Observation?component-code-value-quantity=8480-6$lt90|{UCUM}|mm[Hg]", ""),
    (f"Observation?component-code-value-quantity=8462-4$lt90|{UCUM}|mm[Hg]", "bp1"),
    (f"Observation?combo-code-value-quantity=8480-6$gt150|{UCUM}|mm[Hg],8310-5$37|{UCUM}|Cel", "bp2 t1"),
    ("Observation?combo-code-value-quantity=8867-4$104", "hr2"),
    ("Observation?code-value-concept=39107-8$274643008", "pale"),
    ("Observation?code-value-concept=8310-5$274643008", ""),
    ("Observation?combo-code-value-concept=39107-8$http://snomed.info/sct|274643008", "pale"),
    ("Observation?code-value-string=39107-8$pale", "pale"),
    ("RiskAssessment?probability=gt0.1", "risk"),
    ("RiskAssessment?probability=0.12", "risk"),
    ("RiskAssessment?probability=0.1", "risk"),
    ("RiskAssessment?probability=0.10", ""),
    ("RiskAssessment?probability=lt0.12", ""),
    ("RiskAssessment?probability=le0.12", "risk"),
]


def test_a_number_is_found_by_its_value_in_any_unit_of_its_kind(ward: Door) -> None:
    check(ward, NUMBERS)
