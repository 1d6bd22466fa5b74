"""How low the forecast score of the synthetic cohort can go at all: what somebody who knew the whole month would score.

    python -m bench.forecast_floor [COHORT]

For heart rate and steps, on the days that forecasts made on days 3, 7 and 14 are scored on, one and seven days ahead:
the patient's level is fitted to all ordinary days of the month, the scored day and the days after it included, so this
is cheating on purpose; the spread around it is the quantiles of its own errors, for heart rate by fifths of the size of
the day-night pattern, which widens the median of a day half worn. No honest forecast can be better; how near one can
come is not said. The second figure is a line through the four days on either side, the scored day left out. Synthetic:
no evidence about patients.
"""

import sys
from itertools import product
from pathlib import Path

import numpy as np

SHARED = Path(__file__).resolve().parents[2] / "shared"
MADE_ON = (3, 7, 14)
AHEAD = (1, 7)  # days; the first day ahead is the day the forecast is made on
TAUS = (0.05, 0.25, 0.5, 0.75, 0.95)
DAY = 86400
NATURAL = {"hr": (lambda x: x, lambda y: y), "steps": (lambda x: np.log(x + 50.0), lambda y: np.exp(y) - 50.0)}
RIDGE = {"hr": 0.5, "steps": 0.05}
LEAST = {"hr": 200, "steps": 8}


def score(y, quantiles):
    """Mean over five quantiles of twice the pinball loss, as the scorer of the cohort has it, (n,)."""
    losses = [np.maximum(tau * (y - q), (tau - 1.0) * (y - q)) for tau, q in zip(TAUS, quantiles, strict=True)]
    return 2.0 * np.mean(losses, axis=0)


def ordinary(case, first, last):
    return not any(on <= case.op + last * DAY and dx + 10 * DAY >= case.op + first * DAY for on, dx, _ in case.comps)


def course(hours):
    """Design rows of the course: level and three exponentials after surgery."""
    after = np.maximum(hours, 0.0)
    return np.stack(
        [np.ones(len(hours)), *(np.exp(-after / tau) * (hours >= 0) for tau in (36.0, 120.0, 400.0))], axis=1
    )


def fitted(rows, values, ridge):
    """Least squares with a ridge on all but the level, hours far off left out twice (artefacts)."""
    penalty = np.diag([0.0, *(ridge,) * 3, *(0.0,) * (rows.shape[1] - 4)])
    near = np.ones(len(values), bool)
    for _ in range(3):
        found = np.linalg.solve(rows[near].T @ rows[near] + penalty, rows[near].T @ values[near])
        off = np.abs(values - rows @ found)
        near = off <= 4.0 * 1.4826 * max(float(np.median(off)), 1e-9)
    return found


def levels(case, channel, daily):
    """(coefficients, size of the day-night pattern) of one patient's month, or None with too little of it."""
    if channel == "steps":
        days = np.array(sorted(day for day in daily if ordinary(case, day, day + 1)), float)
        hours, values = 24.0 * days + 12.0, np.array([daily[day] for day in days])
    else:
        read = sorted((at, value) for at, (value, _) in case.series[channel].items())
        hours = np.array([(at - case.op) / 3600.0 for at, _ in read])
        values = np.array([value for _, value in read])
        free = np.array([h >= 0 and ordinary(case, h / 24, h / 24) for h in hours], bool)
        hours, values = hours[free], values[free]
    if (hours >= 0).sum() < LEAST[channel]:
        return None
    rows, values = course(hours), NATURAL[channel][0](values)
    if channel == "hr":
        angle = 2.0 * np.pi * (case.op / 3600.0 + hours) / 24.0
        rows = np.column_stack([rows, np.cos(angle), np.sin(angle)])
    found = fitted(rows, values, RIDGE[channel])
    return found[:4], float(np.hypot(*found[4:])) if channel == "hr" else 0.0


def either_side(daily, day):
    """Line through the four days before and after, at the day; nan with fewer than six of them."""
    near = [d for d in range(day - 4, day + 5) if d != day and d in daily]
    return np.polyfit(np.array(near) - day, [daily[d] for d in near], 1)[1] if len(near) >= 6 else np.nan


def scored(cases, channel, days_of, ahead):
    """(m, 4): value, level that knows the month, size of the pattern, line of the neighbours."""
    there = NATURAL[channel][0]
    for case in cases:
        daily = days_of(case, channel)
        known = levels(case, channel, daily)
        for made in MADE_ON if known else ():
            day = made + ahead - 1
            if day in daily and ordinary(case, made, day + 1):
                hours = 24.0 * day + np.arange(24.0) + 0.5
                level = (course(hours) @ known[0]).mean()
                yield daily[day], level, known[1], there(max(either_side(daily, day), 0.0))


def floor_of(values, around, channel, groups):
    """Mean score of quantiles of the errors of `around` (model scale), within each group."""
    there, back = NATURAL[channel]
    errors, total = there(values) - around, 0.0
    for group in np.unique(groups):
        mine = groups == group
        quantiles = [back(around[mine] + np.quantile(errors[mine], tau)) for tau in TAUS]
        total += score(values[mine], quantiles).sum()
    return total / len(values)


def cohort(arguments):
    """Cases of the cohort that is asked for, and how its days are read; says so and stops where it is not here."""
    root = Path(arguments[0]) if arguments else SHARED / "data" / "cohort-a"
    if not root.exists():
        sys.exit(f"skipped: {root} is not here")
    sys.path.insert(0, str(SHARED / "tools"))
    from cohort import daily, load

    return list(load(str(root)).values()), daily


def main(cases, daily):
    for channel, ahead in product(NATURAL, AHEAD):
        value, level, size, line = np.array(list(scored(cases, channel, daily, ahead))).T
        fifths = np.digitize(size, np.quantile(size, (0.2, 0.4, 0.6, 0.8)))
        both = np.isfinite(line)
        whole = floor_of(value, level, channel, fifths)
        near = floor_of(value[both], line[both], channel, np.zeros(both.sum()))
        print(f"{channel}, {ahead} d: who knows the month {whole:.4g} (n={len(value)}), days on either side {near:.4g}")


if __name__ == "__main__":
    main(*cohort(sys.argv[1:]))
