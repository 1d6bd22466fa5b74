"""What an export tells, in steps: a type on one shelf each. A step gives pages of lines and where it goes on."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils.dateparse import parse_datetime

from integrations.bulk.files import FIRST, LAST
from integrations.bulk.filters import Filters
from integrations.bulk.telling import number_line, packet_line
from integrations.fhir import shelves
from integrations.fhir.conclusions.audit_event import audit_event
from integrations.fhir.conclusions.concluded import Concluded
from integrations.fhir.conclusions.shelf import CONCLUSIONS
from integrations.fhir.primitives import to_ms
from integrations.fhir.routes import ROUTES, Route
from integrations.fhir.shelves import Entry
from recovery.exact_json import dumps
from recovery.selectors import fhir_export
from recovery.selectors.fhir_audit import AuditQuery, audit_said
from recovery.selectors.fhir_export import Extent, SeriesTold, Whose
from recovery.services.exports import Slice
from recovery.services.intake import Shape

DOCUMENTS_A_PAGE, READINGS_A_PAGE, DELETED_A_LINE = 500, 5_000, 100
SERIES_A_LOOK = 200
# Told in exports of patients and groups as a whole: who and what their records refer to, about no patient.
DIRECTORY = ("Practitioner", "PractitionerRole", "Organization", "Location", "Medication")
DELETED = "Bundle"
# In an export only when `_type` names them: the trail, and what the published guide says already.
ONLY_NAMED = frozenset(name for name, route in ROUTES.items() if route.shelf == "views")


@dataclass(frozen=True, slots=True)
class Step:
    type: str
    shelf: str  # documents, number, packet, conclusions, deleted


@dataclass(frozen=True, slots=True)
class Page:
    """`place`: where the step goes on; None at its end. `share`: how much of the step is done, 0 to 1."""

    lines: list[str]
    place: list[Any] | None
    share: float = 0.0


@dataclass(slots=True)
class Walk:
    """What one export tells. `members`: FHIR ids, None for everybody."""

    types: Sequence[str]
    extent: Extent
    until: datetime | None
    filters: Filters
    members: Sequence[str] | None
    _series: list[SeriesTold] = field(default_factory=list)
    _last: int = 0

    def steps(self) -> list[Step]:
        found = [step for name in self.types for step in _steps_of(ROUTES[name])]
        return [*found, Step(DELETED, "deleted")] if self.extent.since is not None else found

    def page(self, step: Step, place: list[Any]) -> Page:
        if step.shelf == "documents":
            return self._documents(step.type, place)
        if step.shelf == "deleted":
            return self._deleted(place)
        if step.shelf == "conclusions":
            return self._audit(place) if step.type == "AuditEvent" else self._conclusions(step.type, place)
        return self._readings("number" if step.shelf == "number" else "packet", place)

    def _documents(self, type_name: str, place: list[Any]) -> Page:
        after = place[0] if place else 0
        rows, rest = fhir_export.documents_at(type_name, self._extent_of(type_name), after, DOCUMENTS_A_PAGE)
        return Page(self._told([shelves.of_document(row) for row in rows]), None if rest is None else [rest], 0.5)

    def _extent_of(self, type_name: str) -> Extent:
        told_whole = type_name in DIRECTORY or type_name in ONLY_NAMED
        return Extent(self.extent.at, self.extent.since) if told_whole else self.extent

    def _told(self, entries: Sequence[Entry]) -> list[str]:
        return [one.text for one in entries if self.filters.take(one)]

    def _deleted(self, place: list[Any]) -> Page:
        after = place[0] if place else 0
        rows, rest = fhir_export.deleted_at(self.types, self.extent, after, DELETED_A_LINE)
        rows = [row for row in rows if self.filters.tells_deleted(row.type)]
        entries = [{"request": {"method": "DELETE", "url": f"{row.type}/{row.fhir_id}"}} for row in rows]
        line = dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries})
        return Page([line] if entries else [], None if rest is None else [rest], 0.5)

    # ---- conclusions ---

    def _conclusions(self, type_name: str, place: list[Any]) -> Page:
        """As they stand now: one that changed since the moment is told with its own, later `lastUpdated`."""
        source = CONCLUSIONS[type_name]
        after = place[0] if place else 0
        members = None if type_name in ONLY_NAMED else self.members
        found = source.many(members, after, source.chunk)
        lines = self._told_concluded([one for one in found if self._belongs(one, type_name)])
        return Page(lines, [found[-1].row_id] if len(found) == source.chunk else None, 0.5)

    def _belongs(self, one: Concluded, type_name: str) -> bool:
        return self.extent.whose == "all" or one.patient_id is not None or type_name in ONLY_NAMED

    def _told_concluded(self, found: Sequence[Concluded]) -> list[str]:
        since, until = self.extent.since, self.until
        in_time = [one for one in found if since is None or one.updated_at >= since]
        return self._told([shelves.of_conclusion(one) for one in in_time if until is None or one.updated_at <= until])

    def _audit(self, place: list[Any]) -> Page:
        since = None if self.extent.since is None else to_ms(self.extent.since)
        query = AuditQuery(
            patients=self.members,
            windows=[(since, to_ms(self.extent.at) + 1)],
            before=place[0] if place else None,
            ascending=True,
            limit=DOCUMENTS_A_PAGE,
        )
        found = audit_said(query)
        rows = [one for one in found if self.extent.whose == "all" or one.patient_id is not None]
        lines = self._told([shelves.of_conclusion(audit_event(one)) for one in rows])
        return Page(lines, [found[-1].row_id] if len(found) == DOCUMENTS_A_PAGE else None, 0.5)

    # ---- streamed readings ---

    def _readings(self, shape: Shape, place: list[Any]) -> Page:
        """One page of one series; a small series brings the next ones along. Place: series, then the reading's."""
        self._last = self._last or fhir_export.last_series()
        lines: list[str] = []
        series, after = (place[0], place[1:]) if place else (0, [])
        while len(lines) < READINGS_A_PAGE:
            told = self._series_from(shape, series)
            if told is None:
                return Page(lines, None, 1.0)
            found, rest = self._of_series(shape, told, after)
            lines += found
            series, after = (told.row_id, rest) if rest else (told.row_id + 1, [])
        return Page(lines, [series, *after], series / max(self._last, 1))

    def _series_from(self, shape: Shape, row: int) -> SeriesTold | None:
        """The first series of that row or a later one."""
        while self._series and self._series[0].row_id < row:
            self._series.pop(0)
        if not self._series:
            self._series = fhir_export.series_of(shape, self.extent, row, SERIES_A_LOOK)
        return self._series[0] if self._series else None

    def _of_series(self, shape: Shape, told: SeriesTold, after: list[Any]) -> tuple[list[str], list[Any]]:
        """Lines of up to a page of readings, and the place of the last one where there may be more."""
        series, text = told.row_id, told.template
        if shape == "number":
            place = (after[0], after[1], after[2]) if after else fhir_export.FIRST_NUMBER
            numbers = fhir_export.numbers_at(series, self.extent, place, READINGS_A_PAGE)
            lines = [number_line(text, series, row) for row in numbers]
            last = list(numbers[-1][:3]) if len(numbers) == READINGS_A_PAGE else []
        else:
            start = (after[0], after[1]) if after else fhir_export.FIRST_PACKET
            packets = fhir_export.packets_at(series, self.extent, start, READINGS_A_PAGE // 10)
            lines = [packet_line(text, series, row) for row in packets]
            last = list(packets[-1][:2]) if len(packets) == READINGS_A_PAGE // 10 else []
        return self.filters.lines(lines), last


def _steps_of(route: Route) -> list[Step]:
    shelves_of = {
        "documents": ("documents",),
        "streams": ("documents", "number", "packet", "conclusions"),
        "both": ("documents", "conclusions"),
        "views": ("conclusions",),
    }
    return [Step(route.type, shelf) for shelf in shelves_of[route.shelf]]


def in_order(types: Sequence[str]) -> list[str]:
    """What others point at comes first, so that a receiver can store line by line."""
    middle = [name for name in types if name not in FIRST and name not in LAST]
    return [*(one for one in FIRST if one in types), *middle, *(one for one in LAST if one in types)]


def walk_of(taken: Slice) -> Walk:
    """The walk that an export's row asks for."""
    whose: Whose = "all" if taken.kind == "system" else "patients"
    if taken.kind == "group" or taken.wanted.get("patients"):
        whose = "members"
    since = parse_datetime(taken.wanted["since"]) if taken.wanted.get("since") else None
    until = parse_datetime(taken.wanted["until"]) if taken.wanted.get("until") else None
    at = taken.transaction_time if until is None else min(until, taken.transaction_time)
    extent = Extent(at, since, whose, taken.row_id)
    members = fhir_export.member_names(extent) if whose == "members" else None
    return Walk(taken.wanted["types"], extent, until, Filters.of(taken), members)
