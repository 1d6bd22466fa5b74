"""Stored models by name, for those who ask what a version would have said."""

from dataclasses import dataclass

from recovery.models import ModelVersion
from recovery.twin import hazard_store
from recovery.twin.params import PopulationParams
from recovery.twin.survival import HazardModel


@dataclass(frozen=True, slots=True)
class StoredModels:
    """None: no stored version of that kind has the name, so the shipped one stands."""

    population: PopulationParams | None
    hazard: HazardModel | None


def models_named(version: str | None) -> StoredModels:
    """The stored models called `version`, of either kind; None: those in use."""
    rows = ModelVersion.objects.filter(status="active") if version is None else _named(version)
    held = {row.kind: row.parameters for row in rows}
    population, hazard = held.get("population"), held.get("hazard")
    return StoredModels(
        PopulationParams.from_plain(population) if population else None,
        hazard_store.from_plain(hazard) if hazard else None,
    )


def _named(version: str) -> list[ModelVersion]:
    return list(ModelVersion.objects.filter(version=version))
