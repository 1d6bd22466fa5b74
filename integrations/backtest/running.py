"""A backtest from an export to its files: deal the rows, replay the groups on all cores, add up, write.

Nothing here depends on a database or a clock; how many processes there are changes nothing in the result.
"""

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from multiprocessing import active_children, get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import numpy as np

from integrations.backtest import outputs
from integrations.backtest.errors import BacktestRefused
from integrations.backtest.group import Task, run_task, write_models
from integrations.backtest.report import write_report
from integrations.backtest.spill import Problems, Spilled, spill, used_files
from recovery.twin import hazard_store, hypotheses_store
from recovery.twin.alert_policy import DEFAULT_POLICY, AlertPolicy, without_hypotheses
from recovery.twin.cold_start import cold_start
from recovery.twin.evaluate_backtest_folds import Harvest, fitted, fitted_hypotheses, joined, unpacked
from recovery.twin.evaluate_backtest_run import EVERY_H
from recovery.twin.hypotheses import HypothesisModel
from recovery.twin.params import PopulationParams
from recovery.twin.survival import HazardModel

SOURCE_FILES = ("SOURCE.txt", "SOURCE", "SOURCE.md")
NOTES = {
    "cross_validated": "Every patient was judged by a risk model and hypotheses fitted on the other patients of this"
    " export: alarms and risks are cross-validated. The twin's population parameters are those of the version named"
    " below and were not fitted anew.",
    "seen": "The risk model was trained on an export of this name: these figures are not those of unseen patients."
    " Folds judge each patient by a model fitted on the others.",
    "unseen": "The risk model was not fitted on this export.",
}

Progress = Callable[[str, int, int], None]
"""Called with what is being done, and how many groups of how many are done."""


@dataclass(frozen=True)
class Served:
    """What judges: the models of the product, and the policy of its alerts."""

    hazard: HazardModel
    population: PopulationParams | None = None
    hypotheses: HypothesisModel | None = None
    policy: AlertPolicy = DEFAULT_POLICY


@dataclass(frozen=True)
class Options:
    until: datetime | None = None
    folds: int = 0
    workers: int = 1
    every: int = EVERY_H


@dataclass
class Run:
    """One backtest on its way."""

    cohort: Path
    folder: Path
    served: Served
    options: Options
    progress: Progress
    problems: Problems = field(default_factory=Problems)
    used: Counter[str] = field(default_factory=Counter)
    cpu_s: float = 0.0
    peak_mb: float = 0.0
    answers: list[dict[str, Any]] = field(default_factory=list)


def backtest(cohort: Path, out: Path, served: Served, options: Options, progress: Progress) -> dict[str, Any]:
    """Runs a backtest and returns its report (the content of report.json). `out` holds a whole result or an older one,
    never half of one. Raises BacktestRefused."""
    started = time.monotonic()
    files = used_files(cohort)
    with outputs.workspace(out) as folder:
        run = Run(cohort, folder, served, options, progress)
        dealt = spill(files, folder, lambda text: progress(text, 0, 0))
        run.problems.merge(dealt.problems.plain())
        tasks = tasks_of(run, dealt, history_is_whole=any(file.type == "Condition" for file in files))
        models = _models(run, tasks)
        _replay(run, tasks, "replaying")
        if not sum(answer["subjects"] for answer in run.answers) and options.until is None:
            raise BacktestRefused("No patient of this export has an operation that can be replayed.")
        progress("adding up", len(tasks), len(tasks))
        rows = outputs.merge_tables(tasks, folder)
        figures = outputs.add_up(tasks).report()
        report = _report(run, dealt, rows, models) | figures
        report["run"]["seconds"] = round(time.monotonic() - started, 1)
        write_report(folder, report)
        outputs.write_json(folder / "report.json", report)
        outputs.put_in_place(folder, out)
    return report


def tasks_of(run: Run, dealt: Spilled, *, history_is_whole: bool) -> list[Task]:
    until = run.options.until.isoformat() if run.options.until else ""
    models = str(run.folder / "models.json")
    return [
        Task(number, str(path), str(run.folder), models, until, run.options.every, history_is_whole)
        for number, path in enumerate(dealt.groups)
    ]


def _models(run: Run, tasks: Sequence[Task]) -> list[HazardModel]:
    """Writes what judges to the tasks' models file; with folds, after fitting it.

    A fit sees whole patients of the other folds, also what `until` hides: `until` ends the replay, not the training,
    so that the rows before it stay what they are.
    """
    served, path = run.served, run.folder / "models.json"
    weighed = [hypotheses_store.to_plain(served.hypotheses)] if served.hypotheses else []
    write_models(path, served.population, [hazard_store.to_plain(served.hazard)], weighed, served.policy)
    if run.options.folds < 2:
        return [served.hazard]
    found = gathered(run, tasks)
    run.progress("fitting", 0, run.options.folds)
    training = {"cohort": run.cohort.name, "cross_validated": True}
    made = fitted(found, run.options.folds, training)
    twin = (served.population or cold_start()).version
    suspecting = [hypotheses_store.to_plain(one) for one in fitted_hypotheses(found, made, twin, training)]
    write_models(path, served.population, [hazard_store.to_plain(one) for one in made], suspecting, served.policy)
    return made


