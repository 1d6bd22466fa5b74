"""Offline only: the figures of a backtest, added up over subjects one at a time.

Intervals are 95 %: Wilson's for shares (Wilson 1927), exact Poisson for rates (Garwood 1936), and Hanley and McNeil
1982 for the area under the ROC curve.
"""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from scipy.stats import chi2, rankdata

from recovery.twin.evaluate_backtest_evidence import OTHER_THRESHOLDS, QUANTILE_LEVELS, THRESHOLDS
from recovery.twin.evaluate_hazard import calibration
from recovery.twin.transform import Floats

Z95 = 1.959964
MOST_CARRIED = 20_000
"""Errors of carry-forward kept per measure and lead to give it a spread; the first ones, so that memory is bounded."""
BINS = 10
FEWEST_EVENTS = 5
"""With fewer events a slope, a curve or a subgroup says nothing [G: this project's choice]."""


@dataclass
class Alarms:
    """Counts over subjects."""

    subjects: int = 0
    alarms: int = 0
    true: int = 0
    false: int = 0
    free_days: int = 0
    events: Counter[str] = field(default_factory=Counter)
    flagged: Counter[str] = field(default_factory=Counter)
    leads: defaultdict[str, array[float]] = field(default_factory=lambda: defaultdict(lambda: array("d")))

    def add(self, told: Mapping[str, Any]) -> None:
        self.subjects += 1
        for name in ("alarms", "true", "false", "free_days"):
            setattr(self, name, getattr(self, name) + told[name])
        for outcome, lead in told["events"]:
            self.events[outcome] += 1
            if lead is not None:
                self.flagged[outcome] += 1
                self.leads[outcome].append(lead)

    def of(self, everyone: Alarms) -> Alarms:
        """These alarms, which some subjects had, against the complications and free days of all."""
        return replace(self, subjects=everyone.subjects, free_days=everyone.free_days, events=everyone.events)

    def figures(self) -> dict[str, Any]:
        events, flagged = self.events.total(), self.flagged.total()
        leads = np.concatenate([np.asarray(one) for one in self.leads.values()]) if flagged else np.empty(0)
        return {
            "complications": events,
            "flagged_before_diagnosis": flagged,
            "sensitivity": share(flagged, events),
            "lead_h": quartiles(leads),
            "alarms": self.alarms,
            "true_alarms": self.true,
            "ppv": share(self.true, self.alarms),
            "false_alarms": self.false,
            "free_patient_days": self.free_days,
            "false_alarms_per_patient_day": rate(self.false, self.free_days),
        }


