"""Offline only: one patient of a backtest, and what was known of them at any hour."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from recovery.twin.evaluate_backtest_judge import Lab
from recovery.twin.fit_cohort import Case
from recovery.twin.profile import Profile
from recovery.twin.risk_inputs import RiskFactors

IN_PROFILE = frozenset(("bmi", "frailty"))
BASELINE_HOURS = 28 * 24
"""How long before surgery readings still speak of the own baseline; the same as live."""


class Fact(NamedTuple):
    """Something learned of the patient besides readings: hour at which it became known, key of `Profile` or
    `RiskFactors`, value."""

    known_h: float
    key: str
    value: float


class Dated(NamedTuple):
    """A laboratory value and when it became known."""

    known_h: float
    lab: Lab


class Known(NamedTuple):
    since_h: float
    profile: Profile
    factors: RiskFactors


@dataclass(frozen=True)
class Subject:
    """One operation with its outcomes. case.profile and case.factors hold what was known before everything in
    `facts`; case.samples with case.arrived are the readings. attributes: for tables by subgroup. until_h: looks at or
    after this hour are not made. last_h: hour of the last sample."""

    case: Case
    facts: Sequence[Fact] = ()
    labs: Sequence[Dated] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)
    until_h: float = np.inf

    @property
    def last_h(self) -> float:
        ends = [float(s.hours.max()) for s in self.case.samples.values() if len(s)]
        return max(ends, default=0.0)

    def history(self) -> list[Known]:
        """What was known, version by version, oldest first; the first holds at look 0."""
        profile, factors = self.case.profile, self.case.factors
        told = [Known(-np.inf, profile, factors)]
        for fact in sorted(self.facts):
            if fact.key in IN_PROFILE:
                profile = replace(profile, **_named(fact))
            else:
                factors = replace(factors, **_named(fact))
            told.append(Known(fact.known_h, profile, factors))
        return told


def _named(fact: Fact) -> dict[str, Any]:
    flag = fact.key not in (*IN_PROFILE, "asa", "blood_loss_ml", "duration_h")
    return {fact.key: bool(fact.value) if flag else fact.value}


class Knowledge:
    """Walks forward through what was known of one subject; never looks ahead."""

    def __init__(self, subject: Subject) -> None:
        self._told = subject.history()
        self._since = [known.since_h for known in self._told]
        self._labs = sorted(subject.labs)
        self._arrived = [dated.known_h for dated in self._labs]
        self._diagnoses = sorted((at, outcome) for at, _, outcome in subject.case.diagnoses)

    def at(self, hour: float) -> Known:
        return self._told[bisect_right(self._since, hour) - 1]

    def labs(self, hour: float) -> tuple[Lab, ...]:
        return tuple(dated.lab for dated in self._labs[: bisect_right(self._arrived, hour)])

    def diagnosed(self, hour: float) -> frozenset[str]:
        return frozenset(outcome for at, outcome in self._diagnoses if at <= hour)
