"""Learns the blood values of a synthetic cohort; scores the band of the next report on patients it was not fitted to.

    python -m bench.twin_laboratory [COHORT] [--folds 5 (0: none)] [--store FILE] [--of WHOLE]

Cross-validation over patients: parameters of four parts, reports of the fifth, each judged by the band that the twin
held just before it (the surprises of the product's own `fold`), outside complications. --store writes the parameters
fitted to all patients, labelled synthetic; --of names the export that COHORT is an extract of, whose name and hash are
written down. The cohort is a test bench, not evidence about patients.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from recovery.twin import METRICS, Request, cold_start, fold_many, load
from recovery.twin.fit_cohort import data_hash, read_cohort
from recovery.twin.fit_population import begin, finish, step
from recovery.twin.fit_population_data import training_data, troubled
from recovery.twin.population_store import to_file_text

SHARED = Path(__file__).resolve().parents[2] / "shared"
KEYS = tuple(key for key, one in METRICS.items() if one.family == "laboratory")
UNTIL = 720.0
Z90, Z50 = 1.6449, 0.6745
ROUNDS = 8  # of the fit, each from where the last one ended: few reports a patient, so EM moves slowly


def surprises(cases, params):
    """key -> (n, 2): whether there was an earlier report, and the surprise, of each report in ordinary recovery."""
    asked = [Request(None, c.profile, load({k: c.samples[k] for k in KEYS if k in c.samples}, UNTIL)) for c in cases]
    found = {key: [] for key in KEYS}
    for case, done in zip(cases, fold_many(asked, params), strict=True):
        for key, judged in done.judged.items():
            at, z = judged.measurements.at, judged.surprises
            usual = np.ones(len(at), bool)
            for start, end in troubled(case):
                usual &= (at < start) | (at > end)
            found[key].append(np.stack([np.arange(len(at)) > 0, z], axis=1)[usual])
    return {key: np.concatenate(rows) for key, rows in found.items() if rows}


def fitted_to(training, how):
    """The fit, repeated; what it shrinks to stays the published cold start."""
    start = params = cold_start()
    for _ in range(ROUNDS):
        state = begin(training, params)
        while not state.is_done:
            state = step(state, training, start)
        params = state.params
    made = finish(state, training, **how)
    return replace(made, trained_on=made.trained_on | {"method": f"{made.trained_on['method']}, {ROUNDS} rounds"})


def told(found, words):
    for key, rows in found.items():
        for which, wanted in (("first", 0), ("next", 1)):
            z = np.abs(rows[rows[:, 0] == wanted, 1])
            inside = f"90 %: {np.mean(z <= Z90):.3f}  50 %: {np.mean(z <= Z50):.3f}"
            print(f"{words:20s} {key:12s} {which} report, n={len(z):5d}  {inside}", flush=True)


def cross_validated(cases, training, folds, how):
    parts, order = [], np.arange(len(cases))
    for fold in range(folds):
        held = order[order % folds == fold]
        params = fitted_to(training.take(np.setdiff1d(order, held).tolist()), how)
        parts.append(surprises([cases[i] for i in held], params))
    return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}


def main():
    ask = argparse.ArgumentParser()
    ask.add_argument("cohort", nargs="?", type=Path, default=SHARED / "data" / "cohort-a")
    ask.add_argument("--folds", type=int, default=5)
    ask.add_argument("--store", type=Path)
    ask.add_argument("--of", type=Path)
    given = ask.parse_args()
    if not given.cohort.exists():
        print(f"skipped: {given.cohort} is not here")
        return
    cases = read_cohort(given.cohort)
    training = training_data(cases, KEYS)
    whole = given.of or given.cohort
    how = {"version": f"synthetic-{whole.name}-laboratory-1", "data": data_hash(whole), "synthetic": True}
    told(surprises(cases, cold_start()), "published cold start")
    if given.folds:
        told(cross_validated(cases, training, given.folds, how), f"fitted, {given.folds} folds")
    if given.store:
        given.store.write_text(to_file_text(fitted_to(training, how), KEYS))


if __name__ == "__main__":
    main()
