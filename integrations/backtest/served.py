"""Which models judge a backtest: a shipped set, those in use, or a stored version by name.

Two sets are shipped. `synthetic` is fitted throughout on a synthetic cohort, the twin included, and is what a backtest
uses unless told otherwise: it is the machinery at its best, as a hospital gets it by training on its own past.
`published` is what serves patients before any training: a twin of published courses, with risk model and hypotheses
learned under it.
"""

import json
from dataclasses import replace
from pathlib import Path

from integrations.backtest.errors import BacktestRefused
from integrations.backtest.running import Served
from recovery.selectors.model_versions import models_named
from recovery.twin.alert_budget import SYNTHETIC_BURDEN, TUNED_CAUSE, Burden, for_budget
from recovery.twin.alert_policy import BadPolicy
from recovery.twin.cold_start import cold_start
from recovery.twin.hazard_store import shipped_model
from recovery.twin.hypotheses_store import for_course, shipped_for
from recovery.twin.params import PopulationParams
from recovery.twin.population_store import synthetic_population_with_laboratory
from recovery.twin.survival import published_model

CURRENT = "current"
DEFAULT_SET = "synthetic"
SETS = ("published", "synthetic")


def twin_of(of_set: str) -> PopulationParams:
    return synthetic_population_with_laboratory() if of_set == "synthetic" else cold_start()


def served(version: str) -> Served:
    """Raises BacktestRefused for a version that nobody knows. Only named versions ask the database."""
    of_set = version or DEFAULT_SET
    if of_set in SETS:
        twin = twin_of(of_set)
        return Served(shipped_model(of_set), twin, shipped_for(twin.version))
    if version == published_model().version:
        return Served(published_model())
    found = models_named(None if version == CURRENT else version)
    if version != CURRENT and not any((found.population, found.hazard, found.hypotheses)):
        raise BacktestRefused(
            f"No model version is called {version!r}; shipped are {' and '.join(SETS)}, in use is {CURRENT!r}."
        )
    twin = found.population or cold_start()
    weighing = for_course(found.hypotheses, twin.version)
    return Served(found.hazard or shipped_model(), twin, weighing)


def tuned(served: Served, budget: float | None, report: Path | None) -> Served:
    """The same models under a policy tuned to a budget of false alarms per patient-day, by the burden curve of an
    earlier report where one is given. Raises BacktestRefused."""
    if budget is None:
        return served
    try:
        burden = burden_of(report) if report else SYNTHETIC_BURDEN
        return replace(served, policy=for_budget(served.policy, budget, burden))
    except BadPolicy as error:
        raise BacktestRefused(f"--budget: {error}.") from error


def burden_of(report: Path) -> tuple[Burden, ...]:
    """The suspicion's burden curve in a report.json. Raises BacktestRefused."""
    try:
        rows = json.loads(report.read_text(encoding="utf-8"))["burden"][TUNED_CAUSE]
        return tuple(Burden(float(row["threshold"]), float(row["false_alarms_per_patient_day"])) for row in rows)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BacktestRefused(f"--tuned-on: {report} holds no burden curve of the suspicion.") from error
