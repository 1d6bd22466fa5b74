"""Whether index entries in hand satisfy a criterion: the same rules as the database's (`selectors.fhir_criteria`)."""

from collections.abc import Iterable, Sequence

from recovery.selectors.fhir_criteria import CANONICAL, Criterion, Match, above
from recovery.services.intake import IndexEntry


def holds(criterion: Criterion, entries: Iterable[IndexEntry], name: str = "") -> bool:
    """`name`: the resource's own, as Type/id, which others may refer to."""
    if criterion.kind == "any":
        entries = list(entries)
        return any(holds(one, entries, name) for one in criterion.any_of)
    if criterion.kind == "all":
        entries = list(entries)
        return all(holds(one, entries, name) for one in criterion.any_of)
    if criterion.kind == "named":
        return name in criterion.names
    if criterion.kind == "has":
        return name in criterion.resolved
    if criterion.kind == "composite":
        return _together(criterion, list(entries))
    mine = [entry for entry in entries if entry.param == criterion.param]
    if criterion.kind == "chain":
        return any(entry.value in criterion.resolved for entry in mine)
    if criterion.kind == "within":
        return bool(mine) and all(entry.value in criterion.names for entry in mine)
    if criterion.missing is not None:
        return criterion.missing is not bool(mine)
    found = any(entry_matches(criterion.kind, match, entry) for entry in mine for match in criterion.matches)
    return found is not criterion.negated


def _together(criterion: Criterion, entries: Sequence[IndexEntry]) -> bool:
    """All components of a composite in one part of the resource."""
    for match in criterion.matches:
        parts = [
            {entry.part for entry in entries if entry.param == param and entry_matches(kind, one, entry)}
            for (param, kind), one in zip(criterion.components, match.parts, strict=True)
        ]
        if set.intersection(*parts):
            return True
    return False


def entry_matches(kind: str, match: Match, entry: IndexEntry) -> bool:
    if kind == "date":
        return in_time(match, entry.low_ms, entry.high_ms)
    if kind == "string":
        return _string_matches(match, entry)
    if kind == "uri" and match.how != "eq":
        value = match.value or ""
        return entry.value.startswith(value) if match.how == "below" else entry.value in above(value)
    if match.system not in (None, entry.system) or match.value not in (None, entry.value):
        return False
    if kind not in ("number", "quantity"):
        return True
    if match.system is None and entry.system.startswith(CANONICAL):
        return False
    return in_numbers(match, entry.number, entry.number_high)


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


def in_numbers(match: Match, low: float | None, high: float | None) -> bool:
    """R4 number prefixes between what was asked for and what may be any number from low to high."""
    if low is None or high is None:
        return False
    inside = low >= match.low and high < match.high
    tests = {
        "eq": inside,
        "ne": not inside,
        "gt": high > match.low,
        "lt": low < match.low,
        "ge": high >= match.low,
        "le": low <= match.low,
        "sa": low > match.low,
        "eb": high < match.low,
        "overlap": high >= match.low and low <= match.high,
    }
    return tests[match.how]
