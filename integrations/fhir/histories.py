"""History (R4 http.html#history): of one resource, of a type, of everything; _since, _at, _count and pages.

Three strands are told as one, newest first: documents with every version and deletion, streamed readings (one version
each, as long as nobody has changed them), and what this server concludes. Each has its own place in a page link.
"""

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from integrations.fhir import shelves
from integrations.fhir.conclusions.shelf import CONCLUSIONS
from integrations.fhir.outcomes import FhirError, refused
from integrations.fhir.primitives import from_ms, span
from integrations.fhir.reach import Reach
from integrations.fhir.routes import Route
from integrations.fhir.search.grammar import LARGEST_COUNT
from integrations.fhir.search.patients import patient_names
from integrations.fhir.shelves import Entry
from recovery.selectors import fhir_history
from recovery.selectors.fhir_history import HistoryQuery, Patients, Place, ReadingPlace

PAGE = 100
LARGEST_PLACE = 2**62
# 9999-01-01 in microseconds since 1970
LAST_MICROSECOND = 253_370_764_800_000_000
# Conclusions of one type that a history of many looks at. The trail and the guide have no history of their own here,
# and a Provenance is the delivery that it tells of.
MOST_CONCLUSIONS = 5_000
_WITHOUT_HISTORY = frozenset(("AuditEvent", "Provenance"))
STRANDS = "~"
CONCLUDED, READINGS, DOCUMENTS = range(3)
# Of a caller who may not see everything: how many versions one look takes, and how many looks a page.
VERSIONS_A_LOOK, MOST_LOOKS = 200, 25
Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where each strand goes on: documents, readings, and conclusions (time in ms, type and id)."""

    documents: Place | None = None
    readings: ReadingPlace | None = None
    conclusions: tuple[int, str] | None = None


@dataclass(frozen=True, slots=True)
class HistoryRequest:
    """`said`: the parameters honoured, for the links. `at`: current at some moment of [low, high)."""

    since: datetime | None = None
    at: tuple[datetime, datetime] | None = None
    count: int = PAGE
    before: Cursor = Cursor()
    said: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """`total` is None where counting would look at every reading."""

    entries: list[Entry]
    total: int | None
    more: str | None


def created_in(entries: Sequence[Entry]) -> set[tuple[str, str, int]]:
    """Which of these versions (type, id, version) made their resource: its first, and any that followed a deletion."""
    later = [(one.type, one.fhir_id) for one in entries if one.version > 1 and not one.deleted]
    deleted = fhir_history.deletions_of(later) if later else set()
    return {
        (one.type, one.fhir_id, one.version)
        for one in entries
        if one.version == 1 or (one.type, one.fhir_id, one.version - 1) in deleted
    }


def parse(pairs: Pairs) -> HistoryRequest:
    """Raises FhirError 400 for a time, count or page link that cannot be used."""
    given = dict(pairs)
    count = given.get("_count", str(PAGE))
    if not count.isascii() or not count.isdigit() or len(count) > 9:
        raise refused(400, "invalid", f"_count must be a whole number of 0 or more, not {count[:40]!r}.", "_count")
    said = tuple((name, value) for name, value in pairs if name in ("_since", "_at", "_count"))
    since, at = _times(given.get("_since"), "_since"), _times(given.get("_at"), "_at")
    return HistoryRequest(
        since[0] if since else None, at, min(int(count), LARGEST_COUNT), _cursor(given.get("_before")), said
    )


def _times(text: str | None, name: str) -> tuple[datetime, datetime] | None:
    """The stretch of time that a date of any precision stands for."""
    if not text:
        return None
    try:
        found = span(text.replace(" ", "+"), lenient=True)
        return from_ms(found.low_ms), from_ms(found.high_ms)
    except (ValueError, OverflowError) as error:
        raise refused(400, "invalid", f"{name}: {error}", name) from error


# ---- page links: one part a strand ---


def _cursor(text: str | None) -> Cursor:
    if text is None:
        return Cursor()
    documents, readings, conclusions = (*text.split(STRANDS), "", "")[:3]
    try:
        if text.count(STRANDS) > 2:
            raise ValueError
        return Cursor(_document_place(documents), _reading_place(readings), _conclusion_place(conclusions))
    except ValueError:
        raise _strange_link() from None


def _strange_link() -> FhirError:
    return refused(400, "invalid", "This page link is not one of ours; start again.", "_before")


def _whole(text: str) -> int:
    """A number of a link of ours. Raises ValueError."""
    digits = text.removeprefix("m")
    if not digits.isascii() or not digits.isdigit() or len(digits) > 18:
        raise ValueError
    return -int(digits) if text.startswith("m") else int(digits)


def _document_place(text: str) -> Place | None:
    if not text:
        return None
    at, row, version = (_whole(one) for one in text.split("-"))
    if not 0 <= at <= LAST_MICROSECOND:
        raise ValueError
    return at, row, version


def _reading_place(text: str) -> ReadingPlace | None:
    if not text:
        return None
    batch, series, at, value, digits = text.split("-")
    number: float = struct.unpack(">d", bytes.fromhex(value))[0] if len(value) == 16 else float("nan")
    if number != number or abs(number) == float("inf"):
        raise ValueError
    return _whole(batch), _whole(series), _whole(at), number, _whole(digits)


def _conclusion_place(text: str) -> tuple[int, str] | None:
    if not text:
        return None
    at, _, name = text.partition("-")
    return _whole(at), name


def _link(cursor: Cursor) -> str:
    def number(said: int) -> str:
        return f"m{-said}" if said < 0 else str(said)

    documents = "-".join(number(one) for one in cursor.documents or ())
    readings = ""
    if cursor.readings is not None:
        batch, series, at, value, digits = cursor.readings
        parts = (number(batch), number(series), number(at), struct.pack(">d", value).hex(), number(digits))
        readings = "-".join(parts)
    conclusions = "-".join((number(cursor.conclusions[0]), cursor.conclusions[1])) if cursor.conclusions else ""
    return STRANDS.join((documents, readings, conclusions)).rstrip(STRANDS)


# ---- the strands ---

Told = tuple[datetime, int, Cursor, Entry]  # when, which strand, where it goes on after this, what


def of_types(routes: Sequence[Route], asked: HistoryRequest, reach: Reach) -> HistoryPage:
    """Of one type or of many."""
    if not all(reach.is_unlimited(route.type, "history-type") for route in routes):
        return _within_reach(routes, asked, reach)
    told = _told(routes, asked)
    page = told[: asked.count]
    streamed = any(route.shelf == "streams" for route in routes)
    total = None if streamed else _count_documents(routes, asked) + _conclusions_in_all(routes, asked)
    more = _link(_after(asked.before, page)) if len(told) > len(page) > 0 else None
    return HistoryPage([one[3] for one in page], total, more)


def _within_reach(routes: Sequence[Route], asked: HistoryRequest, reach: Reach) -> HistoryPage:
    """The same, without what the caller may not see. A page looks at a bounded number of versions, so it may be short
    though others follow; nothing is counted."""
    by_type = {route.type: route for route in routes}
    patients = _patients(routes, reach)
    known: dict[tuple[str, str], set[int]] = {}
    kept: list[Entry] = []
    step = replace(asked, count=VERSIONS_A_LOOK)
    for _ in range(MOST_LOOKS):
        told = _told(routes, step, patients)
        for one in told[: step.count]:
            step = replace(step, before=_after(step.before, [one]))
            if _is_open(one, by_type[one[3].type], reach, known):
                kept.append(one[3])
            if len(kept) >= max(asked.count, 1):
                return HistoryPage(kept[: asked.count], None, _link(step.before))
        if len(told) <= step.count:
            return HistoryPage(kept, None, None)
    return HistoryPage(kept, None, _link(step.before))


def _patients(routes: Sequence[Route], reach: Reach) -> Patients | None:
    """Whose rows are looked at, where limits say whose: FHIR ids, and the types to which that does not apply."""
    limits = {route.type: reach.limit(route.type, "history-type") for route in routes}
    named = {name: patient_names([limit]) for name, limit in limits.items() if limit is not None}
    owned = {route.type for route in routes if route.patient not in ("", "id")}
    theirs = {name: ids for name, ids in named.items() if ids is not None and name in owned}
    if not theirs:
        return None
    ids = sorted(set().union(*(ids for ids in theirs.values())))
    return Patients(tuple(ids), tuple(name for name in limits if name not in theirs), "Observation" in theirs)


def _is_open(one: Told, route: Route, reach: Reach, known: dict[tuple[str, str], set[int]]) -> bool:
    entry = one[3]
    if one[1] != DOCUMENTS:
        return reach.sees(entry, "history-type")
    name = (entry.type, entry.fhir_id)
    if name not in known:
        known[name] = set(shelves.versions_open(route, entry.fhir_id, reach, "history-type"))
    return entry.version in known[name]


def _count_documents(routes: Sequence[Route], asked: HistoryRequest) -> int:
    names = [route.type for route in routes if route.shelf != "views"]
    return fhir_history.count_document_history(HistoryQuery(names, asked.since, asked.at))


def _told(routes: Sequence[Route], asked: HistoryRequest, patients: Patients | None = None) -> list[Told]:
    """Newest first; more than a page when there are more."""
    limit = asked.count + 1
    names = [route.type for route in routes if route.shelf != "views"]
    query = HistoryQuery(names, asked.since, asked.at, asked.before.documents, limit, patients)
    documents: list[Told] = [
        (row.updated_at, DOCUMENTS, Cursor(documents=place), shelves.of_document(row))
        for place, row in fhir_history.document_history(query)
    ]
    streamed = any(route.shelf == "streams" for route in routes)
    readings = _readings(asked, limit, patients) if streamed else []
    strands = (documents, readings, _conclusions(routes, asked, patients))
    return sorted(
        (one for strand in strands for one in _descending(strand)), key=lambda one: (one[0], one[1]), reverse=True
    )


def _descending(strand: Iterable[Told]) -> Iterable[Told]:
    """A strand told in its own order: what comes later in it is never told first, whatever its clock said."""
    last: datetime | None = None
    for when, number, place, entry in strand:
        last = when if last is None else min(last, when)
        yield last, number, place, entry


def _after(before: Cursor, page: Iterable[Told]) -> Cursor:
    documents, readings, conclusions = before.documents, before.readings, before.conclusions
    for _, _, place, _ in page:
        documents = place.documents or documents
        readings = place.readings or readings
        conclusions = place.conclusions or conclusions
    return Cursor(documents, readings, conclusions)


def _readings(asked: HistoryRequest, limit: int, patients: Patients | None) -> list[Told]:
    until = asked.at[1] if asked.at else None
    whose = patients.ids if patients is not None and patients.of_readings else None
    found = fhir_history.reading_history(asked.since, until, asked.before.readings, limit, whose)
    return [(row.received_at, READINGS, Cursor(readings=place), shelves.of_reading(row)) for place, row in found]


def _conclusions(routes: Iterable[Route], asked: HistoryRequest, patients: Patients | None) -> list[Told]:
    """The current version of each conclusion, from the place where the page begins."""
    before = asked.before.conclusions
    placed = [((_ms(entry), f"{entry.type}.{entry.fhir_id}"), entry) for entry in _concluded(routes, asked, patients)]
    kept = sorted((one for one in placed if before is None or one[0] < before), key=lambda one: one[0], reverse=True)
    return [(entry.updated_at, CONCLUDED, Cursor(conclusions=place), entry) for place, entry in kept[: asked.count + 1]]


def _conclusions_in_all(routes: Iterable[Route], asked: HistoryRequest) -> int:
    return sum(1 for _ in _concluded(routes, asked))


def _concluded(routes: Iterable[Route], asked: HistoryRequest, patients: Patients | None = None) -> Iterable[Entry]:
    for route in routes:
        source = CONCLUSIONS.get(route.type)
        if source is None or route.type in _WITHOUT_HISTORY or "create" not in route.interactions:
            continue
        whose = None if patients is None or route.type in patients.others else patients.ids
        for found in source.many(whose, 0, MOST_CONCLUSIONS):
            if _is_wanted(found.updated_at, None, asked):
                yield shelves.of_conclusion(found)


def _ms(entry: Entry) -> int:
    return int(entry.updated_at.timestamp() * 1000)


def _is_wanted(changed: datetime, replaced: datetime | None, asked: HistoryRequest) -> bool:
    """Whether a version that stood from `changed` to `replaced` (None: still) is asked for."""
    if asked.since is not None and changed < asked.since:
        return False
    return asked.at is None or (changed < asked.at[1] and (replaced is None or replaced > asked.at[0]))


def of_instance(route: Route, fhir_id: str, asked: HistoryRequest, reach: Reach) -> HistoryPage:
    """Raises FhirError 404."""
    versions = shelves.versions(route, fhir_id, reach)
    replaced: Mapping[int, datetime] = {
        older.version: newer.updated_at for newer, older in zip(versions, versions[1:], strict=False)
    }
    everything = [one for one in versions if _is_wanted(one.updated_at, replaced.get(one.version), asked)]
    before = LARGEST_PLACE if asked.before.documents is None else asked.before.documents[2]
    rest = [one for one in everything if one.version < before]
    page = rest[: asked.count]
    more = f"0-0-{page[-1].version}" if len(rest) > len(page) > 0 else None
    return HistoryPage(page, len(everything), more)
