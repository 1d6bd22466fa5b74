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
    """The stored models called `version`, of any kind; named causes with the courses and the risk model that they were
    learned with. None: those in use."""
    rows = ModelVersion.objects.filter(status="active") if version is None else _named(version)
    held = {row.kind: row.parameters for row in rows}
    population, hazard, causes = (held.get(kind) for kind in ("population", "hazard", "hypotheses"))
    if version is not None and causes:
        hazard = hazard or _of(causes, "hazard", "risk_version")
        population = population or _of(causes, "population", "twin_version")
    return StoredModels(
        PopulationParams.from_plain(population) if population else None,
        hazard_store.from_plain(hazard) if hazard else None,
        hypotheses_store.from_plain(causes) if causes else None,
    )


def _of(causes: Mapping[str, Any], kind: str, key: str) -> Any:
    """The stored courses or risk model with which these causes were learned; None where they are those shipped."""
    name = causes.get(key) or causes["training"].get(key, "")
    return ModelVersion.objects.filter(kind=kind, version=name).values_list("parameters", flat=True).first()


def _named(version: str) -> list[ModelVersion]:
    return list(ModelVersion.objects.filter(version=version))
