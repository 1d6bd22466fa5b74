"""Keeping twins: which samples to load, the fold, and what was known at an earlier time.

The numbers are `recovery.twin.fold`'s; here is only what to feed it.
"""

from dataclasses import dataclass
from datetime import datetime
from math import floor, inf

from recovery.models import Episode, Series, Twin
from recovery.services.factors import Known, known_at
from recovery.services.readings import Window, hour_of, load_samples, series_of
from recovery.twin.errors import TwinError
from recovery.twin.fold import Fold, Loaded, Request, fold_many, load
from recovery.twin.params import PopulationParams
from recovery.twin.state import TwinState, rewind_hour

DEFAULT_DAYS = 30
DAY = 24
LOOK_BACK_HOURS = 72


@dataclass(frozen=True, slots=True)
class Prepared:
    """One episode ready to be folded. `now_hour`: hours after surgery up to which the twin looks."""

    episode: Episode
    known: Known
    request: Request
    series: tuple[Series, ...]
    now_hour: float


@dataclass(frozen=True, slots=True)
class Folded:
    """One episode's twin after the fold, with all that the assessment needs."""

    episode: Episode
    known: Known
    loaded: Loaded
    fold: Fold
    series: tuple[Series, ...]
    now_hour: float


def window_end(episode: Episode) -> float:
    """Hours after surgery at which the episode's pathway ends; the twin looks no further."""
    return 24.0 * (episode.pathway.days if episode.pathway else DEFAULT_DAYS)


def look_until(episode: Episode, now: datetime) -> float:
    return min(hour_of(episode, now.timestamp() * 1000), window_end(episode))


def prepare(
    episode: Episode, stored: Twin | None, dirty_from_ms: int | None, now: datetime, params: PopulationParams
) -> Prepared:
    """Load what the fold needs: from the checkpoint before the earliest new reading on, or everything.

    Everything is loaded when facts of the patient changed (`dirty_from_ms` None), when the stored state cannot be
    read or is another model version's, and when surgery moved so that the twin had looked further than now.
    """
    until = look_until(episode, now)
    state = _readable(stored, params.version)
    if dirty_from_ms is None or state is None or state.until_hour > until:
        state, dirty_from = None, -inf
    else:
        dirty_from = hour_of(episode, dirty_from_ms)
    known = known_at(episode, now)
    start = rewind_hour(state, dirty_from)
    # A little more than the fold asks for, so that the assessment sees the newest value of every metric.
    since = min(start, DAY * floor(until / DAY) - LOOK_BACK_HOURS)
    series = series_of(episode)
    loaded = load(load_samples(episode, series, Window(since, until)), until, since, known.aids)
    return Prepared(episode, known, Request(state, known.profile, loaded, dirty_from), series, until)


def _readable(stored: Twin | None, version: str) -> TwinState | None:
    if stored is None:
        return None
    try:
        state = TwinState.from_plain(stored.state)
    except TwinError:
        return None
    return state if state.model_version == version else None


def fold_prepared(prepared: list[Prepared], params: PopulationParams) -> list[Folded]:
    """All of them in one passage through the filter."""
    folds = fold_many([one.request for one in prepared], params)
    return [
        Folded(one.episode, one.known, one.request.loaded, fold, one.series, one.now_hour)
        for one, fold in zip(prepared, folds, strict=True)
    ]


def rebuild(
    episode: Episode,
    now: datetime,
    params: PopulationParams,
    *,
    known_by: datetime | None = None,
    until_hour: float | None = None,
) -> Folded:
    """The twin from all readings up to `now` (or `until_hour`); with `known_by`, from what was received by then."""
    until = look_until(episode, now) if until_hour is None else until_hour
    known = known_at(episode, known_by or now)
    series = series_of(episode)
    loaded = load(load_samples(episode, series, Window(-inf, until, known_by)), until, aids=known.aids)
    prepared = Prepared(episode, known, Request(None, known.profile, loaded), series, until)
    return fold_prepared([prepared], params)[0]
