"""The alert policy of a pathway: plain numbers, each with its source, stored as JSON and changed by the site.

A rule watches one measure. It raises when the measure was at or above `raise_at` for `hits` of the last
`window_h` hours, and clears after `close_after_h` hours below `close_at` (lower than `raise_at`:
hysteresis). All defaults are site-configurable [G] unless their source says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from recovery.twin.errors import TwinError

Kind = Literal["physiological", "behavioural", "data_stopped", "device_fault", "model_uncertain"]
Severity = Literal["low", "medium", "high"]
KINDS: tuple[Kind, ...] = ("physiological", "behavioural", "data_stopped", "device_fault", "model_uncertain")
SEVERITIES: tuple[Severity, ...] = ("low", "medium", "high")


class BadPolicy(TwinError):
    """A stored policy that cannot be read, or whose numbers contradict each other."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One cause: its lane, its limits in the unit of its measure (see `alerts.MEASURES`), its persistence.

    `high_at` is the value from which the severity is one step above `severity` (None: never). An alert that still
    stands after `again_after_h` hours, its value at or above `raise_at`, is raised again (None: never).
    """

    cause: str
    kind: Kind
    severity: Severity
    raise_at: float
    close_at: float
    hits: int
    window_h: int
    close_after_h: int
    source: str
    high_at: float | None = None
    again_after_h: float | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS or self.severity not in SEVERITIES:
            raise BadPolicy(f"rule {self.cause}: kind {self.kind!r} or severity {self.severity!r} is not known")
        if not self.close_at <= self.raise_at:
            raise BadPolicy(f"rule {self.cause} closes at {self.close_at}, above its raising limit {self.raise_at}")
        if not 1 <= self.hits <= self.window_h:
            raise BadPolicy(f"rule {self.cause} asks for {self.hits} of {self.window_h} hours")
        if self.close_after_h < 0:
            raise BadPolicy(f"rule {self.cause} closes after {self.close_after_h} h")
        if self.again_after_h is not None and self.again_after_h <= 0:
            raise BadPolicy(f"rule {self.cause} is raised again after {self.again_after_h} h")

    def severity_at(self, value: float) -> Severity:
        if self.high_at is None or value < self.high_at:
            return self.severity
        return SEVERITIES[min(SEVERITIES.index(self.severity) + 1, 2)]


@dataclass(frozen=True, slots=True)
class AlertPolicy:
    """The rules of one pathway. `version` names the policy in every alert it raises."""

    version: str
    rules: tuple[Rule, ...]

    def __post_init__(self) -> None:
        causes = [rule.cause for rule in self.rules]
        if len(set(causes)) < len(causes):
            raise BadPolicy("two rules share a cause; one cause has one rule")

    def to_plain(self) -> dict[str, Any]:
        return {"version": self.version, "rules": [asdict(rule) for rule in self.rules]}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> AlertPolicy:
        """Inverse of `to_plain`; raises BadPolicy."""
        try:
            return cls(str(plain["version"]), tuple(Rule(**rule) for rule in plain["rules"]))
        except (KeyError, TypeError) as problem:
            raise BadPolicy(f"stored alert policy cannot be read: {problem}") from problem


HOME_BUDGET = "at home about one alert per patient-week [G: clinical-reference rule 11]"
DEFAULT_POLICY = AlertPolicy(
    "alerts-2",
    (
        Rule(
            "suspicion",
            "physiological",
            "medium",
            raise_at=0.06,
            close_at=0.03,
            hits=1,
            window_h=1,
            close_after_h=12,
            high_at=0.14,
            again_after_h=12.0,
            source=f"[M] tuned to a budget of false alarms on a synthetic cohort out of fold; {HOME_BUDGET}",
        ),
        Rule(
            "deterioration",
            "physiological",
            "low",
            raise_at=1.6,
            close_at=0.8,
            hits=3,
            window_h=6,
            close_after_h=12,
            high_at=8.0,
            source=f"[G] chosen on a synthetic cohort, where about one alert in five was right; {HOME_BUDGET}",
        ),
        Rule(
            "news2",
            "physiological",
            "medium",
            raise_at=5.0,
            close_at=3.0,
            hits=3,
            window_h=6,
            close_after_h=12,
            high_at=7.0,
            source="NEWS2 5 urgent, 7 emergency [V: RCP 2017]; persistence [G] because these are worn sensors",
        ),
        Rule(
            "risk",
            "physiological",
            "low",
            raise_at=0.15,
            close_at=0.08,
            hits=2,
            window_h=6,
            close_after_h=24,
            high_at=0.35,
            source=f"[G] chance of a complication within 24 h, chosen on a synthetic cohort; {HOME_BUDGET}",
        ),
        Rule(
            "activity",
            "behavioural",
            "low",
            raise_at=2.2,
            close_at=1.0,
            hits=24,
            window_h=30,
            close_after_h=24,
            source="[G] the worst hundredth of days of a synthetic cohort; steps under half of expected for two"
            " days cost 0.69 false alerts per healthy month [V: measured]",
        ),
        Rule(
            "pain",
            "behavioural",
            "low",
            raise_at=1.5,
            close_at=0.7,
            hits=24,
            window_h=30,
            close_after_h=24,
            source="[G] worst hundredth of days of a synthetic cohort; a rise of 2 points after day 3 is the ward rule",
        ),
        Rule(
            "data_stopped",
            "data_stopped",
            "low",
            raise_at=24.0,
            close_at=6.0,
            hits=1,
            window_h=1,
            close_after_h=0,
            source="[G] a day without any reading; a patient who stops wearing the device is not well (rule 19)",
        ),
        Rule(
            "device_fault",
            "device_fault",
            "low",
            raise_at=0.2,
            close_at=0.05,
            hits=6,
            window_h=12,
            close_after_h=12,
            source="[G] a fifth of the last day's readings refused as implausible",
        ),
        Rule(
            "model_uncertain",
            "model_uncertain",
            "low",
            raise_at=1.0,
            close_at=0.5,
            hits=12,
            window_h=18,
            close_after_h=12,
            source="[G] the risk model has abstained for half a day while readings arrive",
        ),
    ),
)

STAND_INS = ("deterioration", "risk")
"""Causes that are information while the hypotheses are weighed, and alarms where they are not."""


def without_hypotheses(policy: AlertPolicy) -> AlertPolicy:
    """The policy where no hypotheses serve the twin (a population learned here, say): the stand-ins alarm instead.
    A policy that never asked for hypotheses stays as its site wrote it."""
    if all(rule.cause != "suspicion" for rule in policy.rules):
        return policy
    rules = tuple(
        replace(rule, severity="medium") if rule.cause in STAND_INS and rule.severity == "low" else rule
        for rule in policy.rules
    )
    return replace(policy, rules=rules)