@dataclass
class Figures:
    """Adds up `evidence` of subjects. Memory grows by a few numbers a subject."""

    subjects: int = 0
    looks: int = 0
    policy: Alarms = field(default_factory=Alarms)
    groups: dict[tuple[str, str], Alarms] = field(default_factory=dict)
    causes: dict[str, Alarms] = field(default_factory=dict)
    alerts: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    sweeps: dict[str, Floats] = field(default_factory=dict)
    abstained: Counter[str] = field(default_factory=Counter)
    risks: defaultdict[tuple[int, str], array[float]] = field(default_factory=lambda: defaultdict(lambda: array("d")))
    risk_groups: defaultdict[tuple[str, str], array[float]] = field(
        default_factory=lambda: defaultdict(lambda: array("d"))
    )
    forecasts: dict[tuple[str, int], Floats] = field(default_factory=dict)
    carried: defaultdict[tuple[str, int], array[float]] = field(default_factory=lambda: defaultdict(lambda: array("d")))

    def add(self, told: Mapping[str, Any]) -> None:
        self.subjects += 1
        self.looks += told["looks"]
        self.policy.add(told["policy"])
        for group in told["attributes"].items():
            self.groups.setdefault(group, Alarms()).add(told["policy"])
        for cause, alarms in told["alarms_by_cause"].items():
            self.causes.setdefault(cause, Alarms()).add(alarms)
        self.alerts.update(tuple(one) for one in told["alerts"])
        for name, rows in told["sweep"].items():
            self.sweeps[name] = self.sweeps.get(name, 0) + np.array(rows, float)
        self.abstained.update(told["abstained"])
        self._add_landmarks(told)
        for metric, lead, *row in told["forecasts"]:
            self._add_forecast((metric, lead), *row)

    def _add_landmarks(self, told: Mapping[str, Any]) -> None:
        for day, outcome, probability, happened, points in told["landmarks"]:
            if probability is None:
                continue
            self.risks[day, outcome].extend((probability, happened, np.nan if points is None else points))
            if outcome == "complication":
                for group in told["attributes"].items():
                    self.risk_groups[group].extend((probability, happened))

    def _add_forecast(
        self, cell: tuple[str, int], value: float, own: Sequence[float], norm: Sequence[float], held: float | None
    ) -> None:
        q = np.array(own)
        inside90, inside50 = q[0] <= value <= q[4], q[1] <= value <= q[3]
        row = [1, inside90, inside50, pinball(value, own), pinball(value, norm), abs(value - q[2])]
        self.forecasts[cell] = self.forecasts.get(cell, 0) + np.array(row, float)
        if held is not None and len(self.carried[cell]) < 3 * MOST_CARRIED:
            self.carried[cell].extend((value - held, pinball(value, own), 1.0))

    def report(self) -> dict[str, Any]:
        """All figures as plain values."""
        return {
            "subjects": self.subjects,
            "looks": self.looks,
            "alerts": {**self.policy.figures(), "by_complication": self._by_complication(), "lead_bins": self._leads()},
            "alerts_raised": [
                {"cause": cause, "kind": kind, "severity": severity, "n": n}
                for (cause, kind, severity), n in sorted(self.alerts.items())
            ],
            "by_cause": {cause: one.of(self.policy).figures() for cause, one in sorted(self.causes.items())},
            "burden": {name: self._curve(name) for name in sorted(self.sweeps)},
            "subgroups": [self._group(*group) for group in sorted(self.groups)],
            "risk": {str(day): self._risk(day, "complication") for day in self._days("complication")},
            "risk_by_outcome": {
                outcome: {str(day): self._risk(day, outcome) for day in self._days(outcome)}
                for outcome in sorted({outcome for _, outcome in self.risks} - {"complication"})
            },
            "abstained": dict(sorted(self.abstained.items())),
            "forecast": {f"{metric} {lead} d": self._forecast(metric, lead) for metric, lead in sorted(self.forecasts)},
        }

    def _by_complication(self) -> dict[str, Any]:
        policy = self.policy
        return {
            outcome: {
                "n": n,
                "flagged": policy.flagged[outcome],
                "sensitivity": share(policy.flagged[outcome], n),
                "lead_h": quartiles(np.asarray(policy.leads[outcome])),
            }
            for outcome, n in sorted(policy.events.items())
        }

    def _leads(self) -> dict[str, list[float]]:
        leads = [lead for one in self.policy.leads.values() for lead in one]
        edges = [0, 6, 12, 24, 36, 48, 72, 96, 144, 1e9]
        return {"edges_h": edges[:-1], "n": np.histogram(leads, edges)[0].tolist()}

    def _curve(self, name: str) -> list[dict[str, Any]]:
        """One point a threshold: what a bare threshold on this measure would have cost and found."""
        events, days = max(self.policy.events.total(), 1), max(self.policy.free_days, 1)
        return [
            {
                "threshold": threshold,
                "sensitivity": round(flagged / events, 4),
                "false_alarms_per_patient_day": round(false / days, 5),
                "ppv": round(true / alarms, 4) if alarms else None,
                "alarms": int(alarms),
            }
            for threshold, (flagged, alarms, true, false) in zip(
                THRESHOLDS.get(name, OTHER_THRESHOLDS), self.sweeps[name].tolist(), strict=True
            )
        ]

    def _group(self, attribute: str, value: str) -> dict[str, Any]:
        alarms = self.groups[attribute, value]
        rows = np.asarray(self.risk_groups[attribute, value]).reshape(-1, 2)
        events = alarms.events.total()
        return {
            "attribute": attribute,
            "value": value,
            "subjects": alarms.subjects,
            "complications": events,
            "sensitivity": share(alarms.flagged.total(), events),
            "ppv": share(alarms.true, alarms.alarms),
            "false_alarms_per_patient_day": rate(alarms.false, alarms.free_days),
            "auroc": area(rows[:, 0], rows[:, 1] > 0),
            "expected_over_observed": _ratio(rows[:, 0].sum(), rows[:, 1].sum()),
        }

    def _days(self, outcome: str) -> list[int]:
        return sorted(day for day, name in self.risks if name == outcome)

    def _risk(self, day: int, outcome: str) -> dict[str, Any]:
        rows = np.asarray(self.risks[day, outcome]).reshape(-1, 3)
        p, happened = rows[:, 0], rows[:, 1] > 0
        base = float(happened.mean())
        told: dict[str, Any] = {
            "n": len(p),
            "events": int(happened.sum()),
            "mean_predicted": round(float(p.mean()), 4),
            "observed": round(base, 4),
            "auroc": area(p, happened),
            "brier": round(float(((p - happened) ** 2).mean()), 4),
            "news2_auroc": area(np.nan_to_num(rows[:, 2]), happened),
        }
        if FEWEST_EVENTS <= told["events"] <= len(p) - FEWEST_EVENTS:
            slope, intercept = calibration(happened.astype(float), p)
            told |= {
                "brier_skill": round(1 - told["brier"] / (base * (1 - base)), 3),
                "calibration_slope": round(slope, 3),
                "calibration_intercept": round(intercept, 3),
                "calibration": _deciles(p, happened),
                "roc": _roc(p, happened),
            }
        return told

    def _forecast(self, metric: str, lead: int) -> dict[str, Any]:
        n, inside90, inside50, own, norm, missed = self.forecasts[metric, lead].tolist()
        carried = np.asarray(self.carried[metric, lead]).reshape(-1, 3)
        told = {
            "n": int(n),
            "coverage90": share(int(inside90), int(n)),
            "coverage50": share(int(inside50), int(n)),
            "crps": own / n,
            "absolute_error": missed / n,
            "crps_population_curve": norm / n,
            "skill_against_population_curve": 1 - own / norm if norm else None,
        }
        if len(carried) >= BINS:
            spread = np.quantile(carried[:, 0], QUANTILE_LEVELS)
            theirs = float(np.mean([pinball(error, spread) for error in carried[:, 0]]))
            told |= {
                "crps_carry_forward": theirs,
                "skill_against_carry_forward": 1 - float(carried[:, 1].mean()) / theirs if theirs else None,
            }
        return {key: _rounded(value) for key, value in told.items()}


