"""Folding samples into a twin: live, late and rebuilt are the same call.

Contract for the service: find the earliest hour a new, changed or late sample touches (`dirty_from_hour`), ask
`state.rewind_hour(state, dirty_from_hour)`, load every known sample timed at or after the answer, `load` them
and `fold`. The result equals a rebuild from all samples to 1e-9.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np

from recovery.twin.errors import BackwardsInTime, ModelMismatch
from recovery.twin.filter import Belief, Readings, advance, batch_last, initial
from recovery.twin.gait_aid import AidUse, as_walked
from recovery.twin.measurement import Measured, Measurements, Samples, measure
from recovery.twin.metrics import METRICS, metric
from recovery.twin.params import MetricParams, PopulationParams, stack
from recovery.twin.profile import Profile
from recovery.twin.scorecard import Card, tally
from recovery.twin.state import (
    DAY,
    Checkpoint,
    Memory,
    MetricState,
    TwinState,
    checkpoint_at,
    mirrored,
    retained_hours,
    rewind_hour,
)
from recovery.twin.surprise_blocks import SPAN_H
from recovery.twin.transform import Floats
from recovery.twin.wear import learned

Verdict = Literal["accepted", "down-weighted"]


@dataclass(frozen=True)
class Loaded:
    """Measured samples of one patient timed in [from_hour, until_hour], by metric key. aids: walking aids in use."""

    from_hour: float
    until_hour: float
    by_metric: Mapping[str, Measured]
    aids: tuple[AidUse, ...] = ()


@dataclass(frozen=True)
class Judged:
    """What the filter made of each measurement of one metric in this fold, arrays (n,), in time order.

    surprises: standardised innovations. weights: 1 whole, below 1 down-weighted. Samples refused by the gate are
    in `Measured.rejected`.
    """

    measurements: Measurements
    surprises: Floats
    weights: Floats

    def verdicts(self) -> list[tuple[Verdict, str]]:
        """Per measurement: the gate decision and its reason in words."""
        return [
            ("accepted", "as expected") if w >= 1.0 else ("down-weighted", f"{abs(z):.1f} SD from expectation")
            for z, w in zip(self.surprises, self.weights, strict=True)
        ]


class Fold(NamedTuple):
    """The twin after the fold, and what became of each measurement in it."""

    state: TwinState
    judged: dict[str, Judged]


@dataclass(frozen=True)
class Request:
    """One patient's fold: state None for a twin that does not exist yet."""

    state: TwinState | None
    profile: Profile
    loaded: Loaded
    dirty_from_hour: float = -np.inf


@dataclass(frozen=True)
class _Row:
    """One metric of one patient on its way through the filter; cuts[k]: measurements before boundary k."""

    key: str
    params: MetricParams
    memory: Memory
    measurements: Measurements
    readings: Readings
    cuts: tuple[int, ...]


@dataclass(frozen=True)
class _Plan:
    request: Request
    start: float
    boundaries: tuple[int, ...]
    rows: tuple[_Row, ...]


@dataclass(frozen=True)
class _Track:
    """One row's passage: a memory per boundary and one at the end, with surprises and weights of all steps."""

    memories: list[Memory] = field(default_factory=list)
    surprises: list[Floats] = field(default_factory=list)
    weights: list[Floats] = field(default_factory=list)


def load(
    samples: Mapping[str, Samples], until_hour: float, from_hour: float = -np.inf, aids: tuple[AidUse, ...] = ()
) -> Loaded:
    """Measures every metric's samples timed in [from_hour, until_hour]; keys as in `METRICS`."""
    timely = {key: s.take(s.hours >= from_hour) for key, s in samples.items()}
    return Loaded(from_hour, until_hour, {k: measure(metric(k), s, until_hour) for k, s in timely.items()}, aids)


def fold(
    state: TwinState | None,
    params: PopulationParams,
    profile: Profile,
    measurements_since: Loaded,
    dirty_from_hour: float = -np.inf,
) -> Fold:
    """One patient's twin with the samples in `measurements_since` folded in (module docstring: the contract).

    Raises `BackwardsInTime` when samples were loaded from too late an hour, or until an earlier hour than the
    state has already reached; `ModelMismatch` when the state was made by another model version.
    """
    return fold_many([Request(state, profile, measurements_since, dirty_from_hour)], params)[0]


