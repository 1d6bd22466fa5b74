"""What the record says of a patient's allergies and intolerances: AllergyIntolerance documents, as they stand now.

Entered in error, refuted, inactive and resolved ones are left out. That nobody knows of one is said only where the
record says so. One query, however many patients. The hospital's record cannot be withdrawn from care (ADR 14), so no
consent is asked here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from recovery.exact_json import loads
from recovery.models import Document
from recovery.twin.profile import SNOMED

# HL7 International Patient Summary, code system "Absent and Unknown Data".
ABSENT = "http://hl7.org/fhir/uv/ips/CodeSystem/absent-unknown-uv-ips"
# Nothing is known at all: SNOMED CT "No known allergy" (716186003; 160244002 before 2016), IPS.
NONE_AT_ALL = frozenset({(SNOMED, "716186003"), (SNOMED, "160244002"), (ABSENT, "no-known-allergies")})
# Nothing of one kind is known: SNOMED CT 2016 on, IPS.
NONE_OF_A_KIND: Mapping[tuple[str, str], str] = {
    (SNOMED, "409137002"): "drug",
    (SNOMED, "429625007"): "food",
    (SNOMED, "428607008"): "environmental",
    (SNOMED, "428197003"): "insect",
    (SNOMED, "1003774007"): "latex",
    (ABSENT, "no-known-medication-allergies"): "drug",
    (ABSENT, "no-known-food-allergies"): "food",
    (ABSENT, "no-known-environmental-allergies"): "environmental",
}
NOT_ASKED = (ABSENT, "no-allergy-info")
NOT_TRUE = frozenset({"entered-in-error", "refuted"})
OVER = frozenset({"inactive", "resolved"})
# The gravest first; R4: low, high, unable-to-assess. What nobody assessed is not taken for low.
CRITICALITIES = ("high", "unable-to-assess", "", "low")
VERIFICATIONS = ("confirmed", "", "unconfirmed")


@dataclass(frozen=True, slots=True)
class Allergy:
    """`criticality` and `verification` as R4 codes, blank where not said; `reactions`: what happened, in words."""

    substance: str
    criticality: str
    verification: str
    reactions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Allergies:
    """`known`: the gravest first. `none_known`: the record says that there is none; `none_of`: kinds of which it says
    so. With nothing in any of them, twinweb does not know."""

    known: tuple[Allergy, ...] = ()
    none_known: bool = False
    none_of: tuple[str, ...] = ()


def allergies_of(patient_id: int) -> Allergies:
    return allergies_of_all([patient_id])[patient_id]


def allergies_of_all(patient_ids: Iterable[int]) -> dict[int, Allergies]:
    said: dict[int, list[Mapping[str, Any]]] = {pk: [] for pk in patient_ids}
    rows = Document.objects.filter(patient_id__in=said, type="AllergyIntolerance", deleted=False).order_by("id")
    for pk, content in rows.values_list("patient_id", "content"):
        said[pk].append(loads(content))
    return {pk: read_allergies(documents) for pk, documents in said.items()}


def read_allergies(documents: Iterable[Mapping[str, Any]]) -> Allergies:
    """Of AllergyIntolerance resources of one patient. A substance that several systems tell of stands once, as the
    gravest of them has it."""
    found: dict[str, Allergy] = {}
    none_known, none_of = False, set()
    for document in (one for one in documents if _holds(one)):
        codes = {(str(one.get("system", "")), str(one.get("code", ""))) for one in _codings(document.get("code"))}
        kinds = {kind for code, kind in NONE_OF_A_KIND.items() if code in codes}
        none_of |= kinds
        none_known = none_known or bool(codes & NONE_AT_ALL)
        if not (kinds or codes & NONE_AT_ALL or NOT_ASKED in codes):
            one = _allergy(document)
            key = one.substance.casefold()
            found[key] = min(found.get(key, one), one, key=_gravity)
    known = tuple(sorted(found.values(), key=lambda one: (*_gravity(one), one.substance.casefold())))
    return Allergies(known, none_known and not known, tuple(sorted(none_of)))


def _holds(document: Mapping[str, Any]) -> bool:
    verification, clinical = _code(document.get("verificationStatus")), _code(document.get("clinicalStatus"))
    return verification not in NOT_TRUE and clinical not in OVER


def _allergy(document: Mapping[str, Any]) -> Allergy:
    reactions = document.get("reaction") or ()
    happened = [_words(one) for reaction in reactions for one in reaction.get("manifestation") or ()]
    causes = [_words(reaction.get("substance")) for reaction in reactions]
    return Allergy(
        substance=next((words for words in (_words(document.get("code")), *causes) if words), "substance not named"),
        criticality=_one_of(CRITICALITIES, document.get("criticality")),
        verification=_one_of(VERIFICATIONS, _code(document.get("verificationStatus"))),
        reactions=tuple(dict.fromkeys(words for words in happened if words)),
    )


def _gravity(one: Allergy) -> tuple[int, int]:
    return CRITICALITIES.index(one.criticality), VERIFICATIONS.index(one.verification)


def _one_of(known: tuple[str, ...], said: Any) -> str:
    return said if said in known else ""


def _codings(concept: Any) -> list[Mapping[str, Any]]:
    return list(concept.get("coding") or ()) if isinstance(concept, Mapping) else []


def _code(concept: Any) -> str:
    return next((str(one["code"]) for one in _codings(concept) if one.get("code")), "")


def _words(concept: Any) -> str:
    if not isinstance(concept, Mapping):
        return ""
    codings = _codings(concept)
    shown = [concept.get("text"), *(one.get("display") for one in codings), *(one.get("code") for one in codings)]
    return " ".join(str(next((one for one in shown if one), "")).split())[:80]
