"""Learns the risk model and the hypotheses from a whole export, under a given twin: how the shipped ones were made."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np

from integrations.backtest.group import write_models
from integrations.backtest.running import Options, Progress, Run, Served, gathered, tasks_of
from integrations.backtest.spill import spill, used_files
from recovery.twin.cold_start import cold_start
from recovery.twin.evaluate_backtest_folds import Harvest, hypotheses_on
from recovery.twin.evaluate_served import cross_validated
from recovery.twin.fit_cohort import data_hash
from recovery.twin.fit_hazard import SEED, fit, penalties
from recovery.twin.hazard_store import to_plain
from recovery.twin.hypotheses import HypothesisModel
from recovery.twin.survival import HazardModel


class Learned(NamedTuple):
    hazard: HazardModel
    hypotheses: HypothesisModel


def learn(cohort: Path, served: Served, options: Options, suffix: str, progress: Progress) -> Learned:
    """Both models, fitted on every patient of the export. `suffix` ends their versions. Raises BacktestRefused."""
    files = used_files(cohort)
    with TemporaryDirectory(prefix="fit-") as folder:
        run = Run(cohort, Path(folder), served, replace(options, until=None), progress)
        write_models(run.folder / "models.json", served.population, [to_plain(served.hazard)], [], served.policy)
        dealt = spill(files, run.folder, lambda text: progress(text, 0, 0))
        found = gathered(run, tasks_of(run, dealt, history_is_whole=any(f.type == "Condition" for f in files)))
    twin = (served.population or cold_start()).version
    return learned_from(found, cohort, twin, suffix, progress)


def learned_from(found: Harvest, cohort: Path, twin: str, suffix: str, progress: Progress) -> Learned:
    """Both models of what was gathered; the risk model's training says how both did on patients not seen."""
    training = _training(cohort, twin, len(found.patients))
    progress("fitting", 0, 3)
    checked = cross_validated(found, twin, SEED)
    progress("fitting", 1, 3)
    hazard = fit(found.landmarks, f"hazard-4-{suffix}", training | penalties() | {"cross_validation": checked})
    progress("fitting", 2, 3)
    everyone = np.ones(len(found.looks.hour), bool)
    return Learned(hazard, hypotheses_on(found, everyone, hazard, f"hypotheses-3-{suffix}", twin, training))


def _training(cohort: Path, twin: str, patients: int) -> dict[str, Any]:
    return {
        "description": "fitted on a synthetic cohort: simulated operations, not evidence about patients",
        "synthetic": True,
        "cohort": cohort.name,
        "data_sha256": data_hash(cohort),
        "patients": patients,
        "twin_version": twin,
    }
