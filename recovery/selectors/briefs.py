"""The little of each snapshot that sorting a whole ward needs, remembered by this process while it holds.

A snapshot is some 30 kB of JSON; a ward of 2,000 would be 60 MB for every view of a list. A snapshot's content changes
only together with its `made_at`, so (id, made_at) is a safe key: whoever else rewrote it is noticed.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models.fields.json import KT

from recovery.models import Snapshot
from recovery.selectors.snapshot import headline_of

MOST_REMEMBERED = 20_000


@dataclass(frozen=True, slots=True)
class Brief:
    """`upper`: upper end of the interval of the headline risk, 0..1 (0 when it is withheld)."""

    made_at: datetime
    state: str
    upper: float


_remembered: dict[int, Brief] = {}


def briefs_of(current: Iterable[tuple[int, int, datetime]]) -> dict[int, Brief]:
    """By episode id, from (snapshot id, episode id, made_at) of the current snapshots; at most one query."""
    rows = list(current)
    known = {pk: _remembered.get(pk) for pk, _, _ in rows}
    missing = [pk for pk, _, made_at in rows if known[pk] is None or known[pk].made_at != made_at]  # type: ignore[union-attr]
    read = _read(missing) if missing else {}
    found = {episode: read.get(pk) or known[pk] for pk, episode, _ in rows}
    return {episode: brief for episode, brief in found.items() if brief is not None}


def _read(pks: list[int]) -> dict[int, Brief]:
    said = Snapshot.objects.filter(pk__in=pks)
    rows = said.values_list("pk", "made_at", KT("content__state"), KT("content__risks"))
    read = {pk: Brief(made_at, state or "no_data", upper_bound(_list(risks))) for pk, made_at, state, risks in rows}
    if len(_remembered) + len(read) > MOST_REMEMBERED:
        _remembered.clear()
    _remembered.update(read)
    return read


def upper_bound(risks: Iterable[Mapping[str, Any]]) -> float:
    chosen = headline_of(risks)
    return float(chosen.get("high") or chosen.get("probability") or 0.0)


def _list(text: str | None) -> list[Any]:
    return json.loads(text) if text else []
