"""Compartment search: `Patient/[id]/Observation` and `Patient/[id]/*` (R4 CompartmentDefinition/patient).

A resource is in a patient's compartment when one of its type's parameters points at the patient.
"""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from integrations.fhir.outcomes import refused
from integrations.fhir.reach import Reach
from integrations.fhir.routes import ROUTES
from integrations.fhir.search import grammar
from integrations.fhir.search.request import DEFAULT_COUNT, LARGEST_COUNT, SearchRequest
from integrations.fhir.search.run import run
from integrations.fhir.shelves import Entry
from recovery.selectors.fhir_criteria import Criterion, Match

# type -> parameters, as the official definition lists them for the types served; Device, Group and Medication... have
# none there but point at a patient themselves.
PATIENT: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "AdverseEvent": ("subject",),
        "AllergyIntolerance": (
            "patient",
            "recorder",
            "asserter",
        ),
        "AuditEvent": ("patient",),
        "BodyStructure": ("patient",),
        "CarePlan": (
            "patient",
            "performer",
        ),
        "CareTeam": (
            "patient",
            "participant",
        ),
        "Claim": (
            "patient",
            "payee",
        ),
        "ClinicalImpression": ("subject",),
        "Communication": (
            "subject",
            "sender",
            "recipient",
        ),
        "CommunicationRequest": (
            "subject",
            "sender",
            "recipient",
            "requester",
        ),
        "Composition": (
            "subject",
            "author",
            "attester",
        ),
        "Condition": (
            "patient",
            "asserter",
        ),
        "Consent": ("patient",),
        "Coverage": (
            "policy-holder",
            "subscriber",
            "beneficiary",
            "payor",
        ),
        "DetectedIssue": ("patient",),
        "DeviceRequest": (
            "subject",
            "performer",
        ),
        "DeviceUseStatement": ("subject",),
        "DiagnosticReport": ("subject",),
        "DocumentReference": (
            "subject",
            "author",
        ),
        "Encounter": ("subject",),
        "EpisodeOfCare": ("patient",),
        "ExplanationOfBenefit": (
            "patient",
            "payee",
        ),
        "FamilyMemberHistory": ("patient",),
        "Flag": ("patient",),
        "Goal": ("patient",),
        "Group": ("member",),
        "ImagingStudy": ("patient",),
        "Immunization": ("patient",),
        "Media": ("subject",),
        "MedicationAdministration": (
            "patient",
            "performer",
            "subject",
        ),
        "MedicationRequest": ("subject",),
        "MedicationStatement": ("subject",),
        "NutritionOrder": ("patient",),
        "Observation": (
            "subject",
            "performer",
        ),
        "Patient": ("link",),
        "Procedure": (
            "patient",
            "performer",
        ),
        "Provenance": ("patient",),
        "QuestionnaireResponse": (
            "subject",
            "author",
        ),
        "RelatedPerson": ("patient",),
        "RiskAssessment": ("subject",),
        "ServiceRequest": (
            "subject",
            "performer",
        ),
        "Specimen": ("subject",),
        "Task": (
            "patient",
            "focus",
        ),
    }
)

Pairs = Sequence[tuple[str, str]]


def params_of(type_name: str) -> tuple[str, ...]:
    """Empty for a type that is in nobody's compartment."""
    own = ROUTES[type_name].param("patient")
    return PATIENT.get(type_name, ("patient",) if own is not None else ())


def confine(request: SearchRequest, patient: str) -> None:
    """Keep a search within a patient's compartment. Raises FhirError 404 for a type that is in none."""
    route = request.route
    names = params_of(route.type)
    if not names:
        raise refused(404, "not-supported", f"{route.type} is in no patient's compartment.")
    reference = (Match(value=f"Patient/{patient}"),)
    mine = tuple(Criterion(name, "reference", reference) for name in names)
    request.criteria.append(mine[0] if len(mine) == 1 else Criterion("", "any", any_of=mine))
    request.address = f"Patient/{patient}/{route.type}"


def page_of_all(
    patient: str, pairs: Pairs, *, base: str, now: datetime, reach: Reach
) -> tuple[list[Entry], list[tuple[str, str]], str | None]:
    """A page of everything in the compartment, type after type: entries, parameters honoured, where the next begins."""
    types, at, inner, rest = _asked(pairs)
    routes = [
        route
        for route in ROUTES.values()
        if params_of(route.type) and (not types or route.type in types) and reach(route.type, "search-type")
    ]
    names = [route.type for route in routes]
    count = _count(rest)
    found: list[Entry] = []
    for number in range(names.index(at) if at in names else 0, len(names)):
        mine = [pair for pair in rest if pair[0] not in ("_type", "_count")]
        mine += [("_count", str(count - len(found)))] + ([("_cursor", inner)] if inner else [])
        request = grammar.parse(routes[number], mine, base=base, strict=False, now=now, reach=reach)
        confine(request, patient)
        page = run(request)
        found += page.entries
        inner = page.cursor or ""
        if len(found) >= count:
            follows = (names[number], inner) if inner else (names[number + 1], "") if number + 1 < len(names) else None
            return found, rest, place_text(*follows) if follows else None
    return found, rest, None


def _asked(pairs: Pairs) -> tuple[set[str], str, str, list[tuple[str, str]]]:
    types: set[str] = set()
    at, inner, rest = "", "", []
    for name, value in pairs:
        if name == "_cursor":
            at, inner = _place(value)
        elif name == "_type":
            types |= set(value.split(","))
        elif name in ("_count", "_lastUpdated", "_tag", "_security", "_profile", "_source"):
            rest.append((name, value))
        elif name not in ("_format", "_pretty"):
            sentence = f"{name[:60]} is no parameter of a search over all types; it takes _type, _count, _lastUpdated."
            raise refused(400, "not-supported", sentence, name[:60])
    unknown = sorted(types - ROUTES.keys())
    if unknown:
        raise refused(400, "not-supported", f"This server does not keep {unknown[0][:60]!r} resources.", "_type")
    return types, at, inner, rest + [("_type", ",".join(sorted(types)))] if types else rest


def _count(pairs: Pairs) -> int:
    said = next((value for name, value in reversed(pairs) if name == "_count"), str(DEFAULT_COUNT))
    if not said.isascii() or not said.isdigit() or len(said) > 9 or int(said) == 0:
        raise refused(400, "invalid", f"_count must be 1 or more here, not {said[:40]!r}.", "_count")
    return min(int(said), LARGEST_COUNT)


def place_text(at: str, cursor: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([at, cursor]).encode()).decode().rstrip("=")


def _place(text: str) -> tuple[str, str]:
    try:
        at, cursor = json.loads(base64.urlsafe_b64decode(text.encode() + b"=="))
        if at not in ROUTES or not isinstance(cursor, str):
            raise ValueError
    except (ValueError, TypeError, binascii.Error, RecursionError) as error:
        raise refused(400, "invalid", "This page link is not one of ours; ask again from the start.") from error
    return at, cursor
