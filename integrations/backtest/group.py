"""One group of patients, from its rows to what would have been said and what that proved: the work of one process.

A task and its answer are plain values, and what is long goes through files, so that it makes no difference in which
process, or in how many, the groups are replayed.
"""

import csv
import io
import json
import resource
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from integrations.backtest.reading import Group, read_group
from recovery.twin import hazard_store, hypotheses_store
from recovery.twin.alert_policy import AlertPolicy
from recovery.twin.cold_start import cold_start
from recovery.twin.evaluate_backtest_evidence import evidence
from recovery.twin.evaluate_backtest_folds import HARVEST, Listener, fold_of, harvest, packed
from recovery.twin.evaluate_backtest_judge import Judge, PolicyJudge
from recovery.twin.evaluate_backtest_run import Plan, Said, replay
from recovery.twin.evaluate_backtest_subjects import Subject
from recovery.twin.params import PopulationParams

TABLES: Mapping[str, tuple[str, ...]] = {
    "alerts": ("patient", "raised_at", "kind", "severity"),
    "risk": ("patient", "at", "outcome", "horizon_h", "probability", "low", "high"),
    "forecast": ("patient", "made_at", "code", "day", "mean", "q05", "q25", "q50", "q75", "q95"),
}


@dataclass(frozen=True)
class Task:
    """models: file written by `write_models`. harvest: only gather the inputs of a fit."""

    number: int
    rows: str
    folder: str
    models: str
    until: str
    every: int
    history_is_whole: bool
    harvest: bool = False

    def plain(self) -> dict[str, Any]:
        return asdict(self)

    def part(self, name: str) -> Path:
        return Path(self.folder) / f"{name}-{self.number:05d}.part"


def write_models(
    path: Path, population: PopulationParams | None, hazards: list[Any], hypotheses: list[Any], policy: AlertPolicy
) -> None:
    """population None: the published cold start. hazards, hypotheses: plain models, one, or one a fold."""
    plain = {
        "population": population.to_plain() if population else None,
        "hazards": hazards,
        "hypotheses": hypotheses,
        "policy": policy.to_plain(),
    }
    path.write_text(json.dumps(plain))


def run_task(plain: dict[str, Any]) -> dict[str, Any]:
    """Replays a group; returns counts. The rows are in its part files, sorted by time and patient."""
    task, started = Task(**plain), time.process_time()
    until = datetime.fromisoformat(task.until) if task.until else None
    group = read_group(Path(task.rows), until, history_is_whole=task.history_is_whole)
    population, judge = _models(task.models)
    if task.harvest:
        _harvest(task, group, population)
    else:
        said = replay(group.subjects, judge, Plan(population, task.every))
        _write(task, group, said)
    return {
        "number": task.number,
        "subjects": len(group.subjects),
        "synthetic": group.synthetic,
        "problems": group.problems.plain(),
        "used": dict(group.used),
        "first_surgery": min((end.isoformat() for end in group.ends.values()), default=""),
        "last_surgery": max((end.isoformat() for end in group.ends.values()), default=""),
        "cpu_s": time.process_time() - started,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


@cache
def _models(path: str) -> tuple[PopulationParams, Judge]:
    plain = json.loads(Path(path).read_text())
    population = PopulationParams.from_plain(plain["population"]) if plain["population"] else cold_start()
    hazards = tuple(hazard_store.from_plain(one) for one in plain["hazards"])
    hypotheses = tuple(hypotheses_store.from_plain(one) for one in plain["hypotheses"])
    return population, PolicyJudge(
        hazards, AlertPolicy.from_plain(plain["policy"]), hypotheses, partial(fold_of, folds=len(hazards))
    )


def _harvest(task: Task, group: Group, population: PopulationParams) -> None:
    said = replay(group.subjects, Listener(), Plan(population, task.every, HARVEST))
    found = harvest(group.subjects, said)
    if found is not None:
        with task.part("harvest").open("wb") as file:
            np.savez(file, allow_pickle=False, **packed(found))


def _write(task: Task, group: Group, said: list[Said]) -> None:
    rows: dict[str, list[str]] = {name: [] for name in TABLES}
    with task.part("evidence").open("w", encoding="utf-8") as proofs:
        for subject, one in zip(group.subjects, said, strict=True):
            zero = group.ends[subject.case.patient]
            for name, at, values in _told(subject, one, zero):
                rows[name].append(_row(at, len(rows[name]), subject.case.patient, values))
            proofs.write(json.dumps(evidence(subject, one)) + "\n")
    for name, lines in rows.items():
        task.part(name).write_text("".join(sorted(lines)), encoding="utf-8")


def _told(subject: Subject, said: Said, zero: datetime) -> Iterator[tuple[str, datetime, list[Any]]]:
    for one in said.raised:
        yield "alerts", zero + timedelta(hours=one.hour), [one.kind, one.severity]
    for hour, e in said.risks:
        if e.probability is not None and e.low is not None and e.high is not None:
            numbers = [f"{p:.6g}" for p in (e.probability, e.low, e.high)]
            yield "risk", zero + timedelta(hours=hour), [e.outcome, e.horizon_h, *numbers]
    for made in said.forecasts:
        for row in made.own:
            at = zero + timedelta(hours=made.hour)
            yield "forecast", at, [row.code, row.day, *(f"{value:.6g}" for value in row[2:])]


def _row(at: datetime, place: int, patient: str, values: list[Any]) -> str:
    """A line that sorts by time, patient and place, and holds its CSV row after the last tab."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow([patient, written(at), *values])
    return f"{int(at.timestamp() * 1000):015d}\t{patient}\t{place:09d}\t{text.getvalue()}"


def written(at: datetime) -> str:
    """ISO 8601 in UTC, to the second where the time has no fraction of one."""
    precision = "milliseconds" if at.microsecond else "seconds"
    return at.astimezone(UTC).isoformat(timespec=precision).replace("+00:00", "Z")
