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
    if one.kind == "any":
        parts = [_named(part) for part in one.any_of]
        return None if None in parts else set().union(*(part for part in parts if part is not None))
    if one.kind == "all":
        found = patient_names(one.any_of)
        return None if found is None else set(found)
    if one.param not in PATIENT_PARAMS or one.missing is not None or one.kind not in ("reference", "chain", "within"):
        return None
    said = one.resolved if one.kind != "reference" else {match.value or "" for match in one.matches}
    return {value.removeprefix("Patient/") for value in said if value.startswith("Patient/")}
