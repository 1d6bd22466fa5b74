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
from recovery.twin.risk import RiskEstimate, already, coherent, silence
from recovery.twin.risk_inputs import RiskFactors, RiskInputs, recent_inputs, static_inputs
from recovery.twin.scores import news2
from recovery.twin.scores.news2 import YOUNGEST
from recovery.twin.scores.result import ScoreRefused, ScoreResult
from recovery.twin.signals import FRESH_H, VITALS, Signal, by_metric, newest_worn_h
from recovery.twin.state import TwinState
from recovery.twin.surprise import RecoveryFeatures
from recovery.twin.surprise_blocks import Blocks, in_order_of
from recovery.twin.survival import HORIZONS, Floats, HazardModel, Prediction, predict
from recovery.twin.suspicion import Suspicion, by_name
from recovery.twin.suspicion import silence as silence_of_hypotheses
from recovery.twin.under_way import shares, with_what_is_under_way

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
        suspicions = self._suspicions(looks, inputs)
        risks = self._risks(looks, inputs, suspicions, horizons, outcomes)
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

    def _suspicions(self, looks: Sequence[Look], inputs: Sequence[RiskInputs]) -> list[Suspicion | None]:
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
            mine = ([looks[i] for i in members], [inputs[i] for i in members])
            found = _suspected(self.hypotheses[fold], self.hazards[fold], row, *mine)
            for i, one in zip(members, found, strict=True):
                told[i] = one
        return told

    def _risks(
        self,
        looks: Sequence[Look],
        inputs: Sequence[RiskInputs],
        suspicions: Sequence[Suspicion | None],
        horizons: tuple[int, ...],
        outcomes: Collection[str],
    ) -> list[tuple[RiskEstimate, ...]]:
        """Per look the estimates of `risk.assess`, without the reasons, which only people read."""
        told: list[tuple[RiskEstimate, ...]] = [()] * len(looks)
        begun = [shares(one) for one in suspicions]
        groups: dict[tuple[int, str, bool], list[int]] = defaultdict(list)
        for i, look in enumerate(looks):
            row = procedure_class(look.profile.procedure)
            groups[self.fold_of(look.patient), row, bool(begun[i])].append(i)
        for (fold, row, _), members in groups.items():
            mine = ([looks[i] for i in members], [inputs[i] for i in members], [begun[i] for i in members])
            for i, estimates in zip(
                members, _estimates(self.hazards[fold], row, *mine, horizons, outcomes), strict=True
            ):
                told[i] = estimates
        return told


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
    model: HypothesisModel, hazards: HazardModel, row: str, looks: Sequence[Look], inputs: Sequence[RiskInputs]
) -> list[Suspicion]:
    hours = np.array([look.hour for look in looks])
    values = np.array([[one.values.get(f.key, nan) for f in hazards.features] for one in inputs])
    blocks = [in_order_of(model.metrics, look.features.blocks) for look in looks]
    seen = Blocks(np.stack([one.mean for one in blocks]), np.stack([one.n for one in blocks]))
    priors = prior_log_hazard(model, hazards, row, hours, values.reshape(len(looks), len(hazards.features)))
    weighed = weigh(model, seen, priors, hours)
    return [
        Suspicion(p, q, (), model.version, model.evidence, complications=by_name(model, posterior))
        for p, q, posterior in zip(
            weighed.suspicion.tolist(), weighed.ordinary.tolist(), weighed.posterior, strict=True
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
        "suspicion": suspected.probability if suspected else None,
        "deterioration": vitals.value if vitals else None,
        "risk": risk.probability if risk else None,
        "news2": score.value if score else None,
    }
    return {name: float(value) for name, value in known.items() if value is not None}


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


def _estimates(
    model: HazardModel,
    row: str,
    looks: Sequence[Look],
    inputs: Sequence[RiskInputs],
    begun: Sequence[Mapping[str, float]],
    horizons: tuple[int, ...],
    outcomes: Collection[str],
) -> list[tuple[RiskEstimate, ...]]:
    """Of one fold and kind of operation; `begun` is known of all of them or of none."""
    hours = np.array([look.hour for look in looks])
    keys = [f.key for f in model.features]
    values = np.array([[one.values.get(key, nan) for key in keys] for one in inputs]).reshape(len(looks), len(keys))
    silent = [silence(x.profile, x.features, x.hour, one, model) for x, one in zip(looks, inputs, strict=True)]
    told: list[list[RiskEstimate]] = [[] for _ in looks]
    for outcome in outcomes:
        if model.baseline(outcome, row) is None:
            continue
        why = [quiet or already(outcome, look.diagnosed) for quiet, look in zip(silent, looks, strict=True)]
        spoken = [i for i, reason in enumerate(why) if reason is None]
        found = _predicted(model, outcome, row, hours[spoken], values[spoken], horizons, [begun[i] for i in spoken])
        place = {i: n for n, i in enumerate(spoken)}
        for i, reason in enumerate(why):
            told[i] += _rows(model, outcome, horizons, reason, found, place.get(i, 0), inputs[i].data_age_h)
    return [coherent(tuple(one)) for one in told]


def _predicted(
    model: HazardModel,
    outcome: str,
    row: str,
    hours: Floats,
    values: Floats,
    horizons: tuple[int, ...],
    begun: Sequence[Mapping[str, float]],
) -> Prediction | None:
    if not begun:
        return None
    weighed = outcome in begun[0]
    found = predict(model, outcome, row, hours, values, horizons, yet_to_begin=weighed)
    return with_what_is_under_way(found, [one[outcome] for one in begun], horizons) if weighed else found


def _rows(
    model: HazardModel,
    outcome: str,
    horizons: tuple[int, ...],
    why: str | None,
    found: Prediction | None,
    place: int,
    age: float | None,
) -> list[RiskEstimate]:
    probability, low, high = (None, None, None) if found is None or why else found[:3]
    return [
        RiskEstimate(
            outcome,
            LABELS[outcome],
            horizon,
            None if probability is None else float(probability[place, i]),
            None if low is None else float(low[place, i]),
            None if high is None else float(high[place, i]),
            (),
            model.version,
            why,
            model.evidence,
            age,
        )
        for i, horizon in enumerate(horizons)
    ]
