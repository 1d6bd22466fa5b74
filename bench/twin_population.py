"""Learns the population from a synthetic cohort and scores its forecasts on patients it was not fitted to.

    python -m bench.twin_population [COHORT] [--folds 5 (0: none)] [--store FILE]

Cross-validation over patients: each fold's patients are forecast 3, 7 and 14 days after surgery by parameters fitted
to the other folds, through the same `fold` and `forecast_rows` that the product uses, from what had arrived by then,
and scored by the scorer that comes with the cohort. --store writes the parameters fitted to all patients, labelled
synthetic. The cohort is synthetic: a test bench, not evidence about patients.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np

from recovery.twin import cold_start
from recovery.twin.daily_forecast import forecast_rows
from recovery.twin.fit_cohort import data_hash, read_cohort
from recovery.twin.fit_population import fit_population
from recovery.twin.fit_population_data import training_data
from recovery.twin.fit_replay import replay
from recovery.twin.population_store import to_file_text

SHARED = Path(__file__).resolve().parents[2] / "shared"
MADE_ON = (3, 7, 14)
AHEAD = (1, 7, 14)


def iso(t):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(t))


def rows_of(cases, params):
    """Forecast rows of the cases, as the backtest writes them."""
    for hour, states in replay(cases, params, [24.0 * day for day in MADE_ON]):
        for case, state in zip(cases, states, strict=True):
            if case.died_h is not None and case.died_h <= hour:
                continue
            for row in forecast_rows(state, params, case.profile, hour):
                if row.day - hour / 24 + 1 in AHEAD:
                    yield {"patient": case.patient, "made_at": iso(case.surgery_end + 3600 * hour), **row._asdict()}


def cross_validated(cases, training, folds, how):
    """Rows of all patients, each by parameters fitted without them."""
    found, order = [], np.arange(len(cases))
    for fold in range(folds):
        held = order[order % folds == fold]
        started = time.perf_counter()
        params = fit_population(training.take(np.setdiff1d(order, held).tolist()), cold_start(), **how)
        found += rows_of([cases[i] for i in held], params)
        print(f"fold {fold + 1} of {folds}: {time.perf_counter() - started:.0f} s", flush=True)
    return found


def main():
    ask = argparse.ArgumentParser()
    ask.add_argument("cohort", nargs="?", type=Path, default=SHARED / "data" / "cohort-a")
    ask.add_argument("--folds", type=int, default=5)
    ask.add_argument("--store", type=Path)
    given = ask.parse_args()
    if not given.cohort.exists():
        print(f"skipped: {given.cohort} is not here")
        return
    sys.path.insert(0, str(SHARED / "tools"))
    from cohort import load as read
    from score import forecast as score

    cases = read_cohort(given.cohort)
    training = training_data(cases)
    how = {"version": f"synthetic-{given.cohort.name}-1", "data": data_hash(given.cohort), "synthetic": True}
    if given.folds:
        rows = cross_validated(cases, training, given.folds, how)
        for key, found in score(read(str(given.cohort)), rows).items():
            print(f"{key:10s} {found}")
    if given.store:
        params = fit_population(training, cold_start(), **how)
        given.store.write_text(to_file_text(params, params.trained_on["metrics"]))


if __name__ == "__main__":
    main()
