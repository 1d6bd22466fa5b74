"""Offline only: what the twin knew of every patient at landmark hours, and what happened afterwards.

One row is one patient at one landmark, alive and followed. The inputs are exactly those of `risk_inputs`, so
that what is fitted is what is served.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from recovery.twin.fit_cohort import Case
from recovery.twin.fit_replay import replay
from recovery.twin.incidence import NAMED, OUTCOMES, procedure_class
from recovery.twin.params import PopulationParams
from recovery.twin.risk_inputs import risk_inputs
from recovery.twin.scores import news2
from recovery.twin.signals import by_metric
from recovery.twin.surprise import RecoveryFeatures, features
from recovery.twin.survival import COVERED_HOURS, Floats


@dataclass(frozen=True)
class Landmarks:
    """n rows: hours (n,), patient (n,) index, classes (n,), values (n, keys), nan where not known; event_h:
    per outcome the hour of its first diagnosis (n,), inf if none; end_h (n,): death or end of follow-up,
    hours after surgery; news2 (n,): points of the partial score of the worn vital signs, nan without any."""

    keys: tuple[str, ...]
    hours: Floats
    patient: NDArray[np.int64]
    classes: NDArray[np.str_]
    values: Floats
    event_h: dict[str, Floats]
    end_h: Floats
    news2: Floats

    def take(self, rows: NDArray[np.bool_]) -> Landmarks:
        return replace(
            self,
            **{name: getattr(self, name)[rows] for name in ("hours", "patient", "classes", "values", "end_h", "news2")},
            event_h={outcome: hours[rows] for outcome, hours in self.event_h.items()},
        )

    def columns(self, keys: Sequence[str]) -> Floats:
        """(n, len(keys)) values of the named inputs."""
        return self.values[:, [self.keys.index(key) for key in keys]]


def collect(cases: Sequence[Case], params: PopulationParams, hours: Sequence[float]) -> Landmarks:
    """Replays the cohort and takes the inputs of every patient alive at each landmark hour."""
    rows: list[dict[str, float]] = []
    who: list[int] = []
    when: list[float] = []
    points: list[float] = []
    for hour, states in replay(cases, params, hours):
        for index, (case, state) in enumerate(zip(cases, states, strict=True)):
            if case.died_h is not None and case.died_h <= hour:
                continue
            seen = features(state, params, hour, case.profile)
            rows.append(dict(risk_inputs(case.profile, seen, case.factors).values))
            who.append(index)
            when.append(hour)
            points.append(news2_points(seen))
    keys = tuple(dict.fromkeys(key for row in rows for key in row))
    values = np.array([[row.get(key, np.nan) for key in keys] for row in rows])
    return with_outcomes(cases, keys, np.array(when), np.array(who), values, np.array(points))


def news2_points(seen: RecoveryFeatures) -> float:
    """Points of the partial NEWS2 of the present levels of the worn vital signs; nan when none is fresh."""
    level = {key: signal.level for key, signal in by_metric(seen).items() if signal.is_current}
    value = news2(
        age_years=18.0,  # adults only here; the age changes no point
        respiratory_rate=level.get("respiratory_rate"),
        spo2=level.get("spo2"),
        pulse=level.get("heart_rate"),
        temperature=level.get("temperature"),
    ).value
    return np.nan if value is None else float(value)


def first_hours(case: Case) -> dict[str, float]:
    """Hour of the first diagnosis of each outcome, inf if none."""
    found = dict.fromkeys(OUTCOMES, np.inf)
    for diagnosed, _, outcome in case.diagnoses:
        for name in (outcome, "complication") if outcome in NAMED else (outcome,):
            found[name] = min(found[name], diagnosed)
    found["readmission"] = np.inf if case.readmitted_h is None else case.readmitted_h
    found["death"] = np.inf if case.died_h is None else case.died_h
    return found


def with_outcomes(
    cases: Sequence[Case],
    keys: tuple[str, ...],
    hours: Floats,
    who: NDArray[np.int64],
    values: Floats,
    points: Floats,
) -> Landmarks:
    first = [first_hours(case) for case in cases]
    return Landmarks(
        keys=keys,
        hours=hours,
        patient=who,
        classes=np.array([procedure_class(case.profile.procedure) for case in cases])[who],
        values=values,
        event_h={outcome: np.array([row[outcome] for row in first])[who] for outcome in OUTCOMES},
        end_h=np.array([min(row["death"], COVERED_HOURS) for row in first])[who],
        news2=points,
    )
