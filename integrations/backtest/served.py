"""Which models judge a backtest: those shipped with the product, those in use, or a stored version by name."""

from integrations.backtest.errors import BacktestRefused
from integrations.backtest.running import Served
from recovery.selectors.model_versions import models_named
from recovery.twin.hazard_store import shipped_model
from recovery.twin.survival import published_model

CURRENT = "current"


def served(version: str) -> Served:
    """Raises BacktestRefused for a version that nobody knows. Only named versions ask the database."""
    if not version or version == shipped_model().version:
        return Served(shipped_model())
    if version == published_model().version:
        return Served(published_model())
    found = models_named(None if version == CURRENT else version)
    if version != CURRENT and found.population is None and found.hazard is None:
        raise BacktestRefused(f"No model version is called {version!r}; shipped is {shipped_model().version!r}.")
    return Served(found.hazard or shipped_model(), found.population)
