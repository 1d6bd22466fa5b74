"""The files of a FHIR Bulk Data export: NDJSON, plain or gzip, one or more per type, in the order of dependence."""

import gzip
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from integrations.fhir.routes import ROUTES

# What others point at comes first; Observations are the many and come last.
FIRST = (
    "Organization Location Practitioner PractitionerRole Patient RelatedPerson Group Device DeviceMetric Encounter"
    " EpisodeOfCare Procedure Condition"
).split()
LAST = ("Observation", "DiagnosticReport", "Provenance")
# Patient.ndjson, Patient.000.ndjson.gz, 1.Patient.ndjson
_NAME = re.compile(r"(?:[0-9]+\.)?([A-Z][A-Za-z]+)(?:[._-][0-9]+)?\.ndjson(?:\.gz)?")


@dataclass(frozen=True, slots=True)
class ExportFile:
    type: str
    path: Path


def export_files(directory: Path) -> list[ExportFile]:
    """The NDJSON files of known types, in the order in which they can be stored."""
    found = []
    for path in sorted(directory.iterdir()):
        match = _NAME.fullmatch(path.name)
        if match and match.group(1) in ROUTES:
            found.append(ExportFile(match.group(1), path))
    return sorted(found, key=lambda file: (_rank(file.type), file.type, file.path.name))


def _rank(type_name: str) -> int:
    if type_name in FIRST:
        return FIRST.index(type_name)
    return len(FIRST) + 1 + LAST.index(type_name) if type_name in LAST else len(FIRST)


def lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """(line number from 1, line) of each line that is not blank."""
    with _open(path) as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                yield number, line


def _open(path: Path) -> BinaryIO:
    return cast(BinaryIO, gzip.open(path, "rb")) if path.suffix == ".gz" else path.open("rb")
