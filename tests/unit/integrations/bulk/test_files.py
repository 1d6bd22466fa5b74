"""Which files are read, and in which order."""

from pathlib import Path

from integrations.bulk.files import export_files


def test_files_come_in_the_order_of_dependence_whatever_they_are_called(tmp_path: Path) -> None:
    for name in (
        "Observation.001.ndjson.gz",
        "Observation.000.ndjson",
        "1.Patient.ndjson",
        "Procedure.ndjson",
        "Device-2.ndjson",
        "manifest.json",
        "SOURCE.txt",
        "Nonsense.ndjson",
        "Consent.ndjson",
        "Patient.csv",
    ):
        (tmp_path / name).touch()
    names = [file.path.name for file in export_files(tmp_path)]
    assert names == [
        "1.Patient.ndjson",
        "Device-2.ndjson",
        "Procedure.ndjson",
        "Consent.ndjson",
        "Observation.000.ndjson",
        "Observation.001.ndjson.gz",
    ]
