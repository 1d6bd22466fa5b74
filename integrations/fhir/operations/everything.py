"""Patient/$everything (R4 patient-operation-everything): the patient and all in their compartment, in pages.

Each page walks on through the types in the order of the routes table, by the same searches that anybody may ask: so
it holds only what the token may search, is bounded, and repeats or skips nothing while data arrives. Last come the
practitioners, organizations and shared devices that the patient's record refers to. The audit trail, to which each
page adds, comes only when `_type` names it.
"""

import base64
import binascii
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from integrations.fhir import shelves
from integrations.fhir.call import Call
from integrations.fhir.outcomes import refused
from integrations.fhir.primitives import from_ms, span
from integrations.fhir.routes import ROUTES, Route
from integrations.fhir.search import grammar
from integrations.fhir.search.run import run
from integrations.fhir.shelves import Entry
from recovery.selectors.fhir_referenced import SHARED, Reference, referenced

PAGE, LARGEST_PAGE = 200, 1000
# The date of care of a type, to which `start` and `end` apply: the first of these parameters that it has.
CARE_DATES = (
    *("date", "period", "onset-date", "authored", "authoredon", "effective", "effective-time", "started", "created"),
    *("sent", "identified", "start-date", "authored-on", "collected"),
)
Pairs = Sequence[tuple[str, str]]
# Where a page begins that tells what the record refers to.
REFERENCED = "referenced"


@dataclass(slots=True)
class Asked:
    """`types`: only these, or all. `at`: name of the type where the page begins, "" for the first; with its cursor."""

    count: int = PAGE
    types: frozenset[str] = frozenset()
    since: str = ""
    start: str = ""
    end: str = ""
    at: str = ""
    cursor: str = ""
    said: list[tuple[str, str]] = field(default_factory=list)


def parse(pairs: Pairs) -> Asked:
    """Raises FhirError 400 for what cannot be used."""
    asked = Asked()
    for name, value in pairs:
        if name == "_cursor":
            asked.at, asked.cursor = _place(value)
            continue
        if name == "_count":
            if not value.isascii() or not value.isdigit() or len(value) > 9 or int(value) == 0:
                raise refused(400, "invalid", f"_count must be 1 or more, not {value[:40]!r}.", "_count")
            asked.count = min(int(value), LARGEST_PAGE)
        elif name == "_type":
            asked.types |= frozenset(value.split(","))
        elif name in ("_since", "start", "end"):
            _check_date(name, value)
            setattr(asked, name.removeprefix("_"), value)
        else:
            continue
        asked.said.append((name, value))
    unknown = sorted(asked.types - ROUTES.keys())
    if unknown:
        raise refused(400, "not-supported", f"This server does not keep {unknown[0][:60]!r} resources.", "_type")
    return asked


def _check_date(name: str, value: str) -> None:
    try:
        span(value.replace(" ", "+"), lenient=True)
    except ValueError as error:
        raise refused(400, "invalid", f"{name}: {error}", name) from error


def _place(text: str) -> tuple[str, str]:
    try:
        at, cursor = json.loads(base64.urlsafe_b64decode(text.encode() + b"=="))
        if at not in ROUTES and at != REFERENCED or not isinstance(cursor, str):
            raise ValueError
    except (ValueError, TypeError, binascii.Error, RecursionError) as error:
        raise refused(400, "invalid", "This page link is not one of ours; ask again from the start.") from error
    return at, cursor


def place_text(at: str, cursor: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([at, cursor]).encode()).decode().rstrip("=")


def page_of(asked: Asked, patient: str, call: Call) -> tuple[list[Entry], str | None]:
    """Entries of one page and the text of the place where the next begins, None at the end."""
    found: list[Entry] = []
    routes = {route.type: route for route in _routes(asked, call)}
    names = [*routes, REFERENCED]
    first = names.index(asked.at) if asked.at in names else 0
    cursor = asked.cursor if asked.at in names else ""
    for number, name in enumerate(names[first:], first):
        room = asked.count - len(found)
        if name == REFERENCED:
            entries, cursor = _referenced(asked, patient, cursor, room, call)
        else:
            entries, cursor = _some(routes[name], asked, patient, cursor, room, call)
        found += entries
        if cursor:
            return found, place_text(name, cursor)
        if len(found) >= asked.count and name != REFERENCED:
            return found, place_text(names[number + 1], "")
    return found, None


def _routes(asked: Asked, call: Call) -> Iterable[Route]:
    for route in ROUTES.values():
        wanted = route.type in asked.types if asked.types else route.type != "AuditEvent"
        own = route.type == "Patient" or route.param("patient") is not None
        if wanted and own and call.reach(route.type, "search-type"):
            yield route


def _some(route: Route, asked: Asked, patient: str, cursor: str, room: int, call: Call) -> tuple[list[Entry], str]:
    """Up to `room` entries of a type, and where it goes on ("" at its end)."""
    if route.type == "Patient" and not asked.since:
        return [shelves.read(route, patient, call.reach)], ""
    pairs = [
        ("_id" if route.type == "Patient" else "patient", patient),
        *_restrictions(route, asked),
        ("_count", str(room)),
    ]
    if cursor:
        pairs.append(("_cursor", cursor))
    page = run(grammar.parse(route, pairs, base=call.base, strict=True, now=call.place.now, reach=call.reach))
    return list(page.entries), page.cursor or ""


def _referenced(asked: Asked, patient: str, cursor: str, room: int, call: Call) -> tuple[list[Entry], str]:
    """Of the resources that the token may search, those that others share; `cursor`: place of the type and id."""
    among = [route.type for route in ROUTES.values() if route.patient and call.reach(route.type, "search-type")]
    wanted = [name for name in SHARED if (not asked.types or name in asked.types) and call.reach(name, "search-type")]
    if not wanted:
        return [], ""
    since = from_ms(span(asked.since.replace(" ", "+"), lenient=True).low_ms) if asked.since else None
    rows = referenced(patient, among=among, wanted=wanted, since=since, after=_after(cursor), limit=room + 1)
    page = [shelves.of_document(row) for row in rows[:room]]
    last = page[-1] if page else None
    entries = [one for one in page if call.reach.sees(one, "search-type")]
    more = f"{SHARED.index(last.type)}/{last.fhir_id}" if last and len(rows) > room else ""
    return entries, more


def _after(cursor: str) -> Reference:
    place, _, fhir_id = cursor.partition("/")
    return (int(place), fhir_id) if place.isascii() and place.isdigit() and len(place) < 3 else (-1, "")


def _restrictions(route: Route, asked: Asked) -> Iterable[tuple[str, str]]:
    if asked.since:
        yield "_lastUpdated", f"ge{asked.since}"
    care = next((name for name in CARE_DATES if route.param(name)), "")
    if care and asked.start:
        yield care, f"ge{asked.start}"
    if care and asked.end:
        yield care, f"le{asked.end}"
