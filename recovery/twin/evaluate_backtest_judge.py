"""Offline only: the one place where a backtest asks for judgement. Another judge is another file like this one.

A `Judge` is given looks (what is known of a patient at an hour, the twin included) and answers with risks and alert
decisions. `PolicyJudge` is what the product does live: `risk.assess` and `alerts.candidates`, computed for many
patients at once (a test holds it to the one-patient calls).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from math import nan
from typing import Any, NamedTuple, Protocol

import numpy as np

from recovery.twin.alert_measures import RISK_HORIZON_H, deterioration
from recovery.twin.alert_policy import DEFAULT_POLICY, AlertPolicy, without_hypotheses
from recovery.twin.alerts import AlertCandidate, candidates
from recovery.twin.hypotheses import HypothesisModel, prior_log_hazard, weigh
from recovery.twin.incidence import LABELS, OUTCOMES, procedure_class
from recovery.twin.profile import Profile
from recovery.twin.risk import RiskEstimate, already, coherent, silence_of_data
from recovery.twin.risk_inputs import RiskFactors, RiskInputs, recent_inputs, static_inputs
from recovery.twin.scores import news2
from recovery.twin.scores.news2 import YOUNGEST
from recovery.twin.scores.result import ScoreRefused, ScoreResult
from recovery.twin.signals import FRESH_H, VITALS, Signal, by_metric, newest_worn_h
from recovery.twin.state import TwinState
from recovery.twin.support import is_sustained, readings_for
from recovery.twin.surprise import RecoveryFeatures
from recovery.twin.surprise_blocks import all_in_order_of
from recovery.twin.survival import HORIZONS, Floats, HazardModel, predict, probability
from recovery.twin.suspicion import Suspicion, by_name
from recovery.twin.suspicion import silence as silence_of_hypotheses
from recovery.twin.under_way import joined, shares, with_what_is_under_way

HOURLY_FRESH_H = FRESH_H["hour"]


class Lab(NamedTuple):
    """A measured value that the twin does not follow, as known: hours after surgery, LOINC code, value, UCUM unit."""

    hour: float
    code: str
    value: float
    unit: str


@dataclass(frozen=True, slots=True)
class Look:
    """What is known of one patient at `hour` after surgery; nothing of it arrived later.

    newest: the newest value of each hourly metric while it is fresh. refused: share of each metric's last day that
    the plausibility gate refused. memory: what the judge asked to be kept at the last look. state: the twin itself,
    built when called.
    """

    patient: str
    hour: float
    profile: Profile
    factors: RiskFactors
    diagnosed: frozenset[str]
    features: RecoveryFeatures
    newest: Mapping[str, float]
    refused: Mapping[str, float]
    labs: tuple[Lab, ...]
    memory: Mapping[str, Any]
    state: Callable[[], TwinState | None]


@dataclass(frozen=True, slots=True)
class Judgement:
    """raised: alerts that begin now. measures: the numbers behind them, by name, for burden curves; a name that is
    absent was not known. risks: filled when they were asked for."""

    raised: tuple[AlertCandidate, ...]
    memory: Mapping[str, Any]
    measures: Mapping[str, float]
    risks: tuple[RiskEstimate, ...] = ()


class Judge(Protocol):
    """Looks of one call are of different patients; calls come in order of time."""

    @property
    def version(self) -> str: ...

    def judge(self, looks: Sequence[Look], *, with_risks: bool) -> list[Judgement]: ...


@dataclass(frozen=True)
class PolicyJudge:
    """The product as it is live. hazards, hypotheses: one model each, or one per fold of patients (`fold_of`);
    without hypotheses no suspicion is told, and the policy's stand-ins alarm as they do live."""

    hazards: tuple[HazardModel, ...]
    policy: AlertPolicy = DEFAULT_POLICY
    hypotheses: tuple[HypothesisModel, ...] = ()
    fold_of: Callable[[str], int] = field(default=lambda patient: 0)

    @cached_property
    def in_force(self) -> AlertPolicy:
        return self.policy if self.hypotheses else without_hypotheses(self.policy)

    @property
    def version(self) -> str:
        weighed = "/".join(one.version for one in self.hypotheses[:1])
        return "/".join(part for part in (self.hazards[0].version, weighed, self.policy.version) if part)

    def judge(self, looks: Sequence[Look], *, with_risks: bool) -> list[Judgement]:
        found, inputs = [], []
        for look in looks:
            found.append(by_metric(look.features))
            inputs.append(_inputs(look, found[-1]))
        horizons, outcomes = (HORIZONS, OUTCOMES) if with_risks else ((RISK_HORIZON_H,), ("complication",))
        models = [self.hazards[self.fold_of(look.patient)] for look in looks]
        values = [_values(*row) for row in zip(models, inputs, strict=True)]
        suspicions = self._suspicions(looks, values)
        told = [_Told(*row) for row in zip(looks, inputs, values, map(shares, suspicions), strict=True)]
        risks = self._risks(told, horizons, outcomes, with_intervals=with_risks)
        return [self._judged(*row, with_risks) for row in zip(looks, found, risks, suspicions, strict=True)]

    def _judged(
        self,
        look: Look,
        found: Mapping[str, Signal],
        risks: tuple[RiskEstimate, ...],
        suspected: Suspicion | None,
        with_risks: bool,
    ) -> Judgement:
        score = partial_news2(look)
        scores = () if score is None else (score,)
        told, memory = candidates(
            look.features, risks, scores, self.in_force, look.memory, refused=look.refused, suspicion=suspected
        )
        raised = tuple(one for one in told if one.change == "raised")
        return Judgement(raised, memory, _measures(found, risks, score, suspected), risks if with_risks else ())

    def _suspicions(self, looks: Sequence[Look], values: Sequence[list[float]]) -> list[Suspicion | None]:
        """Per look what `suspicion.consider` says, without the hypotheses by name, which only people read."""
        told: list[Suspicion | None] = [None] * len(looks)
        if not self.hypotheses:
            return told
        groups: dict[tuple[int, str], list[int]] = defaultdict(list)
        for i, look in enumerate(looks):
            fold = self.fold_of(look.patient)
            why = silence_of_hypotheses(look.features, self.hypotheses[fold])
            if why is None:
                groups[fold, procedure_class(look.profile.procedure)].append(i)
        for (fold, row), members in groups.items():
            mine = ([looks[i] for i in members], [values[i] for i in members])
            found = _suspected(self.hypotheses[fold], self.hazards[fold], row, *mine)
            for i, one in zip(members, found, strict=True):
                told[i] = one
        return told

    def _risks(
        self,
        told: Sequence[_Told],
        horizons: tuple[int, ...],
        outcomes: Collection[str],
        *,
        with_intervals: bool,
    ) -> list[tuple[RiskEstimate, ...]]:
        """Per look the estimates of `risk.assess`, without the reasons, which only people read, and without the
        intervals unless they are asked for."""
        risks: list[tuple[RiskEstimate, ...]] = [()] * len(told)
        groups: dict[tuple[int, str, bool], list[int]] = defaultdict(list)
        for i, one in enumerate(told):
            row = procedure_class(one.look.profile.procedure)
            groups[self.fold_of(one.look.patient), row, bool(one.begun)].append(i)
        for (fold, row, _), members in groups.items():
            asked = _Asked(self.hazards[fold], row, horizons, with_intervals)
            for i, estimates in zip(members, _estimates(asked, [told[i] for i in members], outcomes), strict=True):
                risks[i] = estimates
        return risks


