"""What must be true of a version before it is put into service or beside it."""

from collections.abc import Callable

from recovery import card_rules
from recovery.exceptions import Invalid
from recovery.models import ModelVersion
from recovery.services import served_models
from recovery.services.served_models import HAZARD, HYPOTHESES, POPULATION
from recovery.twin import hazard_store, hypotheses_store
from recovery.twin.cold_start import VERSION as COLD_START
from recovery.twin.errors import TwinError
from recovery.twin.params import PopulationParams
from recovery.twin.survival import published_model

LEAST_COVERAGE = 0.80
"""Of a 90 % band on unseen patients; the threshold of the model card's "when to stop" [G: this project's choice]."""


def check_can_be_served(version: ModelVersion) -> None:
    """Raises Invalid unless the numbers can be read, bear the row's own name, and were judged on unseen patients."""
    check_can_be_read(version)
    if version.version in _shipped_names():
        raise Invalid("This version bears the name of the model shipped with the product; it needs a name of its own.")
    if not version.evaluation:
        raise Invalid(
            "This version was never judged on patients it had not seen, so it cannot be put beside or into service."
        )
    measures = version.evaluation.get("held_out", {}).get("measures", {}) if version.kind == POPULATION else {}
    narrow = [key.replace("_", " ") for key, said in measures.items() if said["coverage90"] < LEAST_COVERAGE]
    if narrow:
        raise Invalid(
            f"Its 90 % bands held fewer than {LEAST_COVERAGE:.0%} of unseen readings of {', '.join(sorted(narrow))}:"
            " that is the point at which the model card says to stop using a model."
        )


def check_card_is_whole(version: ModelVersion) -> None:
    """Raises Invalid naming every required field of the model card that is empty (`recovery.card_rules`)."""
    plain = version.parameters if isinstance(version.parameters, dict) else {}
    fields = card_rules.card_fields(
        version.kind,
        trained_on=version.trained_on,
        training=plain.get("training") or plain.get("trained_on") or {},
        evaluation=version.evaluation or {},
    )
    empty = card_rules.missing(fields)
    if empty:
        raise Invalid(f"Its model card is not complete. Empty: {', '.join(empty)}.")


def check_can_be_read(version: ModelVersion) -> None:
    """Raises Invalid unless the numbers are a model of that kind and name."""
    try:
        found = READERS[version.kind](version)
    except (TwinError, KeyError) as problem:
        raise Invalid(f"The numbers of this version cannot be read: {problem}") from problem
    if found != version.version:
        raise Invalid(f"This version is called {version.version}, but its numbers say {found}.")


READERS: dict[str, Callable[[ModelVersion], str]] = {
    POPULATION: lambda row: PopulationParams.from_plain(row.parameters).version,
    HAZARD: lambda row: hazard_store.from_plain(row.parameters).version,
    HYPOTHESES: lambda row: hypotheses_store.from_plain(row.parameters).version,
}


def _shipped_names() -> set[str]:
    causes = {one.version for one in hypotheses_store.shipped_models().values()}
    return {COLD_START, published_model().version, hazard_store.shipped_model().version} | causes


def check_fits_its_courses(version: ModelVersion) -> None:
    """Raises Invalid for named causes that were learned under other expected courses than those in service."""
    if version.kind == HYPOTHESES and not fits(version, served_models.population().version):
        raise Invalid(
            f"These causes were learned under the expected courses {learned_under(version)}, and"
            f" {served_models.population().version} is in service: there they would mean something else."
        )


def fits(version: ModelVersion, course: str) -> bool:
    return learned_under(version) == course


def learned_under(version: ModelVersion) -> str:
    """The expected courses under which a version's named causes were learned."""
    plain = version.parameters if isinstance(version.parameters, dict) else {}
    return str(plain.get("twin_version", ""))
