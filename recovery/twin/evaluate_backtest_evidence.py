"""Offline only: what one subject of a backtest proves: alarms against diagnoses, risks against what followed,
forecasts against what was measured. Plain values, so that they can be written down and added up later.

Definitions, the same as the cohort's own scorer: an alarm is an alert of medium or high severity. It is true from 6 h
before the onset of a complication until 10 days after its diagnosis; a complication is flagged when an alarm fell
between 6 h before its onset and its diagnosis. Days without any such stretch are free days; alarms in them are false.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from recovery.twin.daily_forecast import FORECAST_METRICS, ForecastRow, loinc_of
from recovery.twin.evaluate_backtest_run import LAST_H, Said
from recovery.twin.evaluate_backtest_subjects import Subject
from recovery.twin.fit_landmarks import first_hours
from recovery.twin.incidence import NAMED
from recovery.twin.measurement import Samples, measure
from recovery.twin.metrics import METRICS

BEFORE_ONSET_H, AFTER_DIAGNOSIS_H = 6.0, 240.0
LANDMARK_DAYS = (1, 2, 4, 7, 10)
WITHIN_H = 168
LEADS = (1, 3, 7, 14)
REFRACTORY_H = 12.0
"""An alarm by a bare threshold is not repeated for 12 h, as on most monitors [G: this project's choice]."""
HOURS_FOR_A_DAY = 8
QUANTILE_LEVELS = (0.05, 0.25, 0.50, 0.75, 0.95)
THRESHOLDS: Mapping[str, tuple[float, ...]] = {
    "suspicion": (
        *(0.01, 0.02, 0.03, 0.035, 0.04, 0.045, 0.05, 0.055, 0.06, 0.07, 0.08, 0.09, 0.10, 0.12, 0.14, 0.16, 0.18),
        *(0.20, 0.22, 0.25, 0.30, 0.40, 0.50, 0.70, 0.90),
    ),
    "deterioration": (0.4, 0.8, 1.2, 1.6, 2.0, 2.4, 2.8, 3.2, 4.0, 5.0, 6.0, 8.0),
    "risk": (0.005, 0.01, 0.02, 0.03, 0.05, 0.08, 0.12, 0.15, 0.2, 0.3, 0.4, 0.6),
    "news2": (1, 2, 3, 4, 5, 6, 7, 8, 9),
}
OTHER_THRESHOLDS = tuple(np.round(np.linspace(0.05, 0.95, 19), 2).tolist())
"""For a measure that this file does not know, taken as a probability."""


class Spans(NamedTuple):
    """Per complication: from when an alarm is true, diagnosis, until when; hours after surgery; and its name."""

    start: float
    diagnosis: float
    until: float
    outcome: str


def evidence(subject: Subject, said: Said) -> dict[str, Any]:
    """Everything that `evaluate_backtest_figures` adds up, of one subject."""
    case = subject.case
    spans = [Spans(on - BEFORE_ONSET_H, dx, dx + AFTER_DIAGNOSIS_H, what) for dx, on, what in case.diagnoses]
    free = free_days(spans, min(subject.last_h, float(LAST_H)))
    alarms = [float(one.hour) for one in said.raised if one.severity != "low"]
    return {
        "attributes": dict(subject.attributes),
        "policy": tally(alarms, spans, free),
        "alerts": [[one.cause, one.kind, one.severity] for one in said.raised],
        "alarms_by_cause": _by_cause(said, spans, free),
        "sweep": {name: _sweep(said, name, spans, free) for name in _measured(said)},
        "landmarks": landmarks(subject, said),
        "abstained": _abstained(said),
        "forecasts": forecasts(subject, said, spans),
        "looks": len(said.trace),
    }


def free_days(spans: Sequence[Spans], last_h: float) -> list[float]:
    """Starts (hours) of the whole days followed that begin outside every complication."""
    starts = np.arange(0.0, max(min(last_h, LAST_H), 0.0), 24.0)
    return [float(t) for t in starts if not any(s.start <= t <= s.until for s in spans)]


def tally(alarms: Sequence[float], spans: Sequence[Spans], free: Sequence[float]) -> dict[str, Any]:
    """events: [outcome, hours of lead or None]; alarms in all, true ones, false ones in free days."""
    events = []
    for span in spans:
        early = [hour for hour in alarms if span.start <= hour <= span.diagnosis]
        events.append([span.outcome, span.diagnosis - min(early) if early else None])
    true = sum(any(s.start <= hour <= s.until for s in spans) for hour in alarms)
    days = np.asarray(free)
    at = np.asarray(alarms, float)
    false = int(((at[:, None] >= days) & (at[:, None] < days + 24.0)).sum()) if len(at) and len(days) else 0
    return {"events": events, "alarms": len(alarms), "true": int(true), "false": false, "free_days": len(free)}


def _by_cause(said: Said, spans: Sequence[Spans], free: Sequence[float]) -> dict[str, Any]:
    causes = sorted({one.cause for one in said.raised if one.severity != "low"})
    return {c: tally([float(o.hour) for o in said.raised if o.cause == c], spans, free) for c in causes}


def _measured(said: Said) -> list[str]:
    return sorted({name for _, measures in said.trace for name in measures})


def _sweep(said: Said, name: str, spans: Sequence[Spans], free: Sequence[float]) -> list[list[float]]:
    """Per threshold: complications flagged, alarms, true ones, false ones."""
    rows = [(look, measures[name]) for look, measures in said.trace if name in measures]
    found = []
    for threshold in THRESHOLDS.get(name, OTHER_THRESHOLDS):
        got = tally(_above(rows, threshold), spans, free)
        flagged = sum(lead is not None for _, lead in got["events"])
        found.append([flagged, got["alarms"], got["true"], got["false"]])
    return found


def _above(rows: Sequence[tuple[int, float]], threshold: float) -> list[float]:
    alarms: list[float] = []
    for look, value in rows:
        if value >= threshold and (not alarms or look - alarms[-1] > REFRACTORY_H):
            alarms.append(float(look))
    return alarms


def landmarks(subject: Subject, said: Said) -> list[list[Any]]:
    """[day, outcome, probability or None, happened within 7 days, NEWS2 points or None] for patients alive,
    followed, and free of that outcome at that day. Only outcomes for which this operation has a risk."""
    first = first_hours(subject.case)
    points = {look: measures.get("news2") for look, measures in said.trace}
    found: list[list[Any]] = []
    for day in LANDMARK_DAYS:
        hour = 24 * day
        if first["death"] <= hour or subject.until_h <= hour:
            continue
        risks = {e.outcome: e.probability for look, e in said.risks if look == hour and e.horizon_h == WITHIN_H}
        for outcome in ("complication", *NAMED, "readmission", "death"):
            if outcome in risks and first[outcome] > hour:
                happened = hour < first[outcome] <= hour + WITHIN_H
                found.append([day, outcome, risks[outcome], happened, points.get(hour)])
    return found


def _abstained(said: Said) -> dict[str, int]:
    """Why no risk of a complication was given, counted over looks."""
    why = [e.abstained_because for _, e in said.risks if e.outcome == "complication" and e.horizon_h == WITHIN_H]
    return {reason: why.count(reason) for reason in sorted({one for one in why if one})}


def forecasts(subject: Subject, said: Said, spans: Sequence[Spans]) -> list[list[Any]]:
    """[metric, lead in days, value, twin's five quantiles, population's five, mean of the last three days or None];
    of stretches without a complication, since the forecast is one of ordinary recovery."""
    if not said.forecasts:
        return []
    values = {
        key: day_values(key, subject.case.samples[key]) for key in subject.case.samples if key in FORECAST_METRICS
    }
    found: list[list[Any]] = []
    for made in said.forecasts:
        keys = {loinc_of(key): key for key in values}
        for own, norm in zip(made.own, made.norm, strict=True):
            lead = own.day - made.hour // 24 + 1
            measured = values.get(keys.get(own.code, ""), {})
            if lead in LEADS and own.day in measured and not _ill(spans, made.hour, own.day):
                carried = [measured[day] for day in range(made.hour // 24 - 3, made.hour // 24) if day in measured]
                held = float(np.mean(carried)) if carried else None
                row = [keys[own.code], lead, measured[own.day], _quantiles(own), _quantiles(norm), held]
                found.append(row)
    return found


def _ill(spans: Sequence[Spans], made: float, day: int) -> bool:
    return any(s.start + BEFORE_ONSET_H <= 24.0 * (day + 1) and s.until >= made for s in spans)


def _quantiles(row: ForecastRow) -> list[float]:
    return [row.q05, row.q25, row.q50, row.q75, row.q95]


def day_values(key: str, samples: Samples) -> dict[int, float]:
    """Postoperative day -> its value (design section 10): the median of its hours where there are 8, the total of a
    day worn for 18 h, the last report."""
    found = measure(METRICS[key], samples, np.inf).measurements
    day = np.floor(found.start / 24.0).astype(int)
    values: dict[int, float] = {}
    for which in np.unique(day).tolist():
        mine = found.value[day == which]
        if METRICS[key].grain == "hour" and len(mine) >= HOURS_FOR_A_DAY:
            values[which] = float(np.median(mine))
        elif METRICS[key].grain != "hour":
            values[which] = float(mine[-1])
    return values
