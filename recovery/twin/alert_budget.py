"""Tuning the policy to what a unit can bear: so many false alarms per patient-day, and not more.

A burden curve says, per raising limit of the suspicion, how many false alarms a patient-day it cost. A unit has one in
the report of a backtest on its own past (`report.json`, burden); until then the curve below stands in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from recovery.twin.alert_policy import AlertPolicy, BadPolicy

TUNED_CAUSE = "suspicion"
OTHERS = 0.003
"""False alarms per patient-day left for the rules that are not tuned (measured 0.002 on the synthetic cohort-a)."""
CLOSES_AT = 0.5
"""The closing limit as a share of the raising limit."""


class Burden(NamedTuple):
    """What raising at `limit` cost: false alarms per patient-day free of complications."""

    limit: float
    false_per_patient_day: float


SYNTHETIC_BURDEN = tuple(
    Burden(*row)
    for row in (
        (0.01, 0.16388),
        (0.02, 0.09582),
        (0.03, 0.0671),
        (0.04, 0.04857),
        (0.05, 0.03708),
        (0.06, 0.029),
        (0.07, 0.02335),
        (0.08, 0.01975),
        (0.10, 0.01444),
        (0.12, 0.01128),
        (0.14, 0.00906),
        (0.16, 0.0075),
        (0.18, 0.00642),
        (0.20, 0.00556),
        (0.25, 0.00442),
        (0.30, 0.00353),
        (0.50, 0.00175),
        (0.90, 0.00043),
    )
)
"""[M] Synthetic cohort-a, 1,200 operations, five folds over patients, an alarm at most every 12 h while it stands and
only on sustained evidence (23 November 2026, `bench/README.md`)."""


def for_budget(policy: AlertPolicy, budget: float, burden: Sequence[Burden] = SYNTHETIC_BURDEN) -> AlertPolicy:
    """The policy with the lowest raising limit that keeps within `budget` false alarms per patient-day, all rules
    together, between the measured limits by straight lines. Raises BadPolicy for a budget that no limit keeps."""
    limit = limit_for(budget, burden)
    rules = tuple(
        replace(
            rule,
            raise_at=limit,
            close_at=CLOSES_AT * limit,
            high_at=None if rule.high_at is None else max(rule.high_at, limit),
            source=f"tuned to {budget:g} false alarms per patient-day; {rule.source}",
        )
        if rule.cause == TUNED_CAUSE
        else rule
        for rule in policy.rules
    )
    return replace(policy, version=f"{policy.version}-budget-{budget:g}", rules=rules)


def limit_for(budget: float, burden: Sequence[Burden] = SYNTHETIC_BURDEN) -> float:
    """The raising limit at which the suspicion alone costs `budget` less what is left for other rules."""
    rows = sorted(burden)
    left = budget - OTHERS
    if not rows or left < rows[-1].false_per_patient_day:
        least = rows[-1].false_per_patient_day + OTHERS if rows else 0.0
        raise BadPolicy(
            f"no limit keeps within {budget:g} false alarms per patient-day; the least measured is {least:g}"
        )
    if left >= rows[0].false_per_patient_day:
        return rows[0].limit
    for above, below in zip(rows, rows[1:], strict=False):
        if below.false_per_patient_day <= left:
            share = (above.false_per_patient_day - left) / (above.false_per_patient_day - below.false_per_patient_day)
            return round(above.limit + share * (below.limit - above.limit), 4)
    raise AssertionError("a falling curve passes every value between its ends")
