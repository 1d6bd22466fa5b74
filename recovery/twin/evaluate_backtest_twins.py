"""Offline only: the twins of many patients, carried from look to look by the one movement (`filter.advance`).

The same beliefs as `fold` gives for the same knowledge (a test holds the two together), at a fraction of the cost: a
row (patient x metric) moves only when something new is known of it, from the checkpoint before the earliest change,
and all such rows move in one passage.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recovery.twin.evaluate_backtest_bins import DAY, Bins, Seen
from recovery.twin.filter import Belief, Readings, advance, decay, design
from recovery.twin.measurement import Ints
from recovery.twin.metrics import METRICS
from recovery.twin.params import BASELINE, DEVIATION, STATE_SIZE, MetricParams, stack, taken
from recovery.twin.scorecard import CARD_SIZE, Card, scatter_of, tally
from recovery.twin.state import Memory, MetricState, TwinState, mirrored
from recovery.twin.surprise import SURE_OF_BASELINE
from recovery.twin.surprise_blocks import SPAN_H, Blocks, table_blocks
from recovery.twin.transform import Floats

PER_ROW = (
    "prior_mean",
    "prior_cov",
    "covariate_effects",
    "tau_hours",
    "deviation_rate",
    "deviation_var",
    "sensor_noise_var",
    "sample_noise_var",
    "clock_hour",
    "lag_hours",
)
STEP = 6
"""Hours between checkpoints: devices upload about six-hourly, so that most readings replay one or two steps."""


@dataclass(frozen=True)
class Row:
    """One metric of one patient: bound parameters, dated bins and samples."""

    patient: int
    metric: str
    params: MetricParams
    bins: Bins
    seen: Seen


@dataclass(frozen=True)
class Features:
    """What `surprise.features` says, by row (n,), nan where not known; rows as given by `CohortTwin.rows_of`.

    newest: value of the newest bin of the last day, natural units. refused_share: of the last day's samples. blocks:
    surprises of the last three days (n, BLOCKS).
    """

    rows: Ints
    mean_surprise: Floats
    count_24h: Ints
    z: Floats
    level: Floats
    expected: Floats
    worn_fraction: Floats
    age_h: Floats
    baseline_is_known: NDArray[np.bool_]
    newest: Floats
    refused_share: Floats
    blocks: Blocks
    scatter: Floats


class CohortTwin:
    """Rows of many patients at one look; looks only go forward."""

    def __init__(self, rows: Sequence[Row], last_look: int, version: str, bound: float) -> None:
        self.rows = rows
        self.version, self.bound = version, bound
        self.patient = np.array([row.patient for row in rows], np.int64)
        self.params = stack([row.params for row in rows])
        self.day_grain = np.array([METRICS[row.metric].grain == "day" for row in rows])
        self._keys = np.array([row.metric for row in rows])
        places = [int(p.min()) for row in rows for p in (row.bins.place, np.floor(row.seen.hour)) if len(p)]
        self.first = DAY * int(np.floor(min([0, *places]) / DAY)) - SPAN_H - DAY
        self._make_tables(last_look)
        self._make_events()
        self.now = -1

    def _make_tables(self, last_look: int) -> None:
        n = len(self.rows)
        hours = STEP * ((last_look - self.first) // STEP + 2)
        self.value, self.noise, self.surprise = (np.full((n, hours), np.nan) for _ in range(3))
        self.worn = np.zeros((n, hours), bool)
        self.kept, self.refused = (np.zeros((n, hours), np.int16) for _ in range(2))
        self.last_hour = np.full(n, -np.inf)
        points = hours // STEP + 1
        self._mean = np.zeros((points, STATE_SIZE, n))
        self._cov = np.zeros((points, STATE_SIZE, STATE_SIZE, n))
        self._at = np.full((points, n), -np.inf)
        self._card = np.zeros((points, n, CARD_SIZE))
        self._mean[0], self._cov[0] = self.params.prior_mean.T, np.moveaxis(self.params.prior_cov, 0, -1)
        self.mean, self.cov = self._mean[0].copy(), self._cov[0].copy()
        self.at, self.card = self._at[0].copy(), self._card[0].copy()
        self._written = np.zeros(n, np.int64)

    def _make_events(self) -> None:
        of_bins = np.repeat(np.arange(len(self.rows)), [len(row.bins.look) for row in self.rows])
        look, place = (np.concatenate([row.bins[i] for row in self.rows]).astype(np.int64) for i in range(2))
        value, noise = (np.concatenate([row.bins[i] for row in self.rows]) for i in (2, 3))
        order = np.lexsort((place, of_bins, look))
        self._bins = (look[order], of_bins[order], (place - self.first)[order], value[order], noise[order])
        of_seen = np.repeat(np.arange(len(self.rows)), [len(row.seen.look) for row in self.rows])
        look, hour, accepted, worn = (np.concatenate([row.seen[i] for row in self.rows]) for i in range(4))
        order = np.argsort(look, kind="stable")
        self._seen = tuple(a[order] for a in (look, of_seen, hour, accepted, worn))

    def move_to(self, look: int) -> Ints:
        """Takes in what became known since the last look, up to hour `look`; returns the rows of which samples or
        bins are new."""
        touched_bins = self._learn_bins(look)
        touched = self._learn_samples(look)
        self.now = look
        if len(touched_bins):
            self._replay(*touched_bins)
        return touched

    def _between(self, looks: Ints, until: int) -> slice:
        return slice(*np.searchsorted(looks, [self.now, until], side="right"))

    def _learn_bins(self, until: int) -> tuple[Ints, ...]:
        part = self._between(self._bins[0], until)
        _, row, place, value, noise = (a[part] for a in self._bins)
        if not len(row):
            return ()
        self.value[row, place], self.noise[row, place] = value, noise
        rows, inverse = np.unique(row, return_inverse=True)
        earliest = np.full(len(rows), np.iinfo(np.int64).max)
        np.minimum.at(earliest, inverse, place)
        return rows, earliest

    def _learn_samples(self, until: int) -> Ints:
        part = self._between(self._seen[0], until)
        _, row, hour, accepted, worn = (a[part] for a in self._seen)
        np.maximum.at(self.last_hour, row[accepted], hour[accepted])
        place = np.floor(hour).astype(np.int64) - self.first
        self.worn[row[worn], place[worn]] = True
        np.add.at(self.kept, (row[accepted], place[accepted]), 1)
        np.add.at(self.refused, (row[~accepted], place[~accepted]), 1)
        return np.unique(row)

    def _replay(self, rows: Ints, earliest: Ints) -> None:
        """Carries `rows` from their checkpoint before place `earliest` to now, in steps of `STEP` hours."""
        start = np.minimum(earliest // STEP, self._written[rows])
        last = (self.now - self.first) // STEP
        mean, cov = self._mean[start, :, rows].T, np.moveaxis(self._cov[start, :, :, rows], 0, -1)
        mean, cov = np.ascontiguousarray(mean), np.ascontiguousarray(cov)
        at, card = self._at[start, rows], self._card[start, rows]
        for point in range(int(start.min()), last + 1):
            moving = start <= point
            window = slice(STEP * point, STEP * (point + 1))
            present = np.isfinite(self.value[rows, window])
            present[~moving] = False
            index = np.flatnonzero(present.any(axis=1))
            if len(index):
                belief, cards = self._step(rows[index], point, present[index], (mean, cov, at), index)
                mean[:, index], cov[:, :, index] = belief.mean.T, np.moveaxis(belief.cov, 0, -1)
                at[index] = belief.at
                card[index] += cards
            if point < last:
                some, there = np.flatnonzero(moving), rows[moving]
                self._mean[point + 1][:, there], self._cov[point + 1][:, :, there] = mean[:, some], cov[:, :, some]
                self._at[point + 1, there], self._card[point + 1, there] = at[some], card[some]
        self._written[rows] = last
        self.mean[:, rows], self.cov[:, :, rows], self.at[rows], self.card[rows] = mean, cov, at, card

    def _step(
        self, rows: Ints, point: int, present: NDArray[np.bool_], held: tuple[Floats, Floats, Floats], index: Ints
    ) -> tuple[Belief, Floats]:
        columns = STEP * point + np.flatnonzero(present.any(axis=0))
        there = (rows[:, None], columns)
        hours = np.where(np.isfinite(self.value[there]), self.first + columns + self.day_grain[rows][:, None], np.nan)
        mean, cov, at = held
        belief = Belief(mean[:, index].T, np.moveaxis(cov[:, :, index], -1, 0), at[index])
        readings = Readings(hours, self.value[there], self.noise[there])
        out = advance(belief, taken(self.params, rows), readings, self.bound)
        self.surprise[there] = out.surprises
        cards = tally(out.surprises, out.residuals, out.population_residuals)
        return out.belief._replace(cov=mirrored(out.belief.cov)), cards

    def rows_of(self, patients: Ints) -> Ints:
        """Rows with a sample, of the patients (ascending), in order of patient."""
        mine = np.isin(self.patient, patients) & np.isfinite(self.last_hour)
        return np.flatnonzero(mine)

    def features(self, rows: Ints) -> Features:
        """The numbers of `surprise.features` at the present look, for `rows`."""
        params, now = taken(self.params, rows), float(self.now)
        mean = self.mean[:, rows].T.copy()
        at = self.at[rows]
        mean[:, DEVIATION] *= decay(params, np.where(np.isfinite(at), np.maximum(now - at, 0.0), 0.0))
        h = design(params, np.full((len(rows), 1), now))[:, 0]
        norm = np.array(params.prior_mean)
        norm[:, BASELINE] = mean[:, BASELINE]
        read = self.card[rows, 0] > 0
        spread = np.sqrt(self.cov[BASELINE, BASELINE, rows] / params.prior_cov[:, BASELINE, BASELINE])
        surprise, count = self._lately(rows)
        return Features(
            rows,
            surprise,
            count,
            np.where(read, mean[:, DEVIATION] / np.sqrt(params.deviation_var), np.nan),
            self._natural(rows, np.einsum("nd,nd->n", h, mean), read),
            self._natural(rows, np.einsum("nd,nd->n", h, norm), read),
            self.worn[rows, self.now - self.first - DAY : self.now - self.first].sum(axis=1) / DAY,
            now - self.last_hour[rows],
            read & (spread < SURE_OF_BASELINE),
            self._natural(rows, self._newest(rows), read),
            self._refused(rows),
            self._blocks(rows),
            scatter_of(self.card[rows]),
        )

    def _blocks(self, rows: Ints) -> Blocks:
        here = self.now - self.first
        return table_blocks(self.surprise[rows, here - SPAN_H : here])

    def _newest(self, rows: Ints) -> Floats:
        """Value of the newest bin of the last day, model scale, nan without one."""
        here = self.now - self.first
        window = self.value[rows, here - DAY : here + 1]
        back = np.isfinite(window)[:, ::-1].argmax(axis=1)
        return np.asarray(window[np.arange(len(rows)), DAY - back])

    def _refused(self, rows: Ints) -> Floats:
        """Share of the last day's samples that the gate refused, nan without any."""
        window = slice(self.now - self.first - DAY, self.now - self.first + 1)
        refused = self.refused[rows, window].sum(axis=1)
        total = refused + self.kept[rows, window].sum(axis=1)
        return np.asarray(np.divide(refused, total, out=np.full(len(rows), np.nan), where=total > 0))

    def rebind(self, row: int, params: MetricParams) -> None:
        """New parameters for one row, because more is known of the patient: its whole past is carried anew."""
        for name in PER_ROW:
            getattr(self.params, name)[row] = getattr(params, name)
        self._mean[0][:, row], self._cov[0][:, :, row] = params.prior_mean, params.prior_cov
        self._written[row] = 0
        self._replay(np.array([row]), np.array([0]))

    def _lately(self, rows: Ints) -> tuple[Floats, Ints]:
        """Mean surprise of the last 24 h and how many; a day's total is conditioned on an hour after its place."""
        here = self.now - self.first
        window = self.surprise[rows, here - DAY - 1 : here + 1].copy()
        window[~self.day_grain[rows], 0] = np.nan
        there = np.isfinite(window)
        count = there.sum(axis=1)
        total = np.where(there, window, 0.0).sum(axis=1)
        return np.divide(total, count, out=np.full(len(rows), np.nan), where=count > 0), count

    def _natural(self, rows: Ints, values: Floats, read: NDArray[np.bool_]) -> Floats:
        out = np.full(len(rows), np.nan)
        keys = self._keys[rows]
        for key in np.unique(keys):
            mine = read & (keys == key)
            out[mine] = METRICS[str(key)].transform.inverse(values[mine])
        return out

    def state(self, patient: int) -> TwinState | None:
        """The patient's `TwinState` now, without checkpoints; None before the first sample."""
        rows = self.rows_of(np.array([patient])).tolist()
        if not rows:
            return None
        return TwinState(self.version, float(self.now), {self.rows[row].metric: self._metric(row) for row in rows})

    def _metric(self, row: int) -> MetricState:
        later = int(self.day_grain[row])
        places = np.flatnonzero(np.isfinite(self.surprise[row]))
        hours = self.first + places + later
        recent = (hours >= self.now - SPAN_H) & (hours <= self.now)
        worn = np.flatnonzero(self.worn[row]) + self.first
        memory = Memory(
            Belief(self.mean[:, row].copy(), self.cov[:, :, row].copy(), np.asarray(self.at[row])),
            Card(*map(float, self.card[row])),
        )
        return MetricState(
            memory,
            hours[recent].astype(float),
            self.surprise[row, places[recent]],
            tuple(worn[worn >= self.now - DAY].tolist()),
            float(self.last_hour[row]),
        )
