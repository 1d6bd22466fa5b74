"""What a backtest leaves behind: written aside, and put in place only when all of it is there."""

import heapq
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from integrations.backtest.group import TABLES, Task
from recovery.twin.evaluate_backtest_figures import Figures

FILES = ("alerts.csv", "risk.csv", "forecast.csv", "report.css", "report.html", "report.json")
_PREFIX = ".backtest-"


@contextmanager
def workspace(out: Path) -> Iterator[Path]:
    """A folder inside `out` (the same disk, so that results can be moved into place), gone afterwards. What killed
    runs have left there goes too."""
    out.mkdir(parents=True, exist_ok=True)
    for left in out.glob(f"{_PREFIX}*"):
        if not _alive(left.name.removeprefix(_PREFIX)):
            shutil.rmtree(left, ignore_errors=True)
    folder = out / f"{_PREFIX}{os.getpid()}"
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _alive(said: str) -> bool:
    if not said.isdecimal():
        return False
    try:
        os.kill(int(said), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def merge_tables(tasks: Sequence[Task], folder: Path) -> dict[str, int]:
    """The CSV files, rows in order of time and patient; returns how many rows each has."""
    return {name: _merge(name, [task.part(name) for task in tasks], folder / f"{name}.csv") for name in TABLES}


def _merge(name: str, parts: Sequence[Path], target: Path) -> int:
    rows = 0
    with ExitStack() as stack, target.open("w", encoding="utf-8", newline="") as out:
        out.write(",".join(TABLES[name]) + "\n")
        files = [stack.enter_context(path.open(encoding="utf-8")) for path in parts]
        for line in heapq.merge(*files):
            out.write(line.rpartition("\t")[2])
            rows += 1
    return rows


def add_up(tasks: Sequence[Task]) -> Figures:
    """The figures over all groups, read one subject at a time."""
    figures = Figures()
    for task in tasks:
        with task.part("evidence").open(encoding="utf-8") as proofs:
            for line in proofs:
                figures.add(json.loads(line))
    return figures


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1, sort_keys=False, allow_nan=False) + "\n", encoding="utf-8")


def put_in_place(made: Path, out: Path) -> None:
    """Moves the result into `out`. An older report goes first and the new one comes last, so that a report is never
    beside rows that are not its own."""
    for name in ("report.json", "report.html"):
        (out / name).unlink(missing_ok=True)
    for name in FILES:
        os.replace(made / name, out / name)
