"""Which models are in use: the active ModelVersion rows, else the versions shipped with the product."""

from dataclasses import dataclass
from functools import lru_cache

from recovery.models import ModelVersion
from recovery.twin import hazard_store, hypotheses_store
from recovery.twin.cold_start import cold_start
from recovery.twin.hypotheses import HypothesisModel
from recovery.twin.hypotheses_store import shipped_for
from recovery.twin.params import PopulationParams
from recovery.twin.survival import HazardModel

POPULATION, HAZARD, HYPOTHESES = "population", "hazard", "hypotheses"
KINDS = (POPULATION, HAZARD, HYPOTHESES)


@dataclass(frozen=True, slots=True)
class Models:
    """The versions that one pass works with. hypotheses: None where none were learned under this very population, for
    under another one surprises mean something else."""

    population: PopulationParams
    hazard: HazardModel
    hypotheses: HypothesisModel | None


def in_use() -> Models:
    active = dict(ModelVersion.objects.filter(status="active").values_list("kind", "pk"))
    courses = course(active.get(POPULATION))
    own = active.get(HAZARD)
    return Models(
        courses,
        _hazard(own) if own is not None else _shipped(),
        _hypotheses_for(courses.version, active.get(HYPOTHESES)),
    )


def read_shipped() -> None:
    """Read what is shipped, for a server to do before it makes its workers: half a second of a first what-if."""
    shipped_for(_cold_start().version)
    _shipped()


def population() -> PopulationParams:
    """Parameters of the twin: those a person promoted, else the published cold start."""
    return course(_active(POPULATION))


def course(pk: int | None) -> PopulationParams:
    """Expected courses by the row of their version; None: the published cold start."""
    return _population(pk) if pk is not None else _cold_start()


def hazard() -> HazardModel:
    """The risk model: the one a person promoted, else the shipped one."""
    active = _active(HAZARD)
    return _hazard(active) if active is not None else _shipped()


def hypotheses_under(course: str) -> HypothesisModel | None:
    """The hypotheses for the expected courses called `course`: those a person promoted, or those shipped."""
    return _hypotheses_for(course, _active(HYPOTHESES))


def _hypotheses_for(course: str, active: int | None) -> HypothesisModel | None:
    return hypotheses_store.for_course(_hypotheses(active) if active is not None else None, course)


def _active(kind: str) -> int | None:
    return ModelVersion.objects.filter(kind=kind, status="active").values_list("pk", flat=True).first()


# A version's parameters never change, so its row id is a safe key.
@lru_cache(maxsize=4)
def _population(pk: int) -> PopulationParams:
    return PopulationParams.from_plain(ModelVersion.objects.get(pk=pk).parameters)


@lru_cache(maxsize=4)
def _hazard(pk: int) -> HazardModel:
    return hazard_store.from_plain(ModelVersion.objects.get(pk=pk).parameters)


@lru_cache(maxsize=4)
def _hypotheses(pk: int) -> HypothesisModel:
    return hypotheses_store.from_plain(ModelVersion.objects.get(pk=pk).parameters)


@lru_cache(maxsize=1)
def _cold_start() -> PopulationParams:
    return cold_start()


@lru_cache(maxsize=1)
def _shipped() -> HazardModel:
    return hazard_store.shipped_model()