def fold_many(requests: Sequence[Request], params: PopulationParams) -> list[Fold]:
    """`fold` for many patients in one passage through the filter; same results, same order."""
    plans = [_plan(request, params) for request in requests]
    tracks = iter(_run_by_length([row for plan in plans for row in plan.rows], params.outlier_bound))
    return [_finished(plan, [next(tracks) for _ in plan.rows], params.version) for plan in plans]


def _plan(request: Request, params: PopulationParams) -> _Plan:
    _check(request, params)
    start = rewind_hour(request.state, request.dirty_from_hour)
    until, by_metric = request.loaded.until_hour, request.loaded.by_metric
    firsts = [m.first_sample_hour for m in by_metric.values() if m.first_sample_hour is not None]
    first = start if np.isfinite(start) else min(firsts, default=np.inf)
    boundaries = retained_hours(first, until) if np.isfinite(first) else ()
    checkpoint = checkpoint_at(request.state, start)
    known = set(request.state.metrics) if request.state else set()
    seen = {key for key, m in by_metric.items() if m.last_sample_hour is not None}
    rows = [
        _row(
            key,
            params.for_metric(key, request.profile),
            checkpoint,
            by_metric.get(key),
            start,
            boundaries,
            request.loaded.aids,
        )
        for key in METRICS
        if key in (known | seen) & params.by_metric.keys()
    ]
    return _Plan(request, start, boundaries, tuple(rows))


def _check(request: Request, params: PopulationParams) -> None:
    state, loaded = request.state, request.loaded
    if state and state.model_version != params.version:
        raise ModelMismatch(f"twin of model {state.model_version} given to model {params.version}; rebuild it")
    if state and loaded.until_hour < state.until_hour:
        raise BackwardsInTime("a twin cannot be folded back to an earlier hour; rebuild it from no state")
    start = rewind_hour(state, request.dirty_from_hour)
    if loaded.from_hour > start:
        raise BackwardsInTime(f"samples are needed from hour {start:g}, but were loaded from {loaded.from_hour:g}")


def _row(
    key: str,
    params: MetricParams,
    checkpoint: Checkpoint | None,
    measured: Measured | None,
    start: float,
    boundaries: tuple[int, ...],
    aids: tuple[AidUse, ...],
) -> _Row:
    memory = checkpoint.memories.get(key) if checkpoint else None
    measured = measured or Measured.nothing()
    found = measured.measurements.take(measured.measurements.start >= start)
    value, unsure = as_walked(metric(key), found, _learned(key, params, found, measured), aids)
    readings = Readings(found.at, value, params.noise_var(found.tier, found.n) + unsure)
    cuts = tuple(int(n) for n in np.searchsorted(found.end, boundaries, side="right"))
    return _Row(key, params, memory or Memory(initial(params), Card()), found, readings, cuts)


def _learned(key: str, params: MetricParams, found: Measurements, measured: Measured) -> tuple[Floats, Floats]:
    """Model values and added noise. Days are completed only under a learned day law: it alone knows how totals as
    counted lie below whole days, so without it a forecast from completed days would be too high."""
    if params.day_law is None:
        return metric(key).transform.forward(found.value), np.zeros(len(found.value))
    return learned(metric(key), found, measured.worn_hours, float(params.clock_hour))


def _run_by_length(rows: Sequence[_Row], bound: float) -> list[_Track]:
    """`_run` on the long rows and on the short ones apart: a row of days padded to one of hours is mostly padding."""
    longest = max((len(row.readings.at) for row in rows), default=0)
    short = [4 * len(row.readings.at) < longest for row in rows]
    groups = {
        kind: iter(_run([r for r, s in zip(rows, short, strict=True) if s is kind], bound)) for kind in set(short)
    }
    return [next(groups[kind]) for kind in short]


