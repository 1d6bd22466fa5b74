"""A small FHIR Bulk export to import: the first patients of the shared synthetic cohort, or else of the demo ward."""

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from integrations.simulator.cast import CAST
from integrations.simulator.seeding import documents_between, readings_between, rounds_of
from integrations.simulator.ward import Ward
from recovery.exact_json import dumps
from tests.faults.stack import ROOT

COHORT = ROOT.parent / "shared/data/cohort-a"
TYPES = ("Patient", "Device", "Procedure", "Encounter", "Condition", "Observation")


def write_export(directory: Path, patients: int, *, on_the_ward: int) -> list[str]:
    """Write the export, of patients other than the first `on_the_ward`; returns the ids of its Observations."""
    directory.mkdir()
    if COHORT.exists():
        for type_name in TYPES:
            _write(directory, type_name, _of_cohort(type_name, patients))
    else:
        _write_demo(directory, patients, on_the_ward)
    return [json.loads(line)["id"] for line in (directory / "Observation.ndjson").read_text().splitlines()]


def _write(directory: Path, type_name: str, lines: Iterator[str]) -> None:
    with (directory / f"{type_name}.ndjson").open("w") as file:
        file.writelines(lines)


def _of_cohort(type_name: str, patients: int) -> Iterator[str]:
    """The cohort's lines are in order of patient, and their ids begin with the patient's."""
    beyond = f'"id":"p{patients:05d}'
    with gzip.open(COHORT / f"{type_name}.ndjson.gz", "rt") as lines:
        for line in lines:
            if beyond in line:
                return
            yield line


def _write_demo(directory: Path, patients: int, on_the_ward: int) -> None:
    """The demo ward as an export: its readings get the ids that a sender would have given them."""
    members = CAST[on_the_ward : on_the_ward + patients]
    ward = Ward(1, datetime(2026, 3, 2, 12, tzinfo=UTC))
    found: dict[str, dict[str, str]] = {name: {} for name in TYPES}
    for begin, end in rounds_of(ward, members):
        for member in members:
            for one in documents_between(ward, member, begin, end):
                found.setdefault(one["resourceType"], {})[one["id"]] = dumps(one)
            for place, one in enumerate(readings_between(ward, member, begin, end)):
                fhir_id = f"{member.key}-{int(begin.timestamp())}-{place}"
                found["Observation"][fhir_id] = dumps(one | {"id": fhir_id})
    for name, resources in found.items():
        _write(directory, name, (text + "\n" for text in resources.values()))
