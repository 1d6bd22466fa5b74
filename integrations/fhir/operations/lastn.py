"""Observation/$lastn (R4 observation-operation-lastn): the newest Observations of each code of one patient.

Observations at one time cannot be put in order: those at the time of the last one that fits are all told.
"""

from collections.abc import Iterable, Sequence
from itertools import takewhile

from integrations.fhir import wire
from integrations.fhir.call import Call
from integrations.fhir.conclusions.codes import RECOVERY
from integrations.fhir.conclusions.recovery_index import CODE
from integrations.fhir.documents.indexing import index_entries
from integrations.fhir.outcomes import refused
from integrations.fhir.routes import ROUTES
from integrations.fhir.search import grammar
from integrations.fhir.search.grammar import SearchRequest
from integrations.fhir.search.patients import patient_names
from integrations.fhir.search.run import run
from integrations.fhir.shelves import Entry
from recovery.selectors.fhir_codes import observation_codes

MOST_EACH, MOST_CODES, MOST_TIES = 100, 300, 20
OWN_CODE = (RECOVERY, CODE)
Pairs = Sequence[tuple[str, str]]


def last_of_each_code(pairs: Pairs, call: Call) -> list[Entry]:
    """`max` (default 1) for each code, newest first. Raises FhirError 400 without exactly one patient or subject."""
    each = _most(pairs)
    rest = [(name, value) for name, value in pairs if name not in ("max", "_count", "_sort", "_cursor")]
    asked = _parse(rest, call)
    patients = patient_names(asked.criteria)
    if patients is None or len(patients) != 1:
        raise refused(400, "required", "$lastn needs one patient (patient= or subject=).", "patient")
    found: dict[str, Entry] = {}
    for system, code in _codes(patients[0], asked):
        escaped = f"{_escaped(system)}|{_escaped(code)}"
        asking = [*rest, ("code", escaped), ("_sort", "-date"), ("_count", str(each + MOST_TIES))]
        found |= {entry.fhir_id: entry for entry in _with_ties(run(_parse(asking, call)).entries, each)}
    return list(found.values())


def _with_ties(newest: Sequence[Entry], each: int) -> Sequence[Entry]:
    """The first `each`, and those after them at the very same time."""
    if len(newest) <= each:
        return newest
    last = _time(newest[each - 1])
    return [*newest[:each], *takewhile(lambda one: _time(one) == last, newest[each:])]


def _time(entry: Entry) -> tuple[int, int] | None:
    """When it was measured, as half-open milliseconds: equal times may be written differently."""
    resource = wire.parse_object(entry.text.encode())
    dates = [one for one in index_entries(ROUTES["Observation"], resource) if one.param == "date"]
    return (dates[0].low_ms or 0, dates[0].high_ms or 0) if dates else None


def _parse(pairs: Pairs, call: Call) -> SearchRequest:
    return grammar.parse(
        ROUTES["Observation"], pairs, base=call.base, strict=True, now=call.place.now, reach=call.reach
    )


def _most(pairs: Pairs) -> int:
    said = next((value for name, value in pairs if name == "max"), "1")
    if not said.isascii() or not said.isdigit() or not 0 < int(said[:9]) <= MOST_EACH:
        raise refused(400, "invalid", f"max must be from 1 to {MOST_EACH}, not {said[:40]!r}.", "max")
    return int(said)


def _codes(patient: str, asked: SearchRequest) -> Iterable[tuple[str, str]]:
    """The patient's codes that can fit what was asked for: a plain list of codes is looked at here, to ask less."""
    codes = [*observation_codes(patient, MOST_CODES), OWN_CODE]
    for one in asked.criteria:
        if one.param == "code" and one.missing is None and not one.negated:
            codes = [
                (system, code)
                for system, code in codes
                if any(match.value in (None, code) and match.system in (None, system) for match in one.matches)
            ]
    return codes


def _escaped(text: str) -> str:
    for mark in "\\|,$":
        text = text.replace(mark, f"\\{mark}")
    return text