def _run(rows: Sequence[_Row], bound: float) -> list[_Track]:
    """All rows through the filter, segment by segment; a segment ends at each row's next checkpoint."""
    tracks = [_Track() for _ in rows]
    if not rows:
        return tracks
    params = stack([row.params for row in rows])
    belief = _stacked([row.memory.belief for row in rows])
    cards = np.stack([row.memory.card.as_array() for row in rows])
    for k in range(1 + max(len(row.cuts) for row in rows)):
        readings = _padded([_segment(row, k) for row in rows])
        out = advance(belief, params, readings, bound)
        belief = out.belief._replace(cov=mirrored(out.belief.cov))
        cards = cards + tally(out.surprises, out.residuals, out.population_residuals)
        for i, track in enumerate(tracks):
            n = len(_segment(rows[i], k).at)
            track.memories.append(Memory(Belief(*(np.array(a[i]) for a in belief)), Card(*map(float, cards[i]))))
            track.surprises.append(out.surprises[i, :n])
            track.weights.append(out.weights[i, :n])
    return tracks


def _segment(row: _Row, k: int) -> Readings:
    edges = (0, *row.cuts, len(row.readings.at))
    return Readings(*(a[edges[k] : edges[k + 1]] if k + 1 < len(edges) else a[:0] for a in row.readings))


def _padded(readings: Sequence[Readings]) -> Readings:
    """Readings of unequal length as (n, T) arrays, nan at the end."""
    arrays = np.full((3, len(readings), max(len(r.at) for r in readings)), np.nan)
    for i, reading in enumerate(readings):
        arrays[:, i, : len(reading.at)] = reading
    return Readings(*arrays)


def _stacked(beliefs: Sequence[Belief]) -> Belief:
    mean, cov, at = (np.stack([np.asarray(b[f]) for b in beliefs]) for f in range(3))
    return Belief(batch_last(mean, 1), batch_last(cov, 2), at)


def _finished(plan: _Plan, tracks: Sequence[_Track], version: str) -> Fold:
    state, until = plan.request.state, plan.request.loaded.until_hour
    metrics = {row.key: _metric_state(plan, row, track) for row, track in zip(plan.rows, tracks, strict=True)}
    made = [
        Checkpoint(hour, {r.key: t.memories[k] for r, t in zip(plan.rows, tracks, strict=True) if t.memories[k].card.n})
        for k, hour in enumerate(plan.boundaries)
    ]
    wanted = set(retained_hours(min((c.hour for c in state.checkpoints), default=0) - 1, until)) if state else set()
    kept = [c for c in state.checkpoints if c.hour <= plan.start and c.hour in wanted] if state else []
    judged = {
        row.key: Judged(row.measurements, np.concatenate(track.surprises), np.concatenate(track.weights))
        for row, track in zip(plan.rows, tracks, strict=True)
    }
    return Fold(TwinState(version, until, metrics, (*kept, *made)), judged)


def _metric_state(plan: _Plan, row: _Row, track: _Track) -> MetricState:
    """The metric now: older recent entries that the replay did not touch, then the replayed ones."""
    old = plan.request.state.metrics.get(row.key) if plan.request.state else None
    measured = plan.request.loaded.by_metric.get(row.key) or Measured.nothing()
    since = plan.request.loaded.until_hour - DAY
    hours, surprises = row.measurements.at, np.concatenate(track.surprises)
    worn = [h for h in measured.worn_hours[-DAY - 1 :] if h >= max(plan.start, since)]
    lasts = [measured.last_sample_hour]
    if old:
        untouched = old.recent_hours + (0 if metric(row.key).grain == "day" else 1) <= plan.start
        hours = np.concatenate([old.recent_hours[untouched], hours])
        surprises = np.concatenate([old.recent_surprises[untouched], surprises])
        worn = [h for h in old.worn_hours if since <= h < plan.start] + worn
        lasts.append(old.last_reading_hour)
    recent = hours >= plan.request.loaded.until_hour - SPAN_H
    return MetricState(
        track.memories[-1],
        hours[recent],
        surprises[recent],
        tuple(worn),
        max((h for h in lasts if h is not None), default=None),
    )
