"""Whole patients as another system writes them: Synthea's transaction bundles, read back entry by entry."""

import gzip
from pathlib import Path
from typing import Any

import pytest

from integrations.fhir import wire
from recovery.models import Episode, Patient, Sample
from tests.integration.integrations.fhir.conftest import Door, content
from tests.integration.integrations.fhir.test_official_examples import without_what_is_ours

BUNDLES = Path(__file__).resolve().parents[5] / "shared" / "data" / "synthea-surgical-bundles"
PATHS = sorted(BUNDLES.glob("*.json.gz"), key=lambda path: path.stat().st_size)


def with_places(value: Any, places: dict[str, str]) -> Any:
    """What was sent, with its urn references as the places where they were stored."""
    if isinstance(value, list):
        return [with_places(item, places) for item in value]
    if not isinstance(value, dict):
        return value
    copy = {key: with_places(child, places) for key, child in value.items()}
    if copy.get("reference") in places:
        copy["reference"] = places[copy["reference"]]
    return copy


@pytest.mark.parametrize("path", PATHS or [None], ids=lambda path: path.name if path else "absent")
def test_a_whole_patient_is_taken_in_by_one_transaction_and_reads_back(door: Door, path: Path | None) -> None:
    if path is None:
        pytest.skip("the Synthea bundles are not beside this checkout")
    sent = gzip.decompress(path.read_bytes()).replace(b'"type": "collection"', b'"type": "transaction"')
    entries = wire.parse_object(sent)["entry"]
    response = door.post("", sent)
    assert response.status_code == 200, response.content[:500]
    answered = [entry["response"] for entry in content(response)["entry"]]
    assert len(answered) == len(entries)
    assert {one["status"][:3] for one in answered} <= {"201", "200"}
    addresses = [one["location"].partition("/_history")[0] for one in answered]
    places = {entry["fullUrl"]: address for entry, address in zip(entries, addresses, strict=True)}
    for entry, address in zip(entries, addresses, strict=True):
        found = content(door.get(address))
        assert without_what_is_ours(found) == without_what_is_ours(with_places(entry["resource"], places)), address
    assert Patient.objects.count() == 1 and Sample.objects.exists()
    assert {one.patient_id for one in Episode.objects.all()} <= {Patient.objects.get().pk}
    again = content(door.post("", sent))
    assert {one["response"]["status"][:3] for one in again["entry"]} <= {"201", "200"}
