"""Forecasts of the twin on people who had no operation (LifeSnaps, real Fitbit days), 1 and 7 days ahead.

Parameters and the 80 % band are learned from other people (five folds over people, shuffled by the seed); a person's
own days are then followed one by one, forecast before they are learned from. Rivals on the very same days: the last
value carried forward, the median of the person's last 28 days, and the median of the other people. Skill is 1 less the
ratio of mean absolute errors.
"""

import numpy as np

from bench import twin_lifesnaps as twin
from bench.evidence import sets

LOW, HIGH = 0.78, 0.82
WINDOW = 28
RIVALS = ("carry forward", "own 28-day median", "population median")


def forecasts(seeds):
    twin.TABLE = sets.folder("lifesnaps-daily") / "daily_fitbit_sema.csv"
    return {f"{key} ({column})": measured(column, key, seeds) for column, key in twin.COLUMNS.items()}


def measured(column, key, seeds):
    everyone = [days for days in twin.people(column).values() if len(days) > twin.NEEDED]
    rows = np.concatenate([judged(key, everyone, seed) for seed in seeds])
    by_lead = {f"{ahead} d": figures(rows[rows[:, 0] == ahead], len(seeds)) for ahead in twin.AHEAD}
    inside = [row["80 % band covers"] for row in by_lead.values()]
    return {
        "goal": f"80 % band covers {LOW:.0%} to {HIGH:.0%} at both leads",
        "reached": bool(all(LOW <= share <= HIGH for share in inside)),
        "people": len(everyone),
        "models": by_lead,
    }


def judged(key, everyone, seed):
    """(m, 6): lead, error of the twin, inside its band, errors of the rivals; folds of the shuffled people."""
    order = np.random.default_rng(seed).permutation(len(everyone))
    found = []
    for fold in range(twin.FOLDS):
        held = set(order[fold :: twin.FOLDS].tolist())
        others = [days for i, days in enumerate(everyone) if i not in held]
        params = twin.fitted(key, others)
        known = np.array([row for days in others for row in twin.follow(days, key, params)])
        usual = float(np.median([np.median(list(days.values())) for days in others]))
        band = {ahead: np.quantile(known[known[:, 0] == ahead, 3], (0.1, 0.9)) for ahead in twin.AHEAD}
        for i in sorted(held):
            rows = zip(twin.follow(everyone[i], key, params), rivals(everyone[i], usual), strict=True)
            for (ahead, error, _, z), missed in rows:
                low, high = band[ahead]
                found.append((ahead, error, low <= z <= high, *missed))
    return np.array(found, float)


def rivals(days, usual):
    """Absolute errors of the rivals, in the order in which `twin_lifesnaps.follow` scores the days."""
    first, past = min(days), sorted(days)
    for day in past:
        for ahead in twin.AHEAD:
            known = [d for d in past if d <= day - ahead]
            if day - ahead >= first and len(known) >= twin.NEEDED:
                lately = [days[d] for d in known if d > day - ahead - WINDOW]
                median = float(np.median(lately)) if lately else days[known[-1]]
                yield tuple(abs(days[day] - guess) for guess in (days[known[-1]], median, usual))


def figures(rows, seeds):
    error, inside, missed = rows[:, 1].mean(), rows[:, 2].mean(), rows[:, 3:].mean(axis=0)
    told = {"days": len(rows) // seeds, "80 % band covers": round(float(inside), 3), "MAE": round(float(error), 3)}
    for name, one in zip(RIVALS, missed, strict=True):
        told |= {f"MAE, {name}": round(float(one), 3), f"skill, {name}": round(float(1.0 - error / one), 3)}
    return told
