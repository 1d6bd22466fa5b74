"""Alert candidates: sustained, not instant; closed with hysteresis; one per cause; each with its facts and
options.

Pure: the hour is an argument, what must be remembered between calls is a plain dict for JSON, and the same
calls in the same order give the same answer. What is done with a candidate (rows, owners, deadlines, budget)
is not decided here. This is a distributed information system, not a primary alarm.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import floor
from typing import Any, Literal

from recovery.twin.alert_measures import NOTABLE, Measure, measures
from recovery.twin.alert_policy import AlertPolicy, BadPolicy, Kind, Rule, Severity
from recovery.twin.alert_wording import STEPS, TITLES
from recovery.twin.facts import Fact
from recovery.twin.risk import RiskEstimate
from recovery.twin.scores.result import ScoreResult
from recovery.twin.signals import signals
from recovery.twin.surprise import RecoveryFeatures
from recovery.twin.suspicion import Suspicion

MEMORY_FORMAT = 1
LONGEST_GAP_H = 8.0
"""Two bad looks further apart than this (and than the rule's window) are not one run: devices upload
six-hourly."""

Memory = dict[str, Any]
Change = Literal["raised", "held", "cleared"]


@dataclass(frozen=True, slots=True)
class AlertCandidate:
    """What the policy says about one cause now.

    change: raised (new, or told again because it still stands: then since_h lies before at_h), held (still there:
    extend, do not repeat), cleared (may be closed). since_h: hour after surgery at which it was first raised.
    `steps` are options for a clinician, never orders.
    """

    cause: str
    kind: Kind
    severity: Severity
    change: Change
    title: str
    because: tuple[Fact, ...]
    steps: tuple[str, ...]
    value: float
    since_h: float
    at_h: float
    policy_version: str

    @property
    def told_again(self) -> bool:
        return self.change == "raised" and self.since_h < self.at_h


def candidates(
    features: RecoveryFeatures,
    risks: Collection[RiskEstimate],
    scores: Collection[ScoreResult],
    policy: AlertPolicy,
    memory: Mapping[str, Any],
    *,
    refused: Mapping[str, float] | None = None,
    suspicion: Suspicion | None = None,
) -> tuple[tuple[AlertCandidate, ...], Memory]:
    """The alerts of one patient at `features.now_hour`, and the memory to pass next time ({} the first time).

    refused: share of each metric's readings of the last day that the plausibility gate refused, where known.
    suspicion: what the hypotheses say, where they were weighed.
    A cause whose measure is not known now (no data, no risk) neither gains nor loses: silence is not
    recovery. Raises BadPolicy when the memory is of another format or from a later hour.
    """
    hours = features.now_hour
    past = _checked(memory, hours)
    worse_since = _worse_since(features, past.get("worse_since", {}))
    found = measures(features, risks, scores, refused or {}, _lasting(worse_since, hours), suspicion)
    rows: dict[str, Any] = {}
    out = []
    for rule in policy.rules:
        row, measure = past.get("causes", {}).get(rule.cause, {}), found.get(rule.cause)
        if measure is None:
            rows[rule.cause] = row
            continue
        change, rows[rule.cause] = _step(rule, row, measure, hours)
        if change is not None:
            since = row.get("since", hours)
            out.append(_candidate(rule, policy, measure, change, since, hours))
    kept = {cause: row for cause, row in rows.items() if row}
    return tuple(out), {"format": MEMORY_FORMAT, "at": hours, "worse_since": worse_since, "causes": kept}


def readable(memory: Mapping[str, Any], hours: float) -> Mapping[str, Any]:
    """The memory, or none where it is of another format or from a later hour (a clock set back): what stood then is
    judged afresh."""
    try:
        return _checked(memory, hours)
    except (BadPolicy, KeyError, TypeError, ValueError, AttributeError):
        return {}


def lasting(memory: Mapping[str, Any], hours: float) -> dict[str, float]:
    """For how many hours each metric has been on its worse side, from the memory of the last look; what
    `risk.assess` takes to word its reasons."""
    return _lasting(memory.get("worse_since", {}), hours)


def sustained(rule: Rule, seen: Mapping[int, bool], bad_since: float, hours: float) -> bool:
    """N of the last M hourly looks, or every look for N hours, so that a patient looked at every six hours
    is judged as one looked at hourly."""
    return sum(seen.values()) >= rule.hits or hours - bad_since + 1 >= rule.hits


def _step(rule: Rule, row: Mapping[str, Any], measure: Measure, hours: float) -> tuple[Change | None, dict[str, Any]]:
    """One look at one cause: the change, if any, and what to remember. A cleared cause starts afresh."""
    value, bad = measure.value, measure.may_raise and measure.value >= rule.raise_at
    if "since" in row:
        last_bad = hours if value >= rule.close_at else float(row["last_bad"])
        if value < rule.close_at and hours - last_bad >= rule.close_after_h:
            return "cleared", {}
        return _standing(rule, row, bad, hours, last_bad)
    kept: dict[str, Any] = {"seen": _seen(row.get("seen", ()), floor(hours), bad, rule.window_h)}
    if not bad:
        return None, kept
    bad_since = _bad_since(rule, row, hours)
    if sustained(rule, dict(kept["seen"]), bad_since, hours):
        return "raised", {"since": hours, "last_bad": hours, "told": hours}
    return None, kept | {"bad_since": bad_since, "bad_at": hours}


def _seen(before: Sequence[Sequence[int]], hour: int, hit: bool, window_h: float) -> list[Sequence[int]]:
    """The looks of the window that ends at `hour`, oldest first: [hour, whether bad]; of one hour the last counts."""
    kept = list(before[:-1] if before and before[-1][0] == hour else before)
    while kept and kept[0][0] <= hour - window_h:
        del kept[0]
    kept.append([hour, hit])
    return kept


def _standing(
    rule: Rule, row: Mapping[str, Any], bad: bool, hours: float, last_bad: float
) -> tuple[Change | None, dict[str, Any]]:
    """Still there: told again when the rule asks for it and it would be raised still."""
    since, told = float(row["since"]), float(row.get("told", row["since"]))
    again = rule.again_after_h is not None and hours - told >= rule.again_after_h and bad
    return ("raised" if again else "held"), {"since": since, "last_bad": last_bad, "told": hours if again else told}


def _bad_since(rule: Rule, row: Mapping[str, Any], hours: float) -> float:
    """Start of the unbroken run of bad looks; a silence longer than the window breaks it."""
    unbroken = "bad_since" in row and hours - float(row["bad_at"]) <= max(rule.window_h, LONGEST_GAP_H)
    return float(row["bad_since"]) if unbroken else hours


def _candidate(
    rule: Rule, policy: AlertPolicy, measure: Measure, change: Change, since: float, hours: float
) -> AlertCandidate:
    return AlertCandidate(
        cause=rule.cause,
        kind=rule.kind,
        severity=rule.severity_at(measure.value),
        change=change,
        title=TITLES[rule.cause],
        because=measure.because,
        steps=STEPS[rule.cause],
        value=measure.value,
        since_h=float(since),
        at_h=hours,
        policy_version=policy.version,
    )


def _worse_since(features: RecoveryFeatures, before: Mapping[str, float]) -> dict[str, float]:
    """Per metric notably on its worse side now: the hour at which that began. Without a fresh reading the
    memory stands as it was."""
    since: dict[str, float] = {}
    for signal in signals(features):
        if signal.strength >= NOTABLE or (not signal.is_current and signal.metric in before):
            since[signal.metric] = float(before.get(signal.metric, features.now_hour))
    return since


def _lasting(worse_since: Mapping[str, float], hours: float) -> dict[str, float]:
    return {metric: hours - since for metric, since in worse_since.items() if hours - since >= 1.0}


def _checked(memory: Mapping[str, Any], hours: float) -> Mapping[str, Any]:
    if not memory:
        return {}
    if memory.get("format") != MEMORY_FORMAT:
        raise BadPolicy(f"alert memory has format {memory.get('format')!r}, not {MEMORY_FORMAT}")
    if hours < float(memory["at"]):
        raise BadPolicy(f"alerts were last looked at {memory['at']} h after surgery, after {hours} h")
    return memory
