"""Which patients a search names."""

from collections.abc import Sequence

from recovery.selectors.fhir_search import Criterion

PATIENT_PARAMS = ("patient", "subject")


def patient_names(criteria: Sequence[Criterion]) -> list[str] | None:
    """FHIR ids of the patients asked for; None when any will do."""
    names: set[str] | None = None
    for one in criteria:
        if one.param in PATIENT_PARAMS and one.missing is None:
            values = [match.value or "" for match in one.matches]
            mine = {value.removeprefix("Patient/") for value in values if value.startswith("Patient/")}
            names = mine if names is None else names & mine
    return None if names is None else sorted(names)