def pinball(value: float, quantiles: Sequence[float] | Floats) -> float:
    """Twice the mean pinball loss over the five quantiles: an approximation of the CRPS."""
    return 2 * float(
        np.mean([max(a * (value - q), (a - 1) * (value - q)) for a, q in zip(QUANTILE_LEVELS, quantiles, strict=True)])
    )


def share(k: int, n: int) -> list[float] | None:
    """[share, low, high], or None of nothing."""
    if not n:
        return None
    p, z = k / n, Z95
    centre, half = p + z * z / (2 * n), z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    low, high = ((centre + side * half) / (1 + z * z / n) for side in (-1, 1))
    return [round(p, 4), round(float(max(low, 0.0)), 4), round(float(min(high, 1.0)), 4)]


def rate(k: int, n: float) -> list[float] | None:
    """[events per unit, low, high]."""
    if not n:
        return None
    low = chi2.ppf(0.025, 2 * k) / 2 if k else 0.0
    return [round(float(x) / n, 5) for x in (k, low, chi2.ppf(0.975, 2 * k + 2) / 2)]


def area(p: Floats, happened: Any) -> list[float] | None:
    """[area under the ROC curve, low, high]; None where all or none happened."""
    n1, n0 = int(happened.sum()), int((~happened).sum())
    if not n1 or not n0:
        return None
    a = float((rankdata(p)[happened].sum() - n1 * (n1 + 1) / 2) / (n1 * n0))
    q1, q2 = a / (2 - a), 2 * a * a / (1 + a)
    sd = np.sqrt(max(a * (1 - a) + (n1 - 1) * (q1 - a * a) + (n0 - 1) * (q2 - a * a), 0.0) / (n1 * n0))
    return [round(a, 4), round(max(a - Z95 * float(sd), 0.0), 4), round(min(a + Z95 * float(sd), 1.0), 4)]


def quartiles(values: Floats) -> list[float] | None:
    """[lower quartile, median, upper quartile]."""
    return [round(float(q), 1) for q in np.quantile(values, (0.25, 0.5, 0.75))] if len(values) else None


def _deciles(p: Floats, happened: Any) -> list[dict[str, Any]]:
    order = np.argsort(p, kind="stable")
    return [
        {
            "n": len(part),
            "predicted": round(float(p[part].mean()), 4),
            "observed": share(int(happened[part].sum()), len(part)),
        }
        for part in np.array_split(order, min(BINS, len(p)))
        if len(part)
    ]


def _roc(p: Floats, happened: Any, points: int = 60) -> list[list[float]]:
    """(false positive share, true positive share), thinned."""
    order = np.argsort(-p, kind="stable")
    hits, false = np.cumsum(happened[order]), np.cumsum(~happened[order])
    at = np.unique(np.linspace(0, len(p) - 1, points).astype(int))
    return [[0.0, 0.0], *([round(float(false[i] / false[-1]), 4), round(float(hits[i] / hits[-1]), 4)] for i in at)]


def _ratio(expected: float, observed: float) -> float | None:
    return round(float(expected / observed), 3) if observed else None


def _rounded(value: Any) -> Any:
    return float(f"{value:.5g}") if isinstance(value, float) else value