def partial_news2(look: Look) -> ScoreResult | None:
    """NEWS2 of the newest fresh values, as at the bedside; None under 16 years or without an age."""
    age = look.profile.age_years
    if age is None or age < YOUNGEST:
        return None
    try:
        return news2(
            age_years=age,
            respiratory_rate=look.newest.get("respiratory_rate"),
            spo2=look.newest.get("spo2"),
            systolic=_systolic(look),
            pulse=look.newest.get("heart_rate"),
            temperature=look.newest.get("temperature"),
        )
    except ScoreRefused:
        return None


SYSTOLIC = "8480-6"
MMHG = ("mm[Hg]", "mmHg")


def _systolic(look: Look) -> float | None:
    """The newest cuff pressure of the last 12 h."""
    found = [lab for lab in look.labs if lab.code == SYSTOLIC and lab.unit in MMHG]
    newest = max(found, default=None)
    return newest.value if newest and look.hour - newest.hour <= HOURLY_FRESH_H else None


def _suspected(
    model: HypothesisModel, hazards: HazardModel, row: str, looks: Sequence[Look], values: Sequence[list[float]]
) -> list[Suspicion]:
    hours = np.array([look.hour for look in looks])
    seen = all_in_order_of(model.metrics, [look.features.blocks for look in looks])
    known = np.array(values).reshape(len(looks), len(hazards.features))
    weighed = weigh(model, seen, prior_log_hazard(model, hazards, row, hours, known), hours)
    sustained = is_sustained(readings_for(model, seen, weighed)).tolist()
    return [
        Suspicion(p, q, (), model.version, model.evidence, complications=by_name(model, posterior), sustained=told)
        for p, q, posterior, told in zip(
            weighed.suspicion.tolist(), weighed.ordinary.tolist(), weighed.posterior, sustained, strict=True
        )
    ]


