"""What the trail keeps of a search: what was looked for, and no name."""

import pytest

from integrations.fhir.call import nameless


@pytest.mark.parametrize(
    ("asked", "kept"),
    [
        ("name=Okafor", "name=***"),
        ("family%3Aexact=Okafor&_count=5", "family%3Aexact=***&_count=5"),
        ("identifier=urn%3Amrn%7C4711", "identifier=urn%3Amrn%7C***"),
        ("birthdate=ge1950-01-01", "birthdate=***"),
        ("subject%3APatient.given=Amara", "subject%3APatient.given=***"),
        ("patient.identifier=4711", "patient.identifier=***"),
        ("_has%3AObservation%3Apatient%3Acode=8867-4", "_has%3AObservation%3Apatient%3Acode=8867-4"),
        ("address-city=Bonn&telecom=1", "address-city=***&telecom=***"),
        ("patient=p1&code=urn%3Al%7C8867-4&date=ge2026", "patient=p1&code=urn%3Al%7C8867-4&date=ge2026"),
        ("", ""),
    ],
)
def test_a_search_is_kept_without_what_names_a_person(asked: str, kept: str) -> None:
    assert nameless(asked) == kept
