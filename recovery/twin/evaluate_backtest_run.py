"""Offline only: replays a group of patients look by look, and tells what the product would have said.

Looks are at whole hours after surgery. At a look a patient is judged when something new arrived since the last look,
or nothing did for `QUIET_H` hours: as live, where readings wake the twin and silence is looked at again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from recovery.twin.daily_forecast import ForecastRow, forecast_rows
from recovery.twin.evaluate_backtest_bins import dated_bins
from recovery.twin.evaluate_backtest_judge import HOURLY_FRESH_H, Judge, Judgement, Look
from recovery.twin.evaluate_backtest_subjects import BASELINE_HOURS, Knowledge, Known, Subject
from recovery.twin.evaluate_backtest_twins import CohortTwin, Features, Row
from recovery.twin.measurement import Ints
from recovery.twin.metrics import METRICS
from recovery.twin.params import PopulationParams
from recovery.twin.profile import Profile
from recovery.twin.risk import RiskEstimate
from recovery.twin.state import TwinState
from recovery.twin.surprise import MetricFeatures, RecoveryFeatures, has_blocks
from recovery.twin.surprise_blocks import Blocks

EVERY_H = 1
QUIET_H = 6
LAST_H = 720
RISK_DAYS = (1, 2, 3, 4, 5, 7, 10, 14, 21)
FORECAST_DAYS = (3, 7, 14)


class Raised(NamedTuple):
    hour: int
    cause: str
    kind: str
    severity: str


class Forecast(NamedTuple):
    """own: what the twin says. norm: what it would say of this patient without any reading."""

    hour: int
    own: list[ForecastRow]
    norm: list[ForecastRow]


@dataclass
class Said:
    """Everything said of one subject. trace: (look, measures) of each look."""

    raised: list[Raised] = field(default_factory=list)
    risks: list[tuple[int, RiskEstimate]] = field(default_factory=list)
    forecasts: list[Forecast] = field(default_factory=list)
    trace: list[tuple[int, Mapping[str, float]]] = field(default_factory=list)
    inputs: list[tuple[int, Look]] = field(default_factory=list)


@dataclass(frozen=True)
class Plan:
    """params: the population. every: hours between looks. harvest: looks whose inputs are kept, for a fit."""

    params: PopulationParams
    every: int = EVERY_H
    harvest: frozenset[int] = frozenset()


def replay(subjects: Sequence[Subject], judge: Judge, plan: Plan) -> list[Said]:
    """What would have been said of each subject, in the same order. Nothing said at a look depends on anything that
    arrived after it, so ending the looks earlier (`Subject.until_h`) leaves the earlier ones as they are."""
    return _Replay(subjects, judge, plan).run()


class _Replay:
    def __init__(self, subjects: Sequence[Subject], judge: Judge, plan: Plan) -> None:
        self.subjects, self.judge, self.plan = subjects, judge, plan
        self.said = [Said() for _ in subjects]
        self.memory: list[Mapping[str, Any]] = [{} for _ in subjects]
        self.knowledge = [Knowledge(subject) for subject in subjects]
        self.known = [knowledge.at(0.0) for knowledge in self.knowledge]
        self.ends = np.array([_end(subject) for subject in subjects])
        self.looked = np.zeros(len(subjects), np.int64)
        rows = [row for i in range(len(subjects)) for row in self._rows(i)]
        self.twins = CohortTwin(rows, LAST_H, plan.params.version, plan.params.outlier_bound) if rows else None
        self.absent = {
            key: MetricFeatures(key, None, 0, None, None, None, 0.0, None, False, m.worse_sign)
            for key, m in METRICS.items()
        }

    def _rows(self, index: int) -> Iterator[Row]:
        case, profile = self.subjects[index].case, self.known[index].profile
        for key, samples in case.samples.items():
            near = samples.hours >= -BASELINE_HOURS
            if key not in METRICS or not near.any():
                continue
            params = self.plan.params.for_metric(key, profile)
            bins, seen = dated_bins(METRICS[key], samples.take(near), case.arrived[key][near], self.plan.every, params)
            yield Row(index, key, params, bins, seen)

    def run(self) -> list[Said]:
        for look in range(0, LAST_H + 1, self.plan.every):
            alive = look < self.ends
            if not alive.any():
                break
            news = self._move(look)
            if look:
                self._look(look, alive, news)
        return self.said

    def _move(self, look: int) -> Ints:
        """The twins at `look`, what is known of patients too; indices of those of whom something is new."""
        new = [i for i, knowledge in enumerate(self.knowledge) if self._learn(i, knowledge.at(look))]
        if self.twins is None:
            return np.array(new, np.int64)
        rows = self.twins.move_to(look)
        for i in new:
            self._rebind(i)
        return np.union1d(self.twins.patient[rows], np.array(new, np.int64))

    def _learn(self, index: int, known: Known) -> bool:
        before, self.known[index] = self.known[index], known
        return before is not known and before.profile != known.profile

    def _rebind(self, index: int) -> None:
        if self.twins is None:
            return
        for row in np.flatnonzero(self.twins.patient == index).tolist():
            key = self.twins.rows[row].metric
            self.twins.rebind(row, self.plan.params.for_metric(key, self.known[index].profile))

    def _look(self, look: int, alive: np.ndarray[Any, np.dtype[np.bool_]], news: Ints) -> None:
        due = look - self.looked >= QUIET_H
        due[news] = True
        day, rest = divmod(look, 24)
        with_risks = rest == 0 and day in RISK_DAYS
        planned = rest == 0 and (with_risks or day in FORECAST_DAYS or look in self.plan.harvest)
        if planned:
            due[:] = True
        chosen = np.flatnonzero(due & alive)
        if not len(chosen):
            return
        self.looked[chosen] = look
        looks = self._looks(look, chosen)
        for i, one, judgement in zip(
            chosen.tolist(), looks, self.judge.judge(looks, with_risks=with_risks), strict=True
        ):
            self._keep(i, look, one, judgement)
        if rest == 0 and day in FORECAST_DAYS:
            for i, one in zip(chosen.tolist(), looks, strict=True):
                self.said[i].forecasts.append(self._forecast(one, look))

    def _keep(self, index: int, look: int, one: Look, judgement: Judgement) -> None:
        said = self.said[index]
        self.memory[index] = judgement.memory
        said.raised += [Raised(look, c.cause, c.kind, c.severity) for c in judgement.raised]
        said.risks += [(look, estimate) for estimate in judgement.risks]
        said.trace.append((look, judgement.measures))
        if look in self.plan.harvest:
            said.inputs.append((look, one))

    def _forecast(self, look: Look, hour: int) -> Forecast:
        own = forecast_rows(look.state(), self.plan.params, look.profile, float(hour))
        return Forecast(hour, own, forecast_rows(None, self.plan.params, look.profile, float(hour)))

    def _looks(self, look: int, chosen: Ints) -> list[Look]:
        seen = None if self.twins is None else self.twins.features(self.twins.rows_of(chosen))
        tables = _by_patient(seen, self.twins)
        return [self._look_at(i, look, tables.get(i, _NOTHING)) for i in chosen.tolist()]

    def _look_at(self, index: int, look: int, seen: _Seen) -> Look:
        known, knowledge = self.known[index], self.knowledge[index]
        return Look(
            patient=self.subjects[index].case.patient,
            hour=float(look),
            profile=known.profile,
            factors=known.factors,
            diagnosed=knowledge.diagnosed(look),
            features=self._features(known.profile, look, seen),
            newest=seen.newest,
            refused=seen.refused,
            labs=knowledge.labs(look),
            memory=self.memory[index],
            state=partial(self._state, index),
        )

    def _features(self, profile: Profile, look: int, seen: _Seen) -> RecoveryFeatures:
        version, found = self.plan.params.version, {**self.absent, **seen.metrics}
        return RecoveryFeatures(float(look), version, profile.curve, profile.curve_is_generic, found, seen.blocks)

    def _state(self, index: int) -> TwinState | None:
        return None if self.twins is None else self.twins.state(index)


class _Seen(NamedTuple):
    metrics: dict[str, MetricFeatures]
    newest: dict[str, float]
    refused: dict[str, float]
    blocks: dict[str, Blocks]


_NOTHING = _Seen({}, {}, {}, {})


def _by_patient(seen: Features | None, twins: CohortTwin | None) -> dict[int, _Seen]:
    if seen is None or twins is None:
        return {}
    columns = [
        [None if value != value else value for value in column.tolist()]
        for column in (seen.mean_surprise, seen.z, seen.level, seen.expected)
    ]
    plain = [a.tolist() for a in (seen.count_24h, seen.worn_fraction, seen.age_h, seen.baseline_is_known, seen.scatter)]
    newest, refused = seen.newest.tolist(), seen.refused_share.tolist()
    found: dict[int, _Seen] = {}
    for n, row in enumerate(seen.rows.tolist()):
        key, patient = twins.rows[row].metric, twins.rows[row].patient
        mine = found.get(patient)
        if mine is None:
            mine = found[patient] = _Seen({}, {}, {}, {})
        surprise, z, level, expected = (column[n] for column in columns)
        count, worn, age, known, scatter = (column[n] for column in plain)
        mine.metrics[key] = MetricFeatures(
            key, surprise, count, z, level, expected, worn, age, known, METRICS[key].worse_sign, scatter
        )
        if newest[n] == newest[n] and age <= HOURLY_FRESH_H and METRICS[key].grain == "hour":
            mine.newest[key] = newest[n]
        if refused[n] == refused[n]:
            mine.refused[key] = refused[n]
        if has_blocks(key):
            mine.blocks[key] = Blocks(seen.blocks.mean[n], seen.blocks.n[n])
    return found


def _end(subject: Subject) -> float:
    """Hour from which nobody looks any more: death, the end of what was asked for, or after the last look."""
    died = np.inf if subject.case.died_h is None else subject.case.died_h
    return float(min(died, subject.until_h, LAST_H + 1))
