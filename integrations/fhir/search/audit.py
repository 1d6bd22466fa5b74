"""Searching the audit trail, which only grows: newest first, patient, entity and time asked of the database.

What the database is not asked is checked on each row; a page looks at a bounded number of rows and may hold fewer than
asked for, with a link to where it goes on.
"""

from collections.abc import Iterable

from integrations.fhir import shelves, wire
from integrations.fhir.conclusions.audit_event import audit_event
from integrations.fhir.documents.indexing import index_entries
from integrations.fhir.search.grammar import SearchRequest, cursor_text
from integrations.fhir.search.matching import holds
from integrations.fhir.search.page import Page
from integrations.fhir.search.patients import patient_names
from integrations.fhir.search.readings import windows
from integrations.fhir.shelves import Entry
from recovery.selectors.fhir_audit import AuditQuery, audit_said, count_audit
from recovery.selectors.fhir_search import Criterion

ROWS_A_LOOK, MOST_LOOKS = 500, 10
MOST_COUNTED = 50_000


def run(request: SearchRequest) -> Page:
    asked, rest = _query(request)
    total = _count(request, asked, rest) if request.wants_total else None
    if request.only_counts:
        return Page((), None, total)
    found: list[Entry] = []
    before = _before(request)
    for _ in range(MOST_LOOKS):
        rows = audit_said(_from(asked, before, ROWS_A_LOOK))
        for row in rows:
            entry = shelves.of_conclusion(audit_event(row))
            if _fits(entry, request, rest):
                if len(found) == request.count:
                    return Page(tuple(found), cursor_text({"v": [before]}), total)
                found.append(entry)
            before = row.row_id
        if len(rows) < ROWS_A_LOOK:
            return Page(tuple(found), None, total)
    return Page(tuple(found), cursor_text({"v": [before]}), total)


def _before(request: SearchRequest) -> int | None:
    place = request.cursor.get("v")
    return int(place[0]) if place else None


def _from(asked: AuditQuery, before: int | None, limit: int) -> AuditQuery:
    return AuditQuery(asked.patients, asked.entities, asked.windows, asked.ids, before, limit)


def _query(request: SearchRequest) -> tuple[AuditQuery, list[Criterion]]:
    """What the database is asked, and the criteria that are left to check."""
    plain = [one for one in request.criteria if one.missing is None and not one.negated]
    dates = [one for one in plain if one.param == "date"]
    dates += [Criterion("date", "date", (match,)) for match in request.updated]
    entities = [[match.value or "" for match in one.matches] for one in plain if one.param == "entity"]
    query = AuditQuery(
        patients=patient_names(plain),
        entities=entities,
        windows=windows(dates) if dates else None,
        ids=None if request.ids is None else [int(one) for one in request.ids if one.isdigit() and len(one) < 19],
    )
    rest = [one for one in request.criteria if one not in plain or one.param not in ("date", "entity", "patient")]
    return query, rest


def _fits(entry: Entry, request: SearchRequest, rest: Iterable[Criterion]) -> bool:
    rest = list(rest)
    if not rest:
        return True
    entries = index_entries(request.route, wire.parse_object(entry.text.encode()))
    return all(holds(one, entries) for one in rest)


def _count(request: SearchRequest, asked: AuditQuery, rest: list[Criterion]) -> int:
    if not rest:
        return count_audit(asked)
    rows = audit_said(_from(asked, None, MOST_COUNTED))
    return sum(_fits(shelves.of_conclusion(audit_event(row)), request, rest) for row in rows)
