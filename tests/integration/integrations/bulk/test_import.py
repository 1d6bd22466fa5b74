"""An export is taken in once, whatever is sent again; what is refused is told, and the counts add up."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from recovery.models import Batch, Document, Episode, Finding, Packet, Patient, Sample
from recovery.selectors.fhir_store import get_reading
from tests.unit.integrations.fhir.observations import heart_rate, sampled

SNOMED = "http://snomed.info/sct"


def write(directory: Path, name: str, *resources: Any) -> None:
    text = "".join(one if isinstance(one, str) else json.dumps(one) + "\n" for one in resources)
    path = directory / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())


@pytest.fixture
def export(tmp_path: Path) -> Path:
    subject = {"reference": "Patient/p1"}
    write(tmp_path, "Patient.ndjson", {"resourceType": "Patient", "id": "p1", "birthDate": "1950-02-01"})
    write(tmp_path, "Device.ndjson.gz", {"resourceType": "Device", "id": "d1", "patient": subject})
    knee = {"coding": [{"system": SNOMED, "code": "609588000"}]}
    done = {"start": "2026-01-05T06:00:00Z", "end": "2026-01-05T07:00:00Z"}
    write(
        tmp_path,
        "Procedure.ndjson",
        {
            "resourceType": "Procedure",
            "id": "op",
            "status": "completed",
            "code": knee,
            "subject": subject,
            "performedPeriod": done,
        },
    )
    write(
        tmp_path,
        "Condition.ndjson",
        {
            "resourceType": "Condition",
            "id": "c",
            "subject": subject,
            "code": {"coding": [{"system": SNOMED, "code": "433202001"}]},
            "recordedDate": "2026-01-09T10:00:00Z",
        },
    )
    asa = {"coding": [{"system": "http://loinc.org", "code": "97816-3"}]}
    write(
        tmp_path,
        "Observation.000.ndjson.gz",
        heart_rate(id="a", issued="2026-01-05T09:00:00Z"),
        heart_rate(id="a-again", issued="2026-01-07T09:00:00Z"),
        sampled(id="s", issued="2026-01-06T09:00:00Z"),
        heart_rate(id="asa", code=asa, valueQuantity=None, valueInteger=3),
        heart_rate(id="stranger", subject={"reference": "Patient/nobody"}),
        heart_rate(id="bad", status="finished"),
        "not json\n",
        "\n",
        heart_rate(),
    )
    return tmp_path


def run(directory: Path, capsys: pytest.CaptureFixture[str], **options: Any) -> dict[str, str]:
    call_command("import_fhir", directory, **options)
    return dict(line.split(": ", 1) for line in capsys.readouterr().out.splitlines())


def rows() -> tuple[int, ...]:
    return tuple(model.objects.count() for model in (Patient, Document, Sample, Packet, Episode, Finding))


def test_everything_is_stored_held_or_refused_and_told(
    db: None, export: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = run(export, capsys, refused=tmp_path / "refused.ndjson")
    assert told["Patient"] == "1 in = 1 stored + 0 already held + 0 refused"
    assert told["Observation"] == "8 in = 3 stored + 1 already held + 4 refused"
    notes = [json.loads(line) for line in (tmp_path / "refused.ndjson").read_text().splitlines()]
    said = {(note["name"], note["status"]): note for note in notes}
    assert said["Observation/a-again", "held"]["reason"] == "duplicate of Observation/a"
    assert "send the Patient first" in said["Observation/stranger", "refused"]["reason"]
    assert said["Observation/bad", "refused"]["field"] == "Observation.status"
    assert {note["source"] for note in notes if note["name"] == "Observation"} == {
        "Observation.000.ndjson.gz:7",
        "Observation.000.ndjson.gz:9",
    }


def test_the_episode_and_findings_are_there(db: None, export: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(export, capsys)
    episode = Episode.objects.get()
    assert (episode.procedure, episode.status) == ("knee_replacement", "active")
    assert set(Finding.objects.values_list("kind", "key")) == {("complication", "ssi"), ("factor", "asa")}


def test_running_again_adds_nothing(db: None, export: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(export, capsys)
    before = rows()
    told = run(export, capsys)
    assert rows() == before
    assert told["Observation"] == "8 in = 0 stored + 4 already held + 4 refused"
    assert told["Procedure"] == "1 in = 0 stored + 1 already held + 0 refused"


def test_readings_keep_the_id_they_came_with(db: None, export: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(export, capsys)
    assert [get_reading(name) is not None for name in ("a", "s", "a-again")] == [True, True, False]


def test_as_arrived_things_become_known_when_they_were_issued(
    db: None, export: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = run(export, capsys, as_arrived=True)
    assert told["Observation"] == "8 in = 3 stored + 1 already held + 4 refused"
    received = {
        row.fhir_id: row.batch.received_at
        for row in (*Sample.objects.filter(fhir_id__isnull=False), *Packet.objects.all())
    }
    assert received["a"].isoformat() == "2026-01-05T09:00:00+00:00"
    assert received["s"].isoformat() == "2026-01-06T09:00:00+00:00"
    times = list(Batch.objects.order_by("pk").values_list("received_at", flat=True))
    assert times == sorted(times)


def test_origin_and_synthetic_stand_with_the_patient(
    db: None, export: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(export, capsys, origin="Test hospital, CC0", synthetic=True)
    patient = Patient.objects.get()
    assert (patient.origin, patient.is_synthetic) == ("Test hospital, CC0", True)


def test_an_unknown_team_or_an_empty_directory_is_said(db: None, export: Path, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no team"):
        call_command("import_fhir", export, team="nobody")
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(CommandError, match="no FHIR NDJSON"):
        call_command("import_fhir", empty)
