"""Searching what the twin concludes: rendered from current snapshots, then held against the criteria."""

from integrations.fhir import shelves, wire
from integrations.fhir.documents.indexing import index_entries
from integrations.fhir.primitives import to_ms
from integrations.fhir.search.grammar import SearchRequest, cursor_text
from integrations.fhir.search.matching import holds, in_time
from integrations.fhir.search.page import Page
from integrations.fhir.search.patients import patient_names
from integrations.fhir.shelves import Entry
from recovery.selectors import fhir_risks

# Episodes whose conclusions one search looks at; beyond it, ask by patient.
MOST_CONCLUSIONS = 5_000


def run(request: SearchRequest) -> Page:
    """What the twin says now: one resource per episode, in the order of the episodes."""
    after = request.cursor.get("v")
    found = fhir_risks.current_said(
        patients=patient_names(request.criteria), after=int(after[0]) if after else 0, limit=MOST_CONCLUSIONS
    )
    kept = [(one.episode_row_id, entry) for one in found if _fits(entry := shelves.of_conclusion(one), request)]
    page = kept[: request.count]
    more = cursor_text({"v": [page[-1][0]]}) if len(kept) > len(page) > 0 else None
    total = len(kept) if request.wants_total or (more is None and after is None) else None
    return Page(tuple(entry for _, entry in page), more, total)


def _fits(entry: Entry, request: SearchRequest) -> bool:
    entries = index_entries(request.route, wire.parse_object(entry.text.encode()))
    at = to_ms(entry.updated_at)
    return (
        (request.ids is None or entry.fhir_id in request.ids)
        and all(in_time(match, at, at + 1) for match in request.updated)
        and all(holds(one, entries) for one in request.criteria)
    )
