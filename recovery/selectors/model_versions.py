"""Stored models by name, for those who ask what a version would have said."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from recovery.models import ModelVersion
from recovery.twin import hazard_store, hypotheses_store
from recovery.twin.hypotheses import HypothesisModel
from recovery.twin.params import PopulationParams
from recovery.twin.survival import HazardModel


@dataclass(frozen=True, slots=True)
class StoredModels:
    """None: no stored version of that kind has the name, so the shipped one stands."""

    population: PopulationParams | None
    hazard: HazardModel | None
    hypotheses: HypothesisModel | None


def models_named(version: str | None) -> StoredModels:
    """The stored models called `version`, of any kind, named causes with the courses they were learned under; None:
    those in use."""
    rows = ModelVersion.objects.filter(status="active") if version is None else _named(version)
    held = {row.kind: row.parameters for row in rows}
    hazard, causes = held.get("hazard"), held.get("hypotheses")
    population = held.get("population") or (_courses_of(causes) if causes else None)
    return StoredModels(
        PopulationParams.from_plain(population) if population else None,
        hazard_store.from_plain(hazard) if hazard else None,
        hypotheses_store.from_plain(causes) if causes else None,
    )


def _courses_of(causes: Mapping[str, Any]) -> Any:
    """The stored courses under which these causes were learned; None where they are those shipped."""
    rows = ModelVersion.objects.filter(kind="population", version=causes["twin_version"])
    return rows.values_list("parameters", flat=True).first()


def _named(version: str) -> list[ModelVersion]:
    return list(ModelVersion.objects.filter(version=version))
