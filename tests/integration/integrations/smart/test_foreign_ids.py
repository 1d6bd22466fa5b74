"""Who may see some people's records only cannot find out which ids others have: both answers are the same."""

import re
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest

from recovery.models import Document, Sample
from tests.integration.integrations.fhir.conftest import Door, token_for
from tests.integration.integrations.smart.confining import lay_down, patient_token
from tests.integration.integrations.smart.records import record

pytestmark = pytest.mark.django_db
VITAL = "http://terminology.hl7.org/CodeSystem/observation-category|vital-signs"


SCOPES = ("patient/*.cruds", f"patient/*.c?category={VITAL} patient/Condition.cu")


@pytest.fixture
def doors(db: None) -> tuple[Door, ...]:
    """Of a patient's apps that may send."""
    lay_down(Door(token_for("system/*.cruds")))
    return tuple(patient_token(scopes, f"app {place}") for place, scopes in enumerate(SCOPES))


def reading(**said: Any) -> dict[str, Any]:
    body = {**record("Observation", "own", ""), **said}
    return {key: value for key, value in body.items() if key not in ("id", "encounter")} | (
        {"encounter": said["encounter"]} if "encounter" in said else {}
    )


def answered(answer: Any, *ids: str) -> tuple[int, str]:
    """Status and text, without the ids asked for and the id of a Bundle's answer."""
    text = re.sub(r'"id":"[0-9a-f-]{36}"', "", answer.content.decode())
    for one in ids:
        text = text.replace(one, "ID")
    return answer.status_code, text


POINTERS = (
    ("encounter", "Encounter"),
    ("device", "Device"),
    ("hasMember", "Observation"),
    ("basedOn", "ServiceRequest"),
)


def test_a_reference_to_a_strangers_resource_reads_as_one_to_nothing(doors: tuple[Door, ...]) -> None:
    before = Document.objects.count(), Sample.objects.count()
    for door, (element, kind) in product(doors, POINTERS):
        told = [list(answers(door, element, kind, name)) for name in (f"stranger-{kind}", f"nobodys-{kind}")]
        assert told[0] == told[1] and told[0][0][0] == 422 and "is not known here" in told[0][0][1]
    assert (Document.objects.count(), Sample.objects.count()) == before


def answers(door: Door, element: str, kind: str, name: str) -> Iterator[tuple[int, str]]:
    """To a reading that points there, sent alone, in a batch and in a transaction."""
    pointer: Any = {"reference": f"{kind}/{name}"}
    body = reading(**{element: [pointer] if element in ("hasMember", "basedOn") else pointer})
    yield answered(door.post("Observation", body), name)
    entry = {"resource": body, "request": {"method": "POST", "url": "Observation"}}
    for how in ("batch", "transaction"):
        yield answered(door.post("", {"resourceType": "Bundle", "type": how, "entry": [entry]}), name)


def test_an_update_of_an_id_that_nobody_has_is_refused_as_one_of_a_strangers(doors: tuple[Door, ...]) -> None:
    for door in doors:
        told = []
        for name in ("stranger-Condition", "nobodys-Condition"):
            body = {**record("Condition", "own", ""), "id": name}
            told.append(answered(door.put(f"Condition/{name}", body), name))
        assert told[0] == told[1] and told[0][0] == 403


def test_ones_own_and_nobodys_may_be_referred_to_and_a_system_still_chooses_its_ids(doors: tuple[Door, ...]) -> None:
    own = {"encounter": {"reference": "Encounter/own-Encounter"}, "device": {"reference": "Device/own-Device"}}
    body = reading(**own, performer=[{"reference": "Practitioner/shared"}, {"reference": "Patient/own-Patient"}])
    assert doors[0].post("Observation", body).status_code == 201
    system = Door(token_for("system/*.cruds"))
    assert system.put("Condition/chosen", {**record("Condition", "own", ""), "id": "chosen"}).status_code == 201
    pointing = reading(encounter={"reference": "Encounter/stranger-Encounter"})
    assert system.post("Observation", pointing).status_code == 201
