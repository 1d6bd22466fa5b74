"""Whole patients as another system writes them: Synthea's transaction bundles."""

import gzip
import json
from pathlib import Path

import pytest

from recovery.models import Episode, Patient, Sample
from tests.integration.integrations.fhir.conftest import Door, content

BUNDLES = Path(__file__).resolve().parents[5] / "shared" / "data" / "synthea-surgical-bundles"


def test_a_whole_patient_is_taken_in_by_one_transaction(door: Door) -> None:
    paths = sorted(BUNDLES.glob("*.json.gz"), key=lambda path: path.stat().st_size)
    if not paths:
        pytest.skip("the Synthea bundles are not beside this checkout")
    bundle = json.loads(gzip.decompress(paths[0].read_bytes()))
    response = door.post("", {**bundle, "type": "transaction"})
    assert response.status_code == 200, response.content[:500]
    answered = content(response)["entry"]
    assert len(answered) == len(bundle["entry"])
    assert all(entry["response"]["status"].startswith("201") for entry in answered)
    assert Patient.objects.count() == 1 and Sample.objects.exists()
    assert {one.patient_id for one in Episode.objects.all()} <= {Patient.objects.get().pk}
