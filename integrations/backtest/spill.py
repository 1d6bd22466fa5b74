"""First pass over an export: its lines, dealt into groups of patients, in files of a temporary folder.

Memory does not grow with the export and the order of its lines does not matter: what belongs to one patient ends in
one group. A line keeps its file and number, by which it can be named later.
"""

import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from integrations.backtest.errors import BacktestRefused
from integrations.bulk.files import ExportFile, export_files, lines
from integrations.fhir import wire
from integrations.fhir.outcomes import FhirError

USED = ("Patient", "Procedure", "Device", "Condition", "Encounter", "Observation")
PATIENTS_A_GROUP = 150
FEWEST_GROUPS = 4
FLUSH_AT = 32 * 1024 * 1024
MOST_NAMED = 50

_PATIENT = re.compile(rb'"reference"\s*:\s*"(?:[^"]*/)?Patient/([A-Za-z0-9\-.]{1,64})"')
_TAB = b"\t"
EVERYBODY = b""

Tell = Callable[[str], None]


@dataclass
class Problems:
    """Rows that could not be used, by kind: how many, and the first of them by name (file:line, reason)."""

    count: Counter[str] = field(default_factory=Counter)
    named: list[tuple[str, str, str]] = field(default_factory=list)

    def add(self, kind: str, source: str, reason: str) -> None:
        self.count[kind] += 1
        if sum(one[0] == kind for one in self.named) < MOST_NAMED:
            self.named.append((kind, source, reason))

    def plain(self) -> dict[str, object]:
        return {"count": dict(self.count), "named": [list(one) for one in self.named]}

    def merge(self, plain: dict[str, object]) -> None:
        count, named = plain["count"], plain["named"]
        if isinstance(count, dict) and isinstance(named, list):
            self.count.update(count)
            for kind, source, reason in named:
                if sum(one[0] == kind for one in self.named) < MOST_NAMED:
                    self.named.append((kind, source, reason))


@dataclass
class Spilled:
    """groups: files, one a group. read: lines of each type."""

    groups: list[Path]
    read: Counter[str]
    problems: Problems


def used_files(directory: Path) -> list[ExportFile]:
    """The files of a backtest, in the order in which they are read. Raises BacktestRefused when it cannot be one."""
    if not directory.is_dir():
        raise BacktestRefused(f"{directory} is not a folder.")
    files = [file for file in export_files(directory) if file.type in USED]
    missing = {"Patient", "Procedure"} - {file.type for file in files}
    if missing:
        names = " and ".join(f"{name}.ndjson(.gz)" for name in sorted(missing))
        raise BacktestRefused(f"The export holds no {names}: a backtest needs patients and their operations.")
    return files


def spill(files: list[ExportFile], folder: Path, tell: Tell) -> Spilled:
    """Deals all lines of `files` into group files in `folder`."""
    patients = sum(1 for file in files if file.type == "Patient" for _ in _lines(file, Problems()))
    if not patients:
        raise BacktestRefused("The export has no Patient.")
    count = max(-(-patients // PATIENTS_A_GROUP), min(patients, FEWEST_GROUPS))
    tell(f"{patients} patients in {count} groups")
    dealer = _Dealer([folder / f"group-{i:05d}.rows" for i in range(count)])
    for file in files:
        tell(f"reading {file.path.name}")
        for number, line in _lines(file, dealer.problems):
            dealer.deal(file, number, line)
    dealer.flush()
    return Spilled(dealer.paths, dealer.read, dealer.problems)


def _lines(file: ExportFile, problems: Problems) -> Iterator[tuple[int, bytes]]:
    """Lines of a file; one that breaks off (a download cut short) gives what it has, and is named."""
    try:
        yield from lines(file.path)
    except (EOFError, OSError, zlib.error) as error:
        problems.add("file_cut_short", file.path.name, f"{type(error).__name__}: the rest of this file cannot be read")


class _Dealer:
    def __init__(self, paths: list[Path]) -> None:
        self.paths = paths
        self.read: Counter[str] = Counter()
        self.problems = Problems()
        self._held: list[list[bytes]] = [[] for _ in paths]
        self._size = 0
        for path in paths:
            path.touch()

    def deal(self, file: ExportFile, number: int, line: bytes) -> None:
        self.read[file.type] += 1
        source = f"{file.path.name}:{number}"
        patient = self._patient(file.type, line, source)
        if patient is None:
            return
        row = _TAB.join((file.type.encode(), source.encode(), line.rstrip(b"\r\n") + b"\n"))
        groups = self._held if patient == EVERYBODY else [self._held[zlib.crc32(patient) % len(self.paths)]]
        for rows in groups:
            rows.append(row)
        self._size += len(row) * len(groups)
        if self._size > FLUSH_AT:
            self.flush()

    def _patient(self, kind: str, line: bytes, source: str) -> bytes | None:
        """Whose row it is: cheaply where a line names one patient, else by reading it."""
        if kind != "Patient":
            found = set(_PATIENT.findall(line))
            if len(found) == 1:
                return bytes(found.pop())
        return self._read(kind, line, source)

    def _read(self, kind: str, line: bytes, source: str) -> bytes | None:
        try:
            resource = wire.parse_object(line)
        except FhirError as error:
            self.problems.add("not_readable", source, error.issues[0].diagnostics)
            return None
        said = resource.get("id") if kind == "Patient" else _reference(resource)
        if kind == "Device" and said is None:
            return EVERYBODY  # of nobody in particular: anybody's readings may name it
        if not isinstance(said, str) or not said:
            self.problems.add("no_patient", source, f"{kind} without {'an id' if kind == 'Patient' else 'a Patient'}")
            return None
        return said.rpartition("/")[2].encode()

    def flush(self) -> None:
        for path, rows in zip(self.paths, self._held, strict=True):
            if rows:
                with path.open("ab") as file:
                    file.writelines(rows)
                rows.clear()
        self._size = 0


def _reference(resource: dict[str, object]) -> object:
    for name in ("subject", "patient"):
        held = resource.get(name)
        if isinstance(held, dict):
            return held.get("reference")
    return None
