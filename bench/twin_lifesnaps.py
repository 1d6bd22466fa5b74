"""Follows healthy adults (LifeSnaps, real wearables, nobody had surgery) with the twin and checks its 80 % band.

    python bench/twin_lifesnaps.py

Daily resting heart rate, breathing rate, SpO2 and steps, 1 and 7 days ahead, from `Profile(procedure=None)` and
hours before surgery. The day-to-day variances of the cold start were themselves computed from this table, so
coverage here is a check of the machinery, not of generalisation.
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
from recovery.twin.forecast import day_level
from recovery.twin.params import CLOCK

TABLE = Path(__file__).resolve().parents[2] / "shared/data/lifesnaps-daily/daily_fitbit_sema.csv"
COLUMNS = {
    "resting_hr": "heart_rate",
    "steps": "steps",
    "full_sleep_breathing_rate": "respiratory_rate",
    "spo2": "spo2",
}
AHEAD, NEEDED = (1, 7), 10


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
    """(ahead, error natural, inside 80 %) for each day with a forecast and at least `NEEDED` earlier values."""
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
                    yield ahead, abs(float(metric.transform.inverse(m)) - days[day]), abs(y - m) <= ndtri(0.9) * s
            at = 24.0 * d + (24.0 if metric.grain == "day" else 12.0)
            y = metric.transform.forward(days[day])
            belief = advance(belief, bound, Readings(*np.array([[at], [y], [noise]])), params.outlier_bound).belief
            seen += 1
        if seen >= NEEDED:
            for ahead in AHEAD:
                mean, var = day_level(belief, bound, [d + ahead])
                forecasts[day + ahead, ahead] = float(mean[0]), float(np.sqrt(var[0]))


def main():
    if not TABLE.exists():
        print(f"skipped: {TABLE} is not here")
        return
    params = cold_start()
    for column, key in COLUMNS.items():
        found = [row for days in people(column).values() for row in follow(days, key, params)]
        for ahead in AHEAD:
            rows = [r for r in found if r[0] == ahead]
            error, inside = np.mean([r[1] for r in rows]), np.mean([r[2] for r in rows])
            print(f"{column:26s} {ahead} d: n={len(rows)} MAE {error:.2f}, 80 % band covers {inside:.1%}")


if __name__ == "__main__":
    main()
