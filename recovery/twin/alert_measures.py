"""The number behind each cause of alert, with the measured facts that make it up.

suspicion       calibrated probability that a complication is under way (`suspicion.consider`)
deterioration   sum over the vital signs of their strength (`Signal.strength`), worse side only
news2           points of the score given
risk            probability of a new complication within 24 h
activity, pain  strength of steps, of pain
data_stopped    hours since the newest reading of anything worn
device_fault    largest share of a metric's readings of the last day refused as implausible
model_uncertain 1 while the model abstains although readings arrive, else 0
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from recovery.twin.facts import Fact
from recovery.twin.metrics import METRICS
from recovery.twin.risk import ABSTENTIONS, RiskEstimate
from recovery.twin.scores.result import ScoreResult
from recovery.twin.signals import VITALS, Signal, by_metric, newest_worn_h
from recovery.twin.surprise import RecoveryFeatures
from recovery.twin.suspicion import Suspicion, facts

RISK_HORIZON_H = 24
"""Of the horizons, the one that a change of today moves most."""
NOTABLE = 0.5
"""A metric is told as a fact from this strength on [G: this project's choice]."""
NOT_THE_MODEL = frozenset({"already_diagnosed", "before_surgery", "after_day_30", "no_recent_data"})
"""Abstentions that are no shortcoming of the model: silence of the device has its own cause."""


MODEL_SPEAKS = Fact("model_speaks", "model")


class Measure(NamedTuple):
    """What a rule watches: a number in the rule's unit and the facts that make it up. may_raise: whether the number
    rests on enough to raise an alert; what stands already is held or cleared by the number alone."""

    value: float
    because: tuple[Fact, ...]
    may_raise: bool = True


def measures(
    features: RecoveryFeatures,
    risks: Collection[RiskEstimate],
    scores: Collection[ScoreResult],
    refused: Mapping[str, float],
    lasting: Mapping[str, float],
    suspicion: Suspicion | None = None,
) -> dict[str, Measure]:
    """What can be known now, by cause. A cause that is absent is not known, which is not the same as
    quiet."""
    found = by_metric(features)
    known = {
        "suspicion": suspected(suspicion),
        "deterioration": deterioration([found[m] for m in VITALS if m in found], lasting),
        "news2": score("news2", scores),
        "risk": risk(risks),
        "activity": deviation(found.get("steps"), lasting),
        "pain": deviation(found.get("pain"), lasting),
        "data_stopped": silence(newest_worn_h(features)),
        "device_fault": refusals(refused),
        "model_uncertain": abstaining(risks, found.values()),
    }
    return {cause: measure for cause, measure in known.items() if measure is not None}


def suspected(found: Suspicion | None) -> Measure | None:
    if found is None or found.probability is None:
        return None
    return Measure(found.probability, facts(found), may_raise=found.sustained)


def deterioration(vitals: Collection[Signal], lasting: Mapping[str, float]) -> Measure | None:
    current = [signal for signal in vitals if signal.is_current]
    if not current:
        return None
    value = sum(max(0.0, signal.strength) for signal in current)
    notable = sorted((s for s in current if s.strength >= NOTABLE), key=lambda s: -s.strength)
    told = tuple(signal.fact(lasting.get(signal.metric)) for signal in notable)
    return Measure(value, told or (Fact("near_own_curve", "vitals", "vital signs"),))


def deviation(signal: Signal | None, lasting: Mapping[str, float]) -> Measure | None:
    if signal is None or not signal.is_current:
        return None
    return Measure(signal.strength, (signal.fact(lasting.get(signal.metric)),))


def score(key: str, scores: Collection[ScoreResult]) -> Measure | None:
    found = next((s for s in scores if s.score == key), None)
    if found is None or found.value is None:
        return None
    label = found.label if found.complete else f"{found.label} (partial: {', '.join(found.missing)} missing)"
    told = [Fact("score", key, label, float(found.value))]
    told += [Fact("three_points", item.key, item.label) for item in found.worst_items]
    return Measure(float(found.value), tuple(told))


def risk(risks: Collection[RiskEstimate]) -> Measure | None:
    found = next((r for r in risks if r.outcome == "complication" and r.horizon_h == RISK_HORIZON_H), None)
    if found is None or found.probability is None:
        return None
    told = Fact("risk", "risk", found.label, found.probability, "1", float(RISK_HORIZON_H), found.low, found.high)
    doubt = (Fact("doubt_not_counted", "risk"),) if "suspicion_as_given" in found.notes else ()
    return Measure(found.probability, (told, *doubt, *(r.fact for r in found.reasons if r.direction == "raises")))


def silence(age_h: float | None) -> Measure | None:
    return None if age_h is None else Measure(age_h, (Fact("data_age", "data_age", "", age_h, "h"),))


def refusals(refused: Mapping[str, float]) -> Measure | None:
    if not refused:
        return None
    worst = max(refused, key=lambda key: refused[key])
    return Measure(refused[worst], (Fact("refused", worst, METRICS[worst].label.lower(), refused[worst], "1"),))


def abstaining(risks: Collection[RiskEstimate], found: Collection[Signal]) -> Measure | None:
    whole = {r.abstained_because for r in risks if r.outcome == "complication"}
    if not whole or not any(signal.is_current for signal in found):
        return None
    silent = sorted(reason for reason in whole if reason is not None and reason not in NOT_THE_MODEL)
    return Measure(
        float(bool(silent)), tuple(Fact("abstained", "model", ABSTENTIONS[why]) for why in silent) or (MODEL_SPEAKS,)
    )
