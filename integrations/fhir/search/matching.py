"""Whether index entries in hand satisfy a criterion: the same rules as the database's (`selectors.fhir_search`)."""

from collections.abc import Iterable

from recovery.selectors.fhir_search import Criterion, Match
from recovery.services.intake import IndexEntry


def holds(criterion: Criterion, entries: Iterable[IndexEntry]) -> bool:
    mine = [entry for entry in entries if entry.param == criterion.param]
    if criterion.missing is not None:
        return criterion.missing is not bool(mine)
    found = any(_matches(criterion.kind, match, entry) for entry in mine for match in criterion.matches)
    return found is not criterion.negated


def _matches(kind: str, match: Match, entry: IndexEntry) -> bool:
    if kind == "date":
        return in_time(match, entry.low_ms, entry.high_ms)
    if kind == "string":
        return _string_matches(match, entry)
    return (match.system is None or match.system == entry.system) and match.value in (None, entry.value)


def _string_matches(match: Match, entry: IndexEntry) -> bool:
    value = match.value or ""
    if match.how == "exact":
        return entry.system == value
    return value in entry.value if match.how == "contains" else entry.value.startswith(value)


def in_time(match: Match, low: int | None, high: int | None) -> bool:
    """R4 date prefixes between [match.low_ms, match.high_ms) and [low, high); None reaches for ever."""
    starts_in, ends_in = low is not None and low >= match.low_ms, high is not None and high <= match.high_ms
    ends_after, starts_before = high is None or high > match.high_ms, low is None or low < match.low_ms
    tests = {
        "eq": starts_in and ends_in,
        "ne": not (starts_in and ends_in),
        "gt": ends_after,
        "lt": starts_before,
        "ge": starts_in or ends_after,
        "le": ends_in or starts_before,
        "sa": low is not None and low >= match.high_ms,
        "eb": high is not None and high <= match.low_ms,
        "overlap": (low is None or low < match.high_ms) and (high is None or high > match.low_ms),
    }
    return tests[match.how]
