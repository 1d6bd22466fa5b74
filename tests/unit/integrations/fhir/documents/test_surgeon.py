"""Who operated, as a Procedure says it."""

from typing import Any

import pytest

from integrations.fhir.documents.surgeon import surgeon_of

SURGEON = {"coding": [{"system": "http://snomed.info/sct", "code": "304292004"}]}
ANAESTHETIST = {"coding": [{"system": "http://snomed.info/sct", "code": "158967008"}]}


def of(*performers: dict[str, Any], **more: Any) -> tuple[str, str]:
    return surgeon_of({"resourceType": "Procedure", "performer": list(performers), **more})


def test_of_several_it_is_the_one_whose_function_is_surgeon() -> None:
    first = {"function": ANAESTHETIST, "actor": {"reference": "Practitioner/a", "display": "Dr. A"}}
    second = {"function": SURGEON, "actor": {"reference": "Practitioner/s", "display": "Dr. S"}}
    assert of(first, second) == ("Dr. S", "s")
    assert of(first) == ("", "")


def test_the_only_performer_with_no_function_said_is_taken_and_of_two_none_is_guessed() -> None:
    alone = {"actor": {"display": "Dr. S"}}
    assert of(alone) == ("Dr. S", "")
    assert of(alone, {"actor": {"display": "Dr. T"}}) == ("", "")


def test_one_who_stands_inside_the_procedure_is_named() -> None:
    inside = {"resourceType": "Practitioner", "id": "x", "name": [{"family": "Example", "given": ["Ann"]}]}
    assert of({"function": SURGEON, "actor": {"reference": "#x"}}, contained=[inside]) == ("Ann Example", "")


@pytest.mark.parametrize("actor", [{"reference": "Organization/o", "display": "Surgery"}, {"reference": "#gone"}, {}])
def test_what_is_no_person_is_nobodys_surgeon(actor: dict[str, Any]) -> None:
    assert of({"function": SURGEON, "actor": actor}) == ("", "")
