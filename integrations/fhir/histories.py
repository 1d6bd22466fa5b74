"""History (R4 http.html#history): of one resource, or of all documents of a type, with _since, _count and pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from integrations.fhir import shelves
from integrations.fhir.outcomes import refused
from integrations.fhir.primitives import from_ms, span
from integrations.fhir.routes import Route
from integrations.fhir.search.grammar import LARGEST_COUNT
from integrations.fhir.shelves import Entry
from recovery.selectors.fhir_history import HistoryQuery, Place, count_type_history, type_history

PAGE = 100
LARGEST_PLACE = 2**62
# 9999-01-01 in microseconds since 1970
LAST_MICROSECOND = 253_370_764_800_000_000
Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class HistoryRequest:
    """`said`: the parameters honoured, for the links. `before`: the place of the last version already seen."""

    since: datetime | None = None
    count: int = PAGE
    before: Place | None = None
    said: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class HistoryPage:
    entries: list[Entry]
    total: int
    more: str | None


def parse(pairs: Pairs) -> HistoryRequest:
    """Raises FhirError 400 for a time, count or page link that cannot be used."""
    given = dict(pairs)
    count = given.get("_count", str(PAGE))
    if not count.isascii() or not count.isdigit() or len(count) > 9:
        raise refused(400, "invalid", f"_count must be a whole number of 0 or more, not {count[:40]!r}.", "_count")
    said = tuple((name, value) for name, value in pairs if name in ("_since", "_count"))
    return HistoryRequest(_since(given.get("_since")), min(int(count), LARGEST_COUNT), _before(given), said)


def _since(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        return from_ms(span(text.replace(" ", "+"), lenient=True).low_ms)
    except (ValueError, OverflowError) as error:
        raise refused(400, "invalid", f"_since: {error}", "_since") from error


def _before(given: dict[str, str]) -> Place | None:
    text = given.get("_before")
    if text is None:
        return None
    parts = text.split("-")
    numbers = [int(one) for one in parts if one.isascii() and one.isdigit() and len(one) < 19]
    if len(parts) != 3 or len(numbers) != 3 or numbers[0] > LAST_MICROSECOND:
        raise refused(400, "invalid", "This page link is not one of ours; start again.", "_before")
    return numbers[0], numbers[1], numbers[2]


def of_type(route: Route, asked: HistoryRequest) -> HistoryPage:
    query = HistoryQuery(route.type, asked.since, asked.before, asked.count + 1)
    found = type_history(query)
    page = found[: asked.count]
    more = "-".join(map(str, page[-1][0])) if len(found) > len(page) > 0 else None
    return HistoryPage([shelves.of_document(row) for _, row in page], count_type_history(query), more)


def of_instance(route: Route, fhir_id: str, asked: HistoryRequest) -> HistoryPage:
    """Raises FhirError 404."""
    everything = [
        one for one in shelves.versions(route, fhir_id) if asked.since is None or one.updated_at >= asked.since
    ]
    before = LARGEST_PLACE if asked.before is None else asked.before[2]
    rest = [one for one in everything if one.version < before]
    page = rest[: asked.count]
    more = f"0-0-{page[-1].version}" if len(rest) > len(page) > 0 else None
    return HistoryPage(page, len(everything), more)
