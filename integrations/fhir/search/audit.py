"""Searching the audit trail, which only grows: newest first, patient, entity and time asked of the database.

What the database is not asked is checked on each row; one walk looks at a bounded number of rows.
"""

from collections.abc import Iterator
from dataclasses import replace

from integrations.fhir import shelves
from integrations.fhir.conclusions.audit_event import audit_event
from integrations.fhir.outcomes import refused
from integrations.fhir.search import windows
from integrations.fhir.search.entries import entries_of
from integrations.fhir.search.matching import holds
from integrations.fhir.search.page import Placed
from integrations.fhir.search.patients import patient_names
from integrations.fhir.search.request import SearchRequest
from integrations.fhir.shelves import Entry
from recovery.selectors.fhir_audit import AuditQuery, audit_said, count_audit
from recovery.selectors.fhir_criteria import Criterion, micros
from recovery.selectors.fhir_search import CONCLUSIONS

ROWS_A_LOOK, MOST_LOOKED_AT = 500, 50_000


def walk(request: SearchRequest) -> Iterator[Placed]:
    """In order of rows, newest first unless asked for otherwise. Raises FhirError 400 when too many do not fit."""
    asked, rest = _query(request)
    upwards = not request.order.goes_down(0)
    place = request.place
    last = int(place[-1] or 0) if place is not None else None
    looked_at = 0
    while True:
        rows = audit_said(replace(asked, before=last, ascending=upwards, limit=min(ROWS_A_LOOK, request.count + 1)))
        for row in rows:
            entry = shelves.of_conclusion(audit_event(row))
            if _fits(entry, rest):
                looked_at = 0
                steps = (micros(row.at) for _ in request.order.steps)
                yield Placed(shelves.shown(entry, request.reach), (*steps, CONCLUSIONS, row.row_id))
            last = row.row_id
        looked_at += len(rows)
        if len(rows) < min(ROWS_A_LOOK, request.count + 1):
            return
        if looked_at > MOST_LOOKED_AT:
            sentence = f"More than {MOST_LOOKED_AT} events in a row do not fit: name a patient, an entity or a time."
            raise refused(400, "too-costly", sentence)


def count(request: SearchRequest) -> int:
    asked, rest = _query(request)
    if not rest:
        return count_audit(asked)
    return sum(1 for _ in walk(replace(request, place=None, count=ROWS_A_LOOK)))


def _query(request: SearchRequest) -> tuple[AuditQuery, list[Criterion]]:
    """What the database is asked, and the criteria that are left to check."""
    plain = [
        one for one in request.criteria if one.missing is None and not one.negated and one.kind in ("date", "reference")
    ]
    dates = [one for one in plain if one.param == "date"]
    dates += [Criterion("date", "date", group) for group in request.updated]
    entities = [[match.value or "" for match in one.matches] for one in plain if one.param == "entity"]
    query = AuditQuery(
        patients=patient_names(request.criteria),
        entities=entities,
        windows=windows.intersected([windows.exact(one, 1) for one in dates]) if dates else None,
        ids=None if request.ids is None else [int(one) for one in request.ids if one.isdigit() and len(one) < 19],
    )
    asked = ("date", "entity", "patient")
    return query, [one for one in request.criteria if one not in plain or one.param not in asked]


def _fits(entry: Entry, rest: list[Criterion]) -> bool:
    if not rest:
        return True
    entries = entries_of(entry)
    return all(holds(one, entries, f"{entry.type}/{entry.fhir_id}") for one in rest)
