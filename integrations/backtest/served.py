"""Which models judge a backtest: a shipped set, those in use, or a stored version by name.

Two sets are shipped. `synthetic` is fitted throughout on a synthetic cohort, the twin included, and is what a backtest
uses unless told otherwise: it is the machinery at its best, as a hospital gets it by training on its own past.
`published` is what serves patients before any training: a twin of published courses, with risk model and hypotheses
learned under it.
"""

from integrations.backtest.errors import BacktestRefused
from integrations.backtest.running import Served
from recovery.selectors.model_versions import models_named
from recovery.twin.cold_start import cold_start
from recovery.twin.hazard_store import shipped_model
from recovery.twin.hypotheses_store import shipped_for
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
    if version != CURRENT and found.population is None and found.hazard is None:
        raise BacktestRefused(
            f"No model version is called {version!r}; shipped are {' and '.join(SETS)}, in use is {CURRENT!r}."
        )
    twin = found.population or cold_start()
    return Served(found.hazard or shipped_model(), twin, shipped_for(twin.version))
