"""Invariants of R4 that the R4B models do not check, of the types that this server keeps and their parts. Pure.

Each rule is named as in the definition of its type (hl7.org/fhir/R4/<type>.html#invs). Only errors are here: what R4
calls a warning or a best practice is nobody's fault.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from integrations.fhir.outcomes import Issue
from integrations.fhir.streams import packets

Json = Mapping[str, Any]
# Rule: what is wrong with an object ("" when nothing), and the element to name ("" for the object itself).
Rule = Callable[[Json], tuple[str, str] | None]


def faults(type_name: str, value: Json, path: str) -> Iterable[Issue]:
    """What the rules say against one object of a type (a resource, a datatype or a backbone element)."""
    for rule in _RULES.get(type_name, ()):
        said = rule(value)
        if said is not None:
            element, sentence = said
            where = f"{path}.{element}" if element else path
            yield Issue("invariant", f"{where}: {sentence}", where)


def _requires(element: str, other: str, name: str) -> Rule:
    return lambda value: (
        (other, f"is required where there is a {element} ({name})")
        if (element in value and other not in value and f"_{other}" not in value)
        else None
    )


def _not_both(element: str, other: str, name: str) -> Rule:
    return lambda value: (
        (other, f"cannot be beside {element} ({name})") if (element in value and other in value) else None
    )


def _any_of(name: str, *elements: str) -> Rule:
    return lambda value: (
        ("", f"one of {', '.join(elements)} is required ({name})")
        if not any(element in value or f"_{element}" in value for element in elements)
        else None
    )


def _codes(concept: object) -> set[str]:
    codings = concept.get("coding", ()) if isinstance(concept, Mapping) else ()
    return {str(one.get("code")) for one in codings if isinstance(one, Mapping)} if isinstance(codings, list) else set()


def _extension_says_one_thing(value: Json) -> tuple[str, str] | None:
    has_value = any(key.lstrip("_").startswith("value") for key in value)
    if has_value and "extension" in value:
        return "extension", "an extension has a value or extensions, not both (ext-1)"
    return None if has_value or "extension" in value else ("", "an extension has a value or extensions (ext-1)")


def _range_is_ordered(value: Json) -> tuple[str, str] | None:
    low, high = (_number(value.get(name)) for name in ("low", "high"))
    return ("high", "is below low (rng-2)") if low is not None and high is not None and high < low else None


def _number(quantity: object) -> Any:
    said = quantity.get("value") if isinstance(quantity, Mapping) else None
    return said if said is not None and not isinstance(said, str | bool | list | dict) else None


def _ratio_has_both(value: Json) -> tuple[str, str] | None:
    both = ("numerator" in value) == ("denominator" in value)
    return None if both and ("numerator" in value or "extension" in value) else ("", "needs both its parts (rat-1)")


def _probability(value: Json) -> tuple[str, str] | None:
    said = value.get("probabilityDecimal")
    wrong = said is not None and not isinstance(said, str | bool | list | dict) and said > 100
    return ("probabilityDecimal", "must be 100 or less (ras-2)") if wrong else None


def _condition(value: Json) -> Iterable[tuple[str, str]]:
    clinical, verified = _codes(value.get("clinicalStatus")), _codes(value.get("verificationStatus"))
    abated = any(key.startswith("abatement") for key in value)
    if abated and clinical and not clinical & {"resolved", "remission", "inactive"}:
        yield "clinicalStatus", "what has abated is resolved, in remission or inactive (con-4)"
    if "clinicalStatus" in value and "entered-in-error" in verified:
        yield "clinicalStatus", "what was entered in error has none (con-5)"


def _allergy(value: Json) -> Iterable[tuple[str, str]]:
    wrong = "entered-in-error" in _codes(value.get("verificationStatus"))
    if wrong and "clinicalStatus" in value:
        yield "clinicalStatus", "what was entered in error has none (ait-2)"
    if not wrong and "clinicalStatus" not in value:
        yield "clinicalStatus", "is required unless it was entered in error (ait-1)"


def _first(rules: Callable[[Json], Iterable[tuple[str, str]]]) -> Rule:
    return lambda value: next(iter(rules(value)), None)


def _contained(value: Json) -> tuple[str, str] | None:
    """dom-4 and dom-5 of a resource: what it contains has no version and no security label of its own."""
    held = value.get("contained")
    for place, inner in enumerate(held if isinstance(held, list) else ()):
        meta = inner.get("meta") if isinstance(inner, Mapping) else None
        if not isinstance(meta, Mapping):
            continue
        for name, rule in (("versionId", "dom-4"), ("lastUpdated", "dom-4"), ("security", "dom-5")):
            if name in meta:
                return f"contained[{place}].meta.{name}", f"a contained resource has none of its own ({rule})"
    return None


def _timing(value: Json) -> Iterable[tuple[str, str]]:
    for element, unit, rule in (("duration", "durationUnit", "tim-1"), ("period", "periodUnit", "tim-2")):
        if element in value and unit not in value:
            yield unit, f"is required where there is a {element} ({rule})"
        number = value.get(element)
        if number is not None and not isinstance(number, str | bool | list | dict) and number < 0:
            yield element, f"must not be negative ({'tim-4' if element == 'duration' else 'tim-5'})"
    for element, other, rule in (
        ("periodMax", "period", "tim-6"),
        ("durationMax", "duration", "tim-7"),
        ("countMax", "count", "tim-8"),
    ):
        if element in value and other not in value:
            yield other, f"is required where there is a {element} ({rule})"
    if "timeOfDay" in value and "when" in value:
        yield "when", "cannot be beside timeOfDay (tim-10)"


def _sampled(value: Json) -> Iterable[tuple[str, str]]:
    """Not invariants but the definition of SampledData (datatypes.html#SampledData): what can be read as points."""
    period, dimensions, data = value.get("period"), value.get("dimensions"), value.get("data")
    if period is not None and not isinstance(period, str | bool | list | dict) and period <= 0:
        yield "period", "must be greater than zero: the values follow one another in time"
    if not isinstance(data, str):
        return
    if not packets.is_data(data):
        yield "data", "must be decimals or E, U, L, with a space between them"
    elif type(dimensions) is int and dimensions > 0 and packets.count(data) % dimensions:
        yield "data", f"has {packets.count(data)} values, which is no multiple of its {dimensions} dimensions"


_QUANTITY = (_requires("code", "system", "qty-3"),)
_RULES: Mapping[str, tuple[Rule, ...]] = {
    "Extension": (_extension_says_one_thing,),
    **dict.fromkeys(("Quantity", "Age", "Distance", "Duration", "Count"), _QUANTITY),
    "Range": (_range_is_ordered,),
    "Ratio": (_ratio_has_both,),
    "ContactPoint": (_requires("value", "system", "cpt-2"),),
    "Attachment": (_requires("data", "contentType", "att-1"),),
    "TimingRepeat": (_first(_timing),),
    "SampledData": (_first(_sampled),),
    "PatientContact": (_any_of("pat-1", "name", "telecom", "address", "organization"),),
    "Organization": (_any_of("org-1", "identifier", "name"),),
    "ObservationReferenceRange": (_any_of("obs-3", "low", "high", "text"),),
    "Condition": (_first(_condition),),
    "ConditionStage": (_any_of("con-1", "summary", "assessment"),),
    "ConditionEvidence": (_any_of("con-2", "code", "detail"),),
    "AllergyIntolerance": (_first(_allergy),),
    "CarePlanActivity": (_not_both("detail", "reference", "cpl-3"),),
    "GoalTarget": (
        lambda value: (
            ("measure", "is required where there is a detail (gol-1)")
            if (any(key.startswith("detail") for key in value) and "measure" not in value)
            else None
        ),
    ),
    "RiskAssessmentPrediction": (_probability,),
    "QuestionnaireResponseItem": (_not_both("answer", "item", "qrs-1"),),
    "ImmunizationEducation": (_any_of("imm-1", "documentType", "reference"),),
    "MedicationAdministrationDosage": (
        lambda value: (
            ("", "needs a dose or a rate (mad-1)")
            if not ("dose" in value or any(key.startswith("rate") for key in value))
            else None
        ),
    ),
}
RESOURCE_RULES: tuple[Rule, ...] = (_contained,)


def of_resource(value: Json, path: str) -> Iterable[Issue]:
    for rule in RESOURCE_RULES:
        said = rule(value)
        if said is not None:
            where = f"{path}.{said[0]}"
            yield Issue("invariant", f"{where}: {said[1]}", where)
