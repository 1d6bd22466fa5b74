"""RiskAssessment is read and searched like the rest, and cannot be written."""

from datetime import UTC, datetime

import pytest

from recovery.models import Episode, Patient, Snapshot
from tests.integration.integrations.fhir.conftest import Door, content

AT = datetime(2026, 1, 9, 12, tzinfo=UTC)


@pytest.fixture
def episodes(door: Door, patient: str) -> list[str]:
    keys = []
    for name in ("p1", "p2", "p3"):
        person, _ = Patient.objects.get_or_create(fhir_id=name)
        episode = Episode.objects.create(patient=person, fhir_id=f"op-{name}", surgery_end=AT, status="active")
        risk = {"outcome": "complication", "label": "any complication", "horizon_h": 168, "probability": 0.1}
        Snapshot.objects.create(
            episode=episode, hour=1, made_at=AT, model_version="m1", current=True, content={"risks": [risk]}
        )
        keys.append(str(episode.key))
    return keys


def ids(door: Door, query: str) -> list[str]:
    return [one["resource"]["id"] for one in content(door.get(f"RiskAssessment?{query}")).get("entry", [])]


def test_the_current_risk_of_a_patient_is_found_and_read(door: Door, episodes: list[str]) -> None:
    assert ids(door, "subject=Patient/p2") == [episodes[1]]
    assert ids(door, "patient=p2&date=2026-01-09") == [episodes[1]]
    assert ids(door, "patient=p2&date=2026-01-10") == []
    found = content(door.get(f"RiskAssessment/{episodes[1]}"))
    assert found["prediction"][0]["probabilityDecimal"].text == "10.0"
    assert door.get("RiskAssessment/none").status_code == 404


def test_pages_go_through_all_of_them(door: Door, episodes: list[str]) -> None:
    found, url = [], "RiskAssessment?_count=2"
    while url:
        page = content(door.get(url))
        found += [one["resource"]["id"] for one in page["entry"]]
        url = next((one["url"] for one in page["link"] if one["relation"] == "next"), "").partition("/fhir/")[2]
    assert found == episodes


def test_a_conclusion_is_ours_to_write(door: Door, episodes: list[str]) -> None:
    body = {
        "resourceType": "RiskAssessment",
        "id": episodes[0],
        "status": "final",
        "subject": {"reference": "Patient/p1"},
    }
    for response in (
        door.put(f"RiskAssessment/{episodes[0]}", body),
        door.delete(f"RiskAssessment/{episodes[0]}"),
        door.delete("RiskAssessment?patient=p1"),
    ):
        assert response.status_code == 405


def test_the_assessment_of_another_system_stands_beside_ours(door: Door, episodes: list[str]) -> None:
    theirs = {
        "resourceType": "RiskAssessment",
        "status": "final",
        "subject": {"reference": "Patient/p1"},
        "occurrenceDateTime": "2026-01-08",
    }
    sent = door.post("RiskAssessment", theirs)
    assert sent.status_code == 201
    own = content(sent)["id"]
    assert ids(door, "patient=p1") == [own, episodes[0]]
    assert ids(door, "patient=p1&_sort=-date") == [episodes[0], own]
    assert ids(door, "_sort=date") == [own, *episodes]
    assert ids(door, f"_id={episodes[0]}") == [episodes[0]]
    assert content(door.get("RiskAssessment?_summary=count"))["total"] == 4


@pytest.mark.parametrize("sort", ["", "&_sort=date", "&_sort=-date", "&_sort=-_lastUpdated"])
def test_no_page_repeats_or_skips_across_both_shelves(door: Door, episodes: list[str], sort: str) -> None:
    for day in (1, 9, 30):
        theirs = {"resourceType": "RiskAssessment", "status": "final", "subject": {"reference": "Patient/p1"}}
        door.post("RiskAssessment", {**theirs, "occurrenceDateTime": f"2026-01-{day:02d}"})
    whole = ids(door, f"_count=50{sort}")
    found, url = [], f"RiskAssessment?_count=1{sort}"
    while url:
        page = content(door.get(url))
        found += [one["resource"]["id"] for one in page["entry"]]
        url = next((one["url"] for one in page["link"] if one["relation"] == "next"), "").partition("/fhir/")[2]
    assert found == whole and len(set(found)) == 6
