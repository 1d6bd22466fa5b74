"""Series that an administrator has given a metric: how they are told apart, and what new series inherit.

A series' hash is drawn from how the door read it. Mapping changes the row and not the hash: so the same messages go on
into the same series, and a row whose hash says "no metric" but which has one was mapped by a person.
"""

import hashlib
from collections.abc import Iterable
from functools import lru_cache

from recovery.models import Series
from recovery.services.intake import SeriesKey

Coding = tuple[str, str, str]  # system, code, unit
Reading = tuple[str, float, float]  # metric, scale, shift
UNREAD: Reading = ("", 1.0, 0.0)


@lru_cache(maxsize=20_000)
def series_hash(key: SeriesKey) -> str:
    """What makes two messages the same series: the template and how its numbers are to be read."""
    return _mark(key.shape, (key.metric, key.scale, key.shift), key.span_ms, key.source, key.template)


def _mark(shape: str, reading: Reading, span_ms: int, source: str, template: str) -> str:
    metric, scale, shift = reading
    said = "\x1f".join((shape, metric, repr(scale), repr(shift), str(span_ms), source, template))
    return hashlib.sha256(said.encode()).hexdigest()


def is_unread(row: Series) -> bool:
    """Whether the door found no metric for it, whatever an administrator has said since."""
    return row.template_hash == _mark(row.shape, UNREAD, row.span_ms, row.source, row.template)


def standing(codings: Iterable[Coding]) -> dict[Coding, Reading]:
    """How administrators have mapped these codes; those that nobody has mapped are left out."""
    wanted = set(codings)
    if not wanted:
        return {}
    rows = Series.objects.filter(code__in={code for _, code, _ in wanted}).exclude(metric="")
    return {
        coding: (row.metric, row.scale, row.shift)
        for row in rows
        if (coding := (row.system, row.code, row.unit)) in wanted and is_unread(row)
    }


def with_metric(series_ids: Iterable[int]) -> set[int]:
    return set(Series.objects.filter(pk__in=set(series_ids)).exclude(metric="").values_list("pk", flat=True))
