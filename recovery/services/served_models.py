"""Which models are in use: the active ModelVersion rows, else the versions shipped with the product."""

from dataclasses import dataclass
from functools import lru_cache

from recovery.models import ModelVersion
from recovery.twin import hazard_store
from recovery.twin.cold_start import cold_start
from recovery.twin.hypotheses import HypothesisModel
from recovery.twin.hypotheses_store import shipped_for
from recovery.twin.params import PopulationParams
from recovery.twin.survival import HazardModel

POPULATION, HAZARD = "population", "hazard"


@dataclass(frozen=True, slots=True)
class Models:
    """The versions that one pass works with."""

    population: PopulationParams
    hazard: HazardModel

    @property
    def hypotheses(self) -> HypothesisModel | None:
        """Those learned under this very twin; None under any other, for there surprises mean something else."""
        return shipped_for(self.population.version)


def in_use() -> Models:
    return Models(population(), hazard())


def read_shipped() -> None:
    """Read what is shipped, for a server to do before it makes its workers: half a second of a first what-if."""
    shipped_for(_cold_start().version)
    _shipped()


def population() -> PopulationParams:
    """Parameters of the twin: those a person promoted, else the published cold start."""
    active = _active(POPULATION)
    return _population(active) if active is not None else _cold_start()


def hazard() -> HazardModel:
    """The risk model: the one a person promoted, else the shipped one."""
    active = _active(HAZARD)
    return _hazard(active) if active is not None else _shipped()


def _active(kind: str) -> int | None:
    return ModelVersion.objects.filter(kind=kind, status="active").values_list("pk", flat=True).first()


# A version's parameters never change, so its row id is a safe key.
@lru_cache(maxsize=4)
def _population(pk: int) -> PopulationParams:
    return PopulationParams.from_plain(ModelVersion.objects.get(pk=pk).parameters)


@lru_cache(maxsize=4)
def _hazard(pk: int) -> HazardModel:
    return hazard_store.from_plain(ModelVersion.objects.get(pk=pk).parameters)


@lru_cache(maxsize=1)
def _cold_start() -> PopulationParams:
    return cold_start()


@lru_cache(maxsize=1)
def _shipped() -> HazardModel:
    return hazard_store.shipped_model()
