"""Alert burden and yield on a synthetic cohort: alerts per patient-day, complications flagged before
diagnosis.

    python -m bench.alert_burden [--cohort FOLDER] [--patients 300] [--every 6] [--out DIR]

Replays the cohort in order of arrival through the real twin, risk model and default policy, looking every
few hours. Synthetic data: this measures the machinery and its budget, not patients. The shipped risk model
was fitted, and the default limits were chosen, on cohort-a: on that cohort the figures are not those of
unseen patients. With --out it writes alerts.csv and risk.csv in the columns of the backtest.
"""

import argparse
import csv
import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from recovery.twin.alert_policy import DEFAULT_POLICY
from recovery.twin.alerts import candidates, lasting
from recovery.twin.cold_start import cold_start
from recovery.twin.fit_cohort import read_cohort
from recovery.twin.fit_replay import replay
from recovery.twin.hazard_store import shipped_model
from recovery.twin.risk import assess
from recovery.twin.scores import news2
from recovery.twin.signals import by_metric
from recovery.twin.surprise import features

COHORT = Path(__file__).resolve().parents[2] / "shared" / "data" / "cohort-a"
RISK_DAYS = (1, 2, 4, 7, 10)
BEFORE_ONSET_H, AFTER_DIAGNOSIS_H = 6.0, 240.0


def look(case, state, hour, params, model, memory):
    """One look at one patient: alerts raised, risks, new memory."""
    seen = features(state, params, hour, case.profile)
    known = {outcome for diagnosed, _, outcome in case.diagnoses if diagnosed <= hour}
    risks = assess(
        case.profile, seen, hour, model, factors=case.factors, diagnosed=known, lasting=lasting(memory, hour)
    )
    level = {key: signal.level for key, signal in by_metric(seen).items() if signal.is_current}
    score = news2(
        age_years=max(case.profile.age_years, 16),
        respiratory_rate=level.get("respiratory_rate"),
        spo2=level.get("spo2"),
        pulse=level.get("heart_rate"),
        temperature=level.get("temperature"),
    )
    found, memory = candidates(seen, risks, (score,), DEFAULT_POLICY, memory)
    return [c for c in found if c.change == "raised"], risks, memory


def run(cases, every):
    params, model = cold_start(), shipped_model()
    memories = [{} for _ in cases]
    alerts = [[] for _ in cases]
    risks = []
    for hour, states in replay(cases, params, [float(h) for h in np.arange(12, 721, every)]):
        for i, (case, state) in enumerate(zip(cases, states, strict=True)):
            if case.died_h is not None and case.died_h <= hour:
                continue
            raised, estimates, memories[i] = look(case, state, hour, params, model, memories[i])
            alerts[i] += [(hour, c.cause, c.kind, c.severity) for c in raised]
            if hour / 24 in RISK_DAYS:
                risks += [(case, hour, e) for e in estimates if e.probability is not None]
    return alerts, risks


def episodes(case):
    """(from, diagnosis, until, outcome): an alert inside is true; one before the diagnosis is early."""
    return [(on - BEFORE_ONSET_H, dx, dx + AFTER_DIAGNOSIS_H, what) for dx, on, what in case.diagnoses]


def judged(cases, alerts, counts):
    """Burden and yield of the alerts that `counts` accepts."""
    days = found = false = total = true = raised = 0
    leads, kinds = [], Counter()
    for case, rows in zip(cases, alerts, strict=True):
        hours = [hour for hour, *what in rows if counts(*what)]
        spans = episodes(case)
        days += min(case.died_h or 720.0, 720.0) / 24
        for start, diagnosed, _, what in spans:
            early = [hour for hour in hours if start <= hour <= diagnosed]
            total += 1
            found += bool(early)
            kinds[what, bool(early)] += 1
            leads += [diagnosed - min(early)] if early else []
        inside = [any(start <= hour <= until for start, _, until, _ in spans) for hour in hours]
        raised += len(hours)
        true += sum(inside)
        false += len(hours) - sum(inside)
    return {
        "alerts_per_patient_day": round(raised / days, 4),
        "false_alerts_per_patient_week": round(7 * false / days, 3),
        "ppv": round(true / max(raised, 1), 3),
        "complications": total,
        "flagged_before_diagnosis": round(found / max(total, 1), 3),
        "median_lead_h": round(float(np.median(leads)), 1) if leads else None,
        "by_outcome": {
            what: f"{kinds[what, True]}/{kinds[what, True] + kinds[what, False]}"
            for what in sorted({key for key, _ in kinds})
        },
    }


def write(folder, cases, alerts, risks):
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "alerts.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["patient", "raised_at", "kind", "severity"])
        for case, found in zip(cases, alerts, strict=True):
            rows.writerows([case.patient, at(case, hour), kind, severity] for hour, _, kind, severity in found)
    with (folder / "risk.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["patient", "at", "outcome", "horizon_h", "probability", "low", "high"])
        for case, hour, e in risks:
            rows.writerow([case.patient, at(case, hour), e.outcome, e.horizon_h, e.probability, e.low, e.high])


def at(case, hour):
    return datetime.fromtimestamp(case.surgery_end + 3600 * hour, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cohort", type=Path, default=COHORT)
    parser.add_argument("--patients", type=int, default=300)
    parser.add_argument("--every", type=float, default=6.0)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    if not asked.cohort.exists():
        print(f"skipped: no cohort at {asked.cohort}")
        return
    cases = read_cohort(asked.cohort)[: asked.patients]
    alerts, risks = run(cases, asked.every)
    result = {
        "cohort": f"{asked.cohort.name} (synthetic), {len(cases)} patients",
        "seen_in_training": asked.cohort.name == shipped_model().training["cohort"],
        "medium and high": judged(cases, alerts, lambda cause, kind, severity: severity != "low"),
    }
    for cause in sorted({what[1] for rows in alerts for what in rows}):
        row = judged(cases, alerts, lambda c, kind, severity, cause=cause: c == cause)
        result[cause] = {k: v for k, v in row.items() if k != "by_outcome"}
    print(json.dumps(result, indent=1))
    if asked.out:
        write(asked.out, cases, alerts, risks)


if __name__ == "__main__":
    main()
