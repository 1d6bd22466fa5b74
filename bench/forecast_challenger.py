"""Does a model that is free in its form forecast the synthetic cohort's steps better than the twin?

    python -m bench.forecast_challenger [COHORT]

Gradient boosting of five quantiles (scikit-learn), five folds over patients, on the last seven days of steps, heart
rate and pain, the level before the operation, the day, the operation, age, sex, body mass index and duration; it is
shown every reading up to the forecast, also those that had not arrived by then, which favours it. Scored as
`forecast_floor` scores. Synthetic: no evidence about patients.
"""

import sys
import zlib

import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor

from bench.forecast_floor import AHEAD, MADE_ON, NATURAL, TAUS, cohort, ordinary, score

FOLDS, LEARNED_ON = 5, range(2, 22)
SEEN = ("steps", "hr", "pain")
BODY_MASS_INDEX = "39156-5"


def known(case, series, made):
    """What is known of one patient at the beginning of day `made`."""
    before = [value for day, value in series["steps"].items() if day < 0]
    row = [made, np.mean(before) if before else np.nan, float(case.op_code), case.age(), case.male, case.dur]
    row.append(case.factors.get(BODY_MASS_INDEX, np.nan))
    for channel in SEEN:
        week = [series[channel].get(made - back, np.nan) for back in range(1, 8)]
        row += [*week, np.nanmean(week[:4]) if np.isfinite(week[:4]).any() else np.nan]
    return row


def table(cases, daily, ahead):
    """Inputs (n, p), steps (n,), fold (n,) and day of the forecast (n,), of ordinary stretches alone."""
    rows = []
    for case in cases:
        series = {channel: daily(case, channel) for channel in SEEN}
        fold = zlib.crc32(case.id.encode()) % FOLDS
        for made in LEARNED_ON:
            day = made + ahead - 1
            if day in series["steps"] and ordinary(case, made, day + 1):
                rows.append((known(case, series, made), series["steps"][day], fold, made))
    inputs, steps, folds, made = zip(*rows, strict=True)
    return np.array(inputs, float), np.array(steps), np.array(folds), np.array(made)


def quantiles(inputs, steps, folds):
    """(5, n) out of fold."""
    there, back = NATURAL["steps"]
    found = np.empty((len(TAUS), len(steps)))
    for row, tau in zip(found, TAUS, strict=True):
        for fold in range(FOLDS):
            model = HistGradientBoostingRegressor(
                loss="quantile",
                quantile=tau,
                max_iter=150,
                learning_rate=0.05,
                max_leaf_nodes=12,
                min_samples_leaf=60,
                l2_regularization=5.0,
            )
            model.fit(inputs[folds != fold], there(steps[folds != fold]))
            row[folds == fold] = back(model.predict(inputs[folds == fold]))
    return np.sort(found, axis=0)


def main(cases, daily):
    for ahead in AHEAD:
        inputs, steps, folds, made = table(cases, daily, ahead)
        judged = np.isin(made, MADE_ON)
        found = quantiles(inputs, steps, folds)
        print(f"steps, {ahead} d: {score(steps[judged], found[:, judged]).mean():.4g} (n={judged.sum()})")


if __name__ == "__main__":
    main(*cohort(sys.argv[1:]))