def _measures(
    found: Mapping[str, Signal],
    risks: Sequence[RiskEstimate],
    score: ScoreResult | None,
    suspected: Suspicion | None,
) -> Mapping[str, float]:
    vitals = deterioration([found[key] for key in VITALS if key in found], {})
    risk = next((r for r in risks if r.outcome == "complication" and r.horizon_h == RISK_HORIZON_H), None)
    known = {
        "suspicion": _raises(suspected) if suspected else None,
        "deterioration": vitals.value if vitals else None,
        "risk": risk.probability if risk else None,
        "news2": score.value if score else None,
    }
    return {name: float(value) for name, value in known.items() if value is not None}


def _raises(suspected: Suspicion) -> float | None:
    """The suspicion as its rule reads it: what rests on one reading reaches no limit."""
    return suspected.probability if suspected.sustained else 0.0


@lru_cache(maxsize=4096)
def _static(profile: Profile, factors: RiskFactors) -> Mapping[str, float]:
    return static_inputs(profile, factors)


def inputs_of(look: Look) -> RiskInputs:
    """As `risk_inputs`, without the facts that word reasons."""
    return _inputs(look, by_metric(look.features))


def _inputs(look: Look, found: Mapping[str, Signal]) -> RiskInputs:
    age = newest_worn_h(look.features)
    values = {**_static(look.profile, look.factors), **recent_inputs(found, age)}
    return RiskInputs(values, {}, bool(found), age)


class _Told(NamedTuple):
    """A look with the inputs of its risks, their values in the order of the model, and what has begun by outcome."""

    look: Look
    inputs: RiskInputs
    values: list[float]
    begun: Mapping[str, float]


class _Asked(NamedTuple):
    """The risks asked for, of one fold and kind of operation."""

    model: HazardModel
    row: str
    horizons: tuple[int, ...]
    with_intervals: bool


class _Numbers(NamedTuple):
    """(looks, horizons) each; low and high None where no interval was asked for."""

    probability: Floats
    low: Floats | None
    high: Floats | None


def _values(model: HazardModel, inputs: RiskInputs) -> list[float]:
    return [inputs.values.get(feature.key, nan) for feature in model.features]


def _estimates(asked: _Asked, told: Sequence[_Told], outcomes: Collection[str]) -> list[tuple[RiskEstimate, ...]]:
    """What has begun is known of all of `told` or of none."""
    model = asked.model
    hours = np.array([one.look.hour for one in told])
    values = np.array([one.values for one in told]).reshape(len(told), len(model.features))
    silent = [_silence(one, beyond) for one, beyond in zip(told, model.outside(values).tolist(), strict=True)]
    found: list[list[RiskEstimate]] = [[] for _ in told]
    for outcome in outcomes:
        if model.baseline(outcome, asked.row) is None:
            continue
        why = [quiet or already(outcome, one.look.diagnosed) for quiet, one in zip(silent, told, strict=True)]
        spoken = [i for i, reason in enumerate(why) if reason is None]
        numbers = _predicted(asked, outcome, hours[spoken], values[spoken], [told[i].begun for i in spoken])
        place = {i: n for n, i in enumerate(spoken)}
        for i, reason in enumerate(why):
            found[i] += _rows(asked, outcome, reason, numbers, place.get(i, 0), told[i].inputs.data_age_h)
    return [coherent(tuple(one)) for one in found]


def _silence(one: _Told, beyond: bool) -> str | None:
    """As `risk.silence`."""
    look = one.look
    why = silence_of_data(look.profile, look.features, look.hour, one.inputs)
    return why or ("outside_training_range" if beyond else None)


def _predicted(
    asked: _Asked, outcome: str, hours: Floats, values: Floats, begun: Sequence[Mapping[str, float]]
) -> _Numbers | None:
    if not begun:
        return None
    model, row, horizons, with_intervals = asked
    weighed = outcome in begun[0]
    share = [one[outcome] for one in begun] if weighed else []
    if not with_intervals:
        alone = probability(model, outcome, row, hours, values, horizons, yet_to_begin=weighed)
        return _Numbers(joined(alone, share, horizons) if weighed else alone, None, None)
    found = predict(model, outcome, row, hours, values, horizons, yet_to_begin=weighed)
    return _Numbers(*(with_what_is_under_way(found, share, horizons) if weighed else found)[:3])


def _rows(
    asked: _Asked, outcome: str, why: str | None, numbers: _Numbers | None, place: int, age: float | None
) -> list[RiskEstimate]:
    """place: of the look among those that are spoken of."""
    probability, low, high = (None, None, None) if numbers is None or why else numbers
    return [
        RiskEstimate(
            outcome,
            LABELS[outcome],
            horizon,
            None if probability is None else float(probability[place, i]),
            None if low is None else float(low[place, i]),
            None if high is None else float(high[place, i]),
            (),
            asked.model.version,
            why,
            asked.model.evidence,
            age,
        )
        for i, horizon in enumerate(asked.horizons)
    ]
