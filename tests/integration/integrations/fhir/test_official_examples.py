"""Every official R4 example of a type that is kept here comes back as it was sent, or is refused for a reason of R4."""

from typing import Any

import pytest
from django.utils import timezone

from integrations.fhir import wire
from integrations.fhir.documents.references import references_of
from integrations.fhir.routes import ROUTES
from recovery.exact_json import dumps
from recovery.models import Document, Sample
from tests.integration.integrations.fhir.conftest import Door, content
from tests.unit.integrations.fhir.streams.test_template import exactly
from tests.unit.integrations.fhir.test_validation import EXAMPLES, WRONG_EXAMPLES

# What the server changes by right (R4 resource.html#Meta, http.html#create).
SERVERS_OWN = ("versionId", "lastUpdated")


def examples() -> list[tuple[str, dict[str, Any]]]:
    """(file name, resource) of each example of a type that may be written here."""
    found = [(path.stem, wire.parse(path.read_bytes())) for path in sorted(EXAMPLES.glob("*.json"))]
    return [
        (name, said)
        for name, said in found
        if said["resourceType"] in ROUTES and "create" in ROUTES[said["resourceType"]].interactions
    ]


@pytest.fixture
def there(door: Door) -> list[tuple[str, dict[str, Any]]]:
    """All examples, with everything they point at in place."""
    said = examples()
    if not said:
        pytest.skip("the official examples are not beside this checkout")
    wanted = {one for name, resource in said for one in references_of(resource, name)}
    for type_name, fhir_id in sorted(wanted):
        if type_name == "Patient":
            door.put(f"Patient/{fhir_id}", {"resourceType": "Patient", "id": fhir_id})
    Document.objects.bulk_create(
        Document(type=type_name, fhir_id=fhir_id, content="{}", updated_at=timezone.now())
        for type_name, fhir_id in sorted(wanted)
        if type_name != "Patient"
    )
    return said


def without_what_is_ours(resource: dict[str, Any]) -> Any:
    """The resource with exact decimals, without id and the server's part of meta."""
    meta = {key: value for key, value in resource.get("meta", {}).items() if key not in SERVERS_OWN}
    rest = {key: value for key, value in resource.items() if key not in ("id", "meta")}
    if resource["resourceType"] == "Subscription":  # the server decides the status, and keeps secrets to itself
        rest = {key: value for key, value in rest.items() if key not in ("status", "error")}
        rest["channel"] = {key: value for key, value in rest["channel"].items() if key != "header"}
    return exactly({**rest, "meta": meta} if meta else rest)


def test_accepted_examples_come_back_equal_and_refused_ones_are_wrong(
    door: Door, there: list[tuple[str, dict[str, Any]]]
) -> None:
    refused: dict[str, str] = {}
    for name, said in there:
        address, text = f"{said['resourceType']}/{said['id']}", (EXAMPLES / f"{name}.json").read_text()
        answer = door.put(address, text)
        if answer.status_code >= 400:
            refused[name] = content(answer)["issue"][0]["expression"][0]
            continue
        assert answer.status_code in (200, 201), (name, answer.content)
        found = content(door.get(address))
        assert without_what_is_ours(found) == without_what_is_ours(said), name
        assert found["id"] == said["id"], name
    assert refused == WRONG_EXAMPLES
    assert len(there) - len(refused) >= 250


def test_created_examples_come_back_equal_under_an_id_of_ours(
    door: Door, there: list[tuple[str, dict[str, Any]]]
) -> None:
    for name, said in there:
        if name in WRONG_EXAMPLES:
            continue
        answer = door.post(said["resourceType"], (EXAMPLES / f"{name}.json").read_text())
        assert answer.status_code in (200, 201), (name, answer.content)
        address = answer["Location"].partition("/fhir/")[2].partition("/_history")[0]
        assert without_what_is_ours(content(door.get(address))) == without_what_is_ours(said), name


def test_examples_that_fit_a_stream_once_their_narrative_is_off_come_back_equal_too(
    door: Door, there: list[tuple[str, dict[str, Any]]]
) -> None:
    for name, whole in there:
        if whole["resourceType"] != "Observation" or name in WRONG_EXAMPLES:
            continue
        said = {key: value for key, value in whole.items() if key != "text"}
        answer = door.post("Observation", dumps(said))
        assert answer.status_code in (200, 201), (name, answer.content)
        address = answer["Location"].partition("/fhir/")[2].partition("/_history")[0]
        assert without_what_is_ours(content(door.get(address))) == without_what_is_ours(said), name
    assert Sample.objects.filter(series__shape="number").exists()
