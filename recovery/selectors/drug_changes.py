"""When a drug was begun, changed and last given, from the orders, statements and administrations that are kept. Pure.

Only what a document says with a time counts: an order that was stopped without saying when ends nothing here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

Json = Mapping[str, Any]

# Without a dose for this long a drug counts as no longer given [G: longer than any usual interval but weekly ones].
GIVEN_APART = timedelta(hours=48)
# Statuses (R4) under which a drug was really ordered, taken or given.
REAL = {
    "MedicationAdministration": ("in-progress", "on-hold", "completed", "stopped"),
    "MedicationRequest": ("active", "on-hold", "completed", "stopped"),
    "MedicationStatement": ("active", "completed", "stopped", "on-hold"),
}
FOREVER = datetime.max.replace(tzinfo=UTC)
_UNASKED = ("proposal", "option")


@dataclass(frozen=True, slots=True)
class Taking:
    """One document: `dose` each time from `start` on. `until`: up to when it speaks for the drug being taken.

    `ended`: when it says that the drug ended (None: it does not say), in the words `ending`.
    """

    drug: str
    start: datetime
    until: datetime
    dose: str
    ended: datetime | None = None
    ending: str = ""


@dataclass(frozen=True, slots=True)
class DrugChange:
    at: datetime
    word: str


def taking_of(document: Json, names: Mapping[str, str] | None = None) -> Taking | None:
    """What one document says; None when it says nothing with a time. `names`: id of a Medication -> its name."""
    kind, status = document.get("resourceType", ""), document.get("status")
    if status not in REAL.get(kind, ()) or document.get("doNotPerform") or document.get("intent") in _UNASKED:
        return None
    drug = _drug(document, names or {})
    is_order = kind == "MedicationRequest"
    start, end, dose = _of_request(document) if is_order else (*_effective(document), _dose(document.get("dosage")))
    if not drug or start is None:
        return None
    if end is not None:
        return Taking(drug, start, max(start, end), dose, max(start, end), "ended")
    if kind == "MedicationAdministration":
        return Taking(drug, start, start + GIVEN_APART, dose, start, "last given")
    is_over = status in ("completed", "stopped")
    return Taking(drug, start, start + GIVEN_APART if is_over else FOREVER, dose)


def changes(takings: Iterable[Taking], since: datetime, by: datetime) -> list[DrugChange]:
    """Drugs begun, changed in dose and last given between `since` and `by`, oldest first."""
    by_drug: dict[str, list[Taking]] = {}
    for one in takings:
        if one.start <= by:
            by_drug.setdefault(one.drug.casefold(), []).append(one)
    found = [change for mine in by_drug.values() for change in _of_drug(sorted(mine, key=lambda t: t.start), by)]
    return sorted((one for one in found if since <= one.at <= by), key=lambda one: (one.at, one.word))


def _of_drug(takings: Sequence[Taking], by: datetime) -> list[DrugChange]:
    """`takings` of one drug in time order."""
    found: list[DrugChange] = []
    last: Taking | None = None  # the one that speaks longest so far
    dose = ""
    for one in takings:
        if last is None or one.start > last.until:
            found += _end_of(last)
            found.append(DrugChange(one.start, f"{one.drug} {one.dose}".strip() + (" again" if last else " begun")))
        elif one.dose and dose and one.dose != dose:
            found.append(DrugChange(one.start, f"{one.drug} {dose} to {one.dose}"))
        last = one if last is None or one.until > last.until else last
        dose = one.dose or dose
    return found + (_end_of(last) if last is not None and last.until <= by else [])


def _end_of(last: Taking | None) -> list[DrugChange]:
    return [DrugChange(last.ended, f"{last.drug} {last.ending}")] if last is not None and last.ended else []


def _drug(document: Json, names: Mapping[str, str]) -> str:
    if concept := document.get("medicationCodeableConcept"):
        return _words(concept)
    reference = (document.get("medicationReference") or {}).get("reference", "")
    inside = next((one for one in document.get("contained", ()) if reference == f"#{one.get('id')}"), None)
    if inside is not None:
        return _words(inside.get("code") or {})
    display = str((document.get("medicationReference") or {}).get("display", ""))
    return names.get(reference.rpartition("/")[2], "") or display


def name_of(medication: Json) -> str:
    return _words(medication.get("code") or {})


def _words(concept: Json) -> str:
    shown = (one.get("display", "") for one in concept.get("coding", ()))
    return " ".join(str(concept.get("text") or next((one for one in shown if one), "")).split())[:60]


def _of_request(document: Json) -> tuple[datetime | None, datetime | None, str]:
    dosage: Json = next(iter(document.get("dosageInstruction", ())), {})
    bounds = dosage.get("timing", {}).get("repeat", {}).get("boundsPeriod", {})
    valid = document.get("dispenseRequest", {}).get("validityPeriod", {})
    start = moment(bounds.get("start")) or moment(document.get("authoredOn"))
    rates: Json = next(iter(dosage.get("doseAndRate", ())), {})
    dose = rates.get("doseQuantity")
    return start, moment(bounds.get("end")) or moment(valid.get("end")), _quantity(dose)


def _effective(document: Json) -> tuple[datetime | None, datetime | None]:
    period = document.get("effectivePeriod")
    if isinstance(period, Mapping):
        return moment(period.get("start")), moment(period.get("end"))
    return moment(document.get("effectiveDateTime")), None


def _dose(dosage: Any) -> str:
    """An administration has one dosage with `dose`, a statement a list with `doseAndRate`."""
    if isinstance(dosage, Mapping):
        return _quantity(dosage.get("dose"))
    first: Json = next(iter(dosage or ()), {})
    rates: Json = next(iter(first.get("doseAndRate", ())), {})
    return _quantity(rates.get("doseQuantity"))


def _quantity(said: Any) -> str:
    if not isinstance(said, Mapping) or said.get("value") is None:
        return ""
    return f"{said['value']} {said.get('unit') or said.get('code') or ''}".strip()[:24]


def moment(said: Any) -> datetime | None:
    """A time with its zone; a day counts from its first moment (UTC); anything coarser says no time."""
    try:
        at = datetime.fromisoformat(said) if isinstance(said, str) and len(said) >= 10 else None
    except ValueError:
        return None
    return at.replace(tzinfo=UTC) if at is not None and at.tzinfo is None else at
