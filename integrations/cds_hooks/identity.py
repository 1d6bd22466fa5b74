"""About whom a call is: an identifier that both sides know, and never an id that only looks the same.

An EHR's `patientId` is its own; it means the same here only where the EHR calls our FHIR server its own, or was the
one that sent the patient. Where what it says of the patient does not fit, nobody is meant.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from integrations.fhir.primitives import ID
from recovery.selectors import cards
from recovery.selectors.cards import KnownPatient
from recovery.texts import is_storable

TWO = "Two patients here have these identifiers: no card is shown until that is put right."
NOT_THE_SAME = "The patient with this identifier has another birth date here: no card is shown until that is put right."


@dataclass(frozen=True, slots=True)
class Meant:
    """The patient, or None; `doubt` says why nothing can be shown although somebody fits."""

    patient: KnownPatient | None = None
    doubt: str = ""


def patient_meant(said: Mapping[str, Any], connection_id: int | None, base: str) -> Meant:
    """`said`: the body of a call. `base`: of our own FHIR door."""
    context, prefetch = _object(said.get("context")), _object(said.get("prefetch"))
    given = _object(prefetch.get("patient"))
    patient_id = str(context.get("patientId", "")).removeprefix("Patient/")
    if given and str(given.get("id", patient_id)) != patient_id:
        return Meant(doubt="The patient in prefetch is not the one in context: no card is shown.")
    found = cards.patients_identified(_identifiers(given))
    if len(found) > 1:
        return Meant(doubt=TWO)
    one = found[0] if found else _by_id(patient_id, str(said.get("fhirServer", "")), connection_id, base)
    if one is None:
        return Meant()
    return Meant(doubt=NOT_THE_SAME) if _differs(one, given) else Meant(one)


def _by_id(patient_id: str, server: str, connection_id: int | None, base: str) -> KnownPatient | None:
    if not ID.fullmatch(patient_id):
        return None
    one = cards.patient_by_id(patient_id)
    if one is None:
        return None
    sent_it = one.sender_id is not None and one.sender_id == connection_id
    return one if sent_it or server.rstrip("/") == base else None


def _identifiers(given: Mapping[str, Any]) -> list[tuple[str, str]]:
    held = given.get("identifier")
    found = [_object(one) for one in held] if isinstance(held, list) else []
    said = [(str(one.get("system", "")), str(one.get("value", ""))) for one in found]
    return [one for one in said if is_storable(one[0] + one[1])]


def _differs(known: KnownPatient, given: Mapping[str, Any]) -> bool:
    said = given.get("birthDate")
    if not isinstance(said, str) or known.birth_date is None:
        return False
    return not known.birth_date.isoformat().startswith(said[:10])


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
