"""Stretches of time in which the start of a reading must lie, for the date criteria of a search.

A Window is [from, to) in ms, None reaching for ever; Windows are alternatives, oldest first and apart.
"""

from collections.abc import Sequence

from recovery.selectors.fhir_criteria import Criterion, Match
from recovery.selectors.fhir_streams import Window, Windows

FIRST_MS, LAST_MS = -(2**62), 2**62
SECOND_MS = 1000


def exact(criterion: Criterion, width_ms: int) -> Windows:
    """Where readings that each cover [start, start + width) must start: exactly what `date` says of them."""
    found = _joined([edge for match in criterion.matches for edge in _starts(match, width_ms)])
    return _windows(_complement(found) if criterion.negated else found)


def rough(criterion: Criterion) -> Windows:
    """Stretches that every reading which satisfies the criterion touches; others may touch them too."""
    return _windows(_joined([edge for match in criterion.matches for edge in _touches(match)]))


def intersected(groups: Sequence[Windows]) -> Windows:
    found = [(FIRST_MS, LAST_MS)]
    for windows in groups:
        edges = [(_low(low), _high(high)) for low, high in windows]
        pairs = [(max(low, start), min(high, end)) for low, high in found for start, end in edges]
        found = [(low, high) for low, high in pairs if low < high]
    return _windows(found)


def _starts(match: Match, width: int) -> list[tuple[int, int]]:
    low, high = match.low_ms, match.high_ms
    ends_within = high - width + 1  # starts before this end by `high`
    tests = {
        "eq": [(low, ends_within)],
        "ne": [(FIRST_MS, low), (max(low, ends_within), LAST_MS)],
        "gt": [(ends_within, LAST_MS)],
        "lt": [(FIRST_MS, low)],
        "ge": [(min(low, ends_within), LAST_MS)],
        "le": [(FIRST_MS, max(low, ends_within))],
        "sa": [(high, LAST_MS)],
        "eb": [(FIRST_MS, low - width + 1)],
        "overlap": [(low - width + 1, high)],
    }
    return [edge for edge in tests[match.how] if edge[0] < edge[1]]


def _touches(match: Match) -> list[tuple[int, int]]:
    """An end written to the second means the whole second, so a second is given to the early side."""
    low, high = match.low_ms, match.high_ms
    tests = {
        "eq": [(low, high)],
        "ne": [(FIRST_MS, LAST_MS)],
        "gt": [(high, LAST_MS)],
        "lt": [(FIRST_MS, low)],
        "ge": [(low, LAST_MS)],
        "le": [(FIRST_MS, max(low, high))],
        "sa": [(high, LAST_MS)],
        "eb": [(FIRST_MS, low)],
        "overlap": [(low, high)],
    }
    return [(start - SECOND_MS, end) for start, end in tests[match.how]]


def _joined(edges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for low, high in sorted(edges):
        if found and low <= found[-1][1]:
            found[-1] = (found[-1][0], max(high, found[-1][1]))
        else:
            found.append((low, high))
    return found


def _complement(edges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    marks = [FIRST_MS, *(mark for edge in edges for mark in edge), LAST_MS]
    return [(low, high) for low, high in zip(marks[::2], marks[1::2], strict=True) if low < high]


def _windows(edges: Sequence[tuple[int, int]]) -> Windows:
    found: list[Window] = [(None if low <= FIRST_MS else low, None if high >= LAST_MS else high) for low, high in edges]
    return tuple(found)


def _low(low: int | None) -> int:
    return FIRST_MS if low is None else low


def _high(high: int | None) -> int:
    return LAST_MS if high is None else high