def gathered(run: Run, tasks: Sequence[Task]) -> Harvest:
    """The inputs of a fit on every patient of the export."""
    gathering = [replace(task, harvest=True, until="") for task in tasks]
    counts, run.problems, run.used = (run.problems, run.used), Problems(), Counter()
    _replay(run, gathering, "gathering inputs of the fit")
    run.answers, (run.problems, run.used) = [], counts
    parts = []
    for task in gathering:
        if task.part("harvest").exists():
            with np.load(task.part("harvest"), allow_pickle=False) as arrays:
                parts.append(unpacked(arrays))
    if not parts:
        raise BacktestRefused("No patient of this export has an operation that can be learned from.")
    return joined(parts)


def _replay(run: Run, tasks: Sequence[Task], doing: str) -> None:
    run.progress(doing, 0, len(tasks))
    with closing(_answers(tasks, run.options.workers)) as answers:
        for done, answer in enumerate(answers, start=1):
            run.answers.append(answer)
            run.progress(doing, done, len(tasks))
    # In order of group, not of who was first: of each kind of problem only the first few are named.
    run.answers.sort(key=lambda answer: int(answer["number"]))
    for answer in run.answers:
        run.problems.merge(answer["problems"])
        run.used.update(answer["used"])
        run.cpu_s += answer["cpu_s"]
        run.peak_mb = max(run.peak_mb, answer["peak_mb"])


def _answers(tasks: Sequence[Task], workers: int) -> Generator[dict[str, Any], None, None]:
    """Answers in the order in which they are ready. Closed or failed, it leaves no process at work."""
    if workers <= 1 or len(tasks) <= 1:
        yield from (run_task(task.plain()) for task in tasks)
        return
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # one thread a process: the processes are the parallelism
    before = active_children()
    pool = ProcessPoolExecutor(
        min(workers, len(tasks)), mp_context=get_context("spawn"), initializer=end_with, initargs=(os.getpid(),)
    )
    try:
        for future in as_completed([pool.submit(run_task, task.plain()) for task in tasks]):
            yield future.result()
        pool.shutdown()
    except BrokenProcessPool as error:
        raise BacktestRefused("A process of the replay was killed (out of memory?): try fewer workers.") from error
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        _end(child for child in active_children() if child not in before)


def _end(processes: Iterable[BaseProcess]) -> None:
    """A stopped replay has no use for groups half done, and its folder is about to go."""
    for process in list(processes):
        process.terminate()
        process.join()


def end_with(parent: int) -> None:
    """In a started process: end when the process that started it is gone, however it went."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1.0)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _standing(run: Run) -> str:
    """How the model stands to the export; a key of NOTES."""
    if run.options.folds >= 2:
        return "cross_validated"
    return "seen" if run.served.hazard.training.get("cohort") == run.cohort.name else "unseen"


def _in_force(run: Run) -> AlertPolicy:
    """The rules that judged: the stand-ins alarm where no hypotheses were weighed. Folds fit their own."""
    weighed = run.served.hypotheses is not None or run.options.folds >= 2
    return run.served.policy if weighed else without_hypotheses(run.served.policy)


def _hypotheses(run: Run) -> str:
    if run.options.folds >= 2:
        return f"cross-validated, {run.options.folds} folds"
    return run.served.hypotheses.version if run.served.hypotheses else "none"


def _report(run: Run, dealt: Spilled, rows: dict[str, int], models: Sequence[HazardModel]) -> dict[str, Any]:
    """What was replayed and how; the figures come beside it."""
    source = next((run.cohort / name for name in SOURCE_FILES if (run.cohort / name).is_file()), None)
    said = source.read_text(encoding="utf-8", errors="replace")[:2000] if source else ""
    synthetic = sum(answer["synthetic"] for answer in run.answers)
    named = sorted(run.problems.named)
    return {
        "format": 1,
        "cohort": run.cohort.name,
        "source": said,
        "synthetic": bool(synthetic) or "synthetic" in said.lower(),
        "synthetic_patients": synthetic,
        "until": run.options.until.isoformat() if run.options.until else None,
        "first_surgery": min((a["first_surgery"] for a in run.answers if a["first_surgery"]), default=""),
        "last_surgery": max((a["last_surgery"] for a in run.answers if a["last_surgery"]), default=""),
        "models": {
            "population": (run.served.population or cold_start()).version,
            "risk": models[0].version if len(models) == 1 else f"cross-validated, {len(models)} folds",
            "risk_trained_on": dict(models[0].training) if len(models) == 1 else {"folds": len(models)},
            "risk_evidence": models[0].evidence,
            "hypotheses": _hypotheses(run),
            "policy": run.served.policy.version,
        },
        "note": NOTES[_standing(run)],
        "looks_every_h": run.options.every,
        "policy_rules": [asdict(rule) for rule in _in_force(run).rules],
        "data": {
            "lines": dict(sorted(dealt.read.items())),
            "used": dict(sorted(run.used.items())),
            "problems": dict(sorted(run.problems.count.items())),
            "named": [dict(zip(("kind", "row", "reason"), one, strict=True)) for one in named],
        },
        "rows": rows,
        "run": {
            "groups": len(dealt.groups),
            "workers": run.options.workers,
            "cpu_s": round(run.cpu_s, 1),
            "peak_mb_of_a_process": round(run.peak_mb),
        },
    }
