"""The little of each snapshot that sorting a whole ward needs, remembered by this process while it holds.

A snapshot is some 30 kB of JSON; a ward of 2,000 would be 60 MB for every view of a list. A snapshot's content changes
only together with its `made_at`, so (id, made_at) is a safe key: whoever else rewrote it is noticed.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import TextField
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Coalesce

from recovery.models import Snapshot
from recovery.snapshot_row import headline_of

STATES = ("act", "review", "watch", "on_track", "no_data")
MOST_REMEMBERED = 20_000


class Brief(NamedTuple):
    """`state`: one of STATES; `upper`: upper end of the interval of the headline risk, 0..1 (0 when it is withheld)."""

    made_at: datetime | None
    state: str
    upper: float


_remembered: dict[int, tuple[str, Brief]] = {}  # with the made_at that it holds for, as the store writes it
_NONE: tuple[str, Brief | None] = ("", None)


def briefs_of(current: Iterable[tuple[int, int, str]]) -> dict[int, Brief]:
    """By episode id, from (snapshot id, episode id, made_at as text) of the current snapshots; at most one query."""
    found, missing = {}, {}
    for pk, episode, made in current:
        as_made, known = _remembered.get(pk, _NONE)
        if known is not None and as_made == made:
            found[episode] = known
        else:
            missing[pk] = episode
    if missing:
        found |= {missing[pk]: brief for pk, brief in _read(list(missing)).items()}
    return found


def _read(pks: list[int]) -> dict[int, Brief]:
    said = Snapshot.objects.filter(pk__in=pks).annotate(made=Cast("made_at", TextField()))
    rows = said.values_list("pk", "made", "made_at", _short("state"), _short("risks"))
    read = {
        pk: (made, Brief(made_at, _state(state), upper_bound(_list(risks)))) for pk, made, made_at, state, risks in rows
    }
    if len(_remembered) + len(read) > MOST_REMEMBERED:
        _remembered.clear()
    _remembered.update(read)
    return {pk: brief for pk, (_, brief) in read.items()}


def _short(key: str) -> Coalesce:
    """From the row kept beside the content, as far as one is kept: it is a tenth of it."""
    return Coalesce(KT(f"row__{key}"), KT(f"content__{key}"))


def upper_bound(risks: Iterable[Mapping[str, Any]]) -> float:
    chosen = headline_of(risks)
    return float(chosen.get("high") or chosen.get("probability") or 0.0)


def _state(said: str | None) -> str:
    return said if said in STATES else "no_data"


def _list(text: str | None) -> list[Any]:
    return json.loads(text) if text else []
