"""Follows healthy adults (LifeSnaps, real wearables, nobody had surgery) with the twin and checks its 80 % band.

    python -m bench.twin_lifesnaps

Daily resting heart rate, breathing rate, SpO2 and steps, 1 and 7 days ahead, from `Profile(procedure=None)` and
hours before surgery. The day-to-day variances of the cold start were themselves computed from this table, so
coverage of the cold start is a check of the machinery, not of generalisation. Beside it: parameters and band learned
by the population fit from other people (5 folds over people), which is.
"""

import csv
from collections import defaultdict
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
from scipy.special import ndtri

from recovery.twin import METRICS, Profile, Tier, cold_start
from recovery.twin.filter import Readings, advance, initial
from recovery.twin.fit_population import begin, step
from recovery.twin.fit_population_data import FIRST_DAY, LAST_DAY, MetricData, Training
from recovery.twin.forecast import day_level
from recovery.twin.params import CLOCK, CURVE
from recovery.twin.profile import GENERIC

TABLE = Path(__file__).resolve().parents[2] / "shared/data/lifesnaps-daily/daily_fitbit_sema.csv"
COLUMNS = {
    "resting_hr": "heart_rate",
    "steps": "steps",
    "full_sleep_breathing_rate": "respiratory_rate",
    "spo2": "spo2",
}
AHEAD, NEEDED, FOLDS = (1, 7), 10, 5


def people(column):
    """{person: {day number: value}} of the positive values, first row of a day."""
    out = defaultdict(dict)
    with TABLE.open() as table:
        for row in csv.DictReader(table):
            day = date.fromisoformat(row["date"][:10]).toordinal()
            if row[column] and float(row[column]) > 0:
                out[row["id"]].setdefault(day, float(row[column]))
    return out


def without_clock(bound):
    """A value of a whole day has no time of day: the pattern is known to be zero."""
    mean, cov = bound.prior_mean.copy(), bound.prior_cov.copy()
    mean[CLOCK], cov[CLOCK, CLOCK] = 0.0, 0.0
    return replace(bound, prior_mean=mean, prior_cov=cov)


def follow(days, key, params):
    """(ahead, error, inside 80 %, standardised error) per day foreseen from at least `NEEDED` earlier values."""
    bound, metric = without_clock(params.for_metric(key, Profile(procedure=None))), METRICS[key]
    first, last = min(days), max(days)
    belief, forecasts, seen = initial(bound), {}, 0
    # A value of a whole day carries the noise that `day_level` gives a day's value.
    noise = bound.noise_var(int(Tier.CONSUMER), 1) * (np.pi / 48.0 if metric.grain == "hour" else 1.0)
    for day in range(first, last + 1):
        d = day - last - 8  # keeps every hour before surgery
        if day in days:
            for ahead in AHEAD:
                if (day, ahead) in forecasts:
                    m, s = forecasts[day, ahead]
                    y = float(metric.transform.forward(days[day]))
                    error = abs(float(metric.transform.inverse(m)) - days[day])
                    yield ahead, error, abs(y - m) <= ndtri(0.9) * s, (y - m) / s
            at = 24.0 * d + (24.0 if metric.grain == "day" else 12.0)
            y = metric.transform.forward(days[day])
            belief = advance(belief, bound, Readings(*np.array([[at], [y], [noise]])), params.outlier_bound).belief
            seen += 1
        if seen >= NEEDED:
            for ahead in AHEAD:
                mean, var = day_level(belief, bound, [d + ahead])
                forecasts[day + ahead, ahead] = float(mean[0]), float(np.sqrt(var[0]))


def fitted(key, some):
    """Parameters for healthy people learned from the days of `some`: the cold start without a course of recovery."""
    start = replace(cold_start(), by_metric={key: {GENERIC: level_only(cold_start().by_metric[key][GENERIC])}})
    training = training_of(key, some)
    state = begin(training, start, fewest=20)
    while not state.is_done:
        state = step(state, training, start)
    bound = state.params.by_metric[key][GENERIC]
    # The fit speaks of a day's value; `day_level` of an hourly measure wants the hours that make one.
    share = 48.0 / np.pi if METRICS[key].grain == "hour" else 1.0
    made = replace(
        bound, sensor_noise_var=share * bound.sensor_noise_var, sample_noise_var=0.0 * bound.sample_noise_var
    )
    return replace(state.params, by_metric={key: {GENERIC: made}})


def level_only(bound):
    mean, cov = bound.prior_mean.copy(), bound.prior_cov.copy()
    mean[CURVE], cov[CURVE, CURVE] = 0.0, 0.0
    return without_clock(replace(bound, prior_mean=mean, prior_cov=cov, sample_noise_var=np.zeros(())))


def training_of(key, some):
    """The first 60 days of each person, as days 0 to 59 of an operation that has no effect."""
    values = np.full((len(some), LAST_DAY - FIRST_DAY), np.nan)
    for i, days in enumerate(some):
        for day, value in days.items():
            if day - min(days) < LAST_DAY:
                values[i, day - min(days) - FIRST_DAY] = METRICS[key].transform.forward(value)
    worn = np.where(np.isfinite(values), 24.0, 0.0)
    at = np.where(np.isfinite(values), 24.0 * np.arange(FIRST_DAY, LAST_DAY) + 12.0, np.nan)
    data = MetricData(
        key, Readings(at, values, worn), 0.0 * values, values, values, worn, np.full((len(some), 2), np.nan), 2
    )
    names = tuple(str(i) for i in range(len(some)))
    return Training(names, (Profile(),) * len(some), np.ones(values.shape), {key: data})


def out_of_fold(key, everyone):
    """{ahead: (errors, inside)} of people followed by parameters and a band learned from other people."""
    found = {ahead: [] for ahead in AHEAD}
    for fold in range(FOLDS):
        known = [d for i, d in enumerate(everyone) if i % FOLDS != fold]
        params = fitted(key, known)
        rows = np.array([r for d in known for r in follow(d, key, params)])
        for held in (d for i, d in enumerate(everyone) if i % FOLDS == fold):
            for ahead, error, _, z in follow(held, key, params):
                low, high = np.quantile(rows[rows[:, 0] == ahead, 3], (0.1, 0.9))
                found[ahead].append((error, low <= z <= high))
    return {ahead: np.array(rows, float).T for ahead, rows in found.items()}


def main():
    if not TABLE.exists():
        print(f"skipped: {TABLE} is not here")
        return
    params = cold_start()
    for column, key in COLUMNS.items():
        everyone = [days for days in people(column).values() if len(days) > NEEDED]
        found = np.array([row for days in everyone for row in follow(days, key, params)])
        learned = out_of_fold(key, everyone)
        for ahead in AHEAD:
            rows, (error, inside) = found[found[:, 0] == ahead], learned[ahead]
            print(
                f"{column:26s} {ahead} d: n={len(rows)} cold start MAE {rows[:, 1].mean():.2f}, 80 % band covers"
                f" {rows[:, 2].mean():.1%}; learned from others: MAE {error.mean():.2f}, {inside.mean():.1%}"
            )


if __name__ == "__main__":
    main()
