"""Which patients a search names."""

from collections.abc import Sequence

from recovery.selectors.fhir_criteria import Criterion

PATIENT_PARAMS = ("patient", "subject")


def patient_names(criteria: Sequence[Criterion]) -> list[str] | None:
    """FHIR ids of the patients asked for; None when any will do."""
    names: set[str] | None = None
    for one in criteria:
        mine = _named(one)
        if mine is not None:
            names = mine if names is None else names & mine
    return None if names is None else sorted(names)


def _named(one: Criterion) -> set[str] | None:
    """The patients of whom `one` can hold, when it says so."""
    if one.param not in PATIENT_PARAMS or one.missing is not None or one.kind not in ("reference", "chain"):
        return None
    said = one.resolved if one.kind == "chain" else {match.value or "" for match in one.matches}
    return {value.removeprefix("Patient/") for value in said if value.startswith("Patient/")}
