"""Landmark Cox with competing death, and its boosted challenger, on a synthetic cohort, patients never split.

    python -m bench.landmark_cox [--cohort FOLDER] [--patients 600] [--seed 7]

The same landmarks and inputs as the hazard model that is served (recovery.twin.fit_hazard); the risk is that of a first
complication within seven days. Synthetic data: this compares machinery, not care.
"""

import argparse
import json
import warnings
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold

from recovery.twin.cause_specific import cumulative_incidence
from recovery.twin.cold_start import cold_start
from recovery.twin.evaluate_hazard import calibration
from recovery.twin.fit_challenger import Trees
from recovery.twin.fit_cohort import read_cohort
from recovery.twin.fit_hazard import HISTORY, OPERATIONS, RECENT
from recovery.twin.fit_landmarks import collect
from recovery.twin.fit_linear import columns_of
from recovery.twin.fit_survival import fit_landmarks, landmark_frame

COHORT = Path(__file__).resolve().parents[2] / "shared" / "data" / "cohort-a"
DAYS = (1, 2, 4, 7, 10)
KEYS = (*HISTORY, *OPERATIONS, *RECENT)
HORIZON_H = 168.0


def out_of_fold(rows, seed):
    """(cox, trees) predictions (n,), each by models that saw no row of that patient."""
    cox, trees = np.full(len(rows), np.nan), np.full(len(rows), np.nan)
    for train, test in GroupKFold(5, shuffle=True, random_state=seed).split(rows, groups=rows.patient):
        known = rows.iloc[train]
        model = fit_landmarks(known, KEYS, "complication")
        for day in sorted(set(rows.landmark)):
            here = test[rows.landmark.to_numpy()[test] == day]
            columns = columns_of(rows.iloc[here], KEYS)
            # The last hour of follow-up in training may fall a little short of the horizon.
            until = min(HORIZON_H, model.horizon)
            cox[here] = cumulative_incidence(model, columns, [until], day)["complication"][:, 0]
        member = Trees((*KEYS, "day"), (), depth=3, rounds=100).fit(known, known.cause == 1)
        trees[test] = member.probability(rows.iloc[test])
    return cox, trees


def judged(rows, predicted):
    found = {}
    for day in DAYS:
        here = (rows.day == day).to_numpy()
        happened, p = (rows.cause == 1).to_numpy()[here], predicted[here]
        slope, _ = calibration(happened.astype(float), p)
        area = roc_auc_score(happened, p)
        found[day] = {"n": int(here.sum()), "events": int(happened.sum()), "auroc": round(float(area), 3)}
        found[day] |= {
            "calibration_slope": round(slope, 2),
            "expected_over_observed": round(p.sum() / happened.sum(), 2),
        }
    return found


def main():
    warnings.simplefilter("ignore", DeprecationWarning)
    parser = argparse.ArgumentParser()
    parser.add_argument("--cohort", type=Path, default=COHORT)
    parser.add_argument("--patients", type=int, default=600)
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    if not asked.cohort.exists():
        print(f"skipped: no cohort at {asked.cohort.name}")
        return
    cases = read_cohort(asked.cohort)[: asked.patients]
    data = collect(cases, cold_start(), [24.0 * day for day in DAYS])
    rows = landmark_frame(data, KEYS, "complication", HORIZON_H)
    rows["day"] = rows.landmark.astype(float) / 24
    cox, trees = out_of_fold(rows, asked.seed)
    told = {"cohort": f"{asked.cohort.name} (synthetic), {len(cases)} patients", "seed": asked.seed}
    print(json.dumps(told | {"landmark Cox": judged(rows, cox), "trees": judged(rows, trees)}, indent=1))


if __name__ == "__main__":
    main()
