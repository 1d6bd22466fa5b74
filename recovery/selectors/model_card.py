"""Which models are served now, whole: every number on the model page comes from here."""

from dataclasses import dataclass

from recovery.models import ModelVersion
from recovery.twin import hazard_store, hypotheses_store
from recovery.twin.cold_start import cold_start
from recovery.twin.hypotheses import HypothesisModel
from recovery.twin.hypotheses_store import for_course
from recovery.twin.params import PopulationParams
from recovery.twin.survival import HazardModel, published_model


@dataclass(frozen=True, slots=True)
class ModelCard:
    """`*_promoted`: trained-on text of the version a person promoted; blank: the one shipped with the product.
    hypotheses: those learned under this population, promoted or shipped, if any were."""

    population: PopulationParams
    population_promoted: str
    hazard: HazardModel
    hazard_promoted: str
    hypotheses: HypothesisModel | None


def model_card() -> ModelCard:
    active = {row.kind: row for row in ModelVersion.objects.filter(status="active")}
    population, hazard = active.get("population"), active.get("hazard")
    causes = active.get("hypotheses")
    params = PopulationParams.from_plain(population.parameters) if population else cold_start()
    return ModelCard(
        population=params,
        population_promoted=population.trained_on if population else "",
        hazard=hazard_store.from_plain(hazard.parameters) if hazard else _shipped(),
        hazard_promoted=hazard.trained_on if hazard else "",
        hypotheses=for_course(hypotheses_store.from_plain(causes.parameters) if causes else None, params.version),
    )


def _shipped() -> HazardModel:
    try:
        return hazard_store.shipped_model()
    except FileNotFoundError:
        return published_model()
