"""From one patient's profile and recovery features to risks with interval, reasons, and honest silence.

A risk is given for every outcome and horizon that has a published incidence after this kind of operation. It
abstains (probability None, and a sentence) outside the model's domain instead of extrapolating without a
word.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np

from recovery.twin.facts import Fact
from recovery.twin.incidence import GENERIC, LABELS, NAMED, OUTCOMES, procedure_class
from recovery.twin.profile import Profile
from recovery.twin.risk_inputs import RiskFactors, RiskInputs, risk_inputs
from recovery.twin.surprise import RecoveryFeatures
from recovery.twin.survival import COVERED_HOURS, HORIZONS, Floats, HazardModel, Prediction, predict
from recovery.twin.suspicion import Suspicion
from recovery.twin.under_way import shares, with_what_is_under_way

YOUNGEST = 18.0
OLDEST_DATA_H = 48.0
"""No estimate on readings older than this: two missed days of a daily report [G: this project's choice]."""
SMALLEST_REASON = 0.10
"""A reason is worth a line when it moves the hazard by a tenth or more."""
MOST_REASONS = 4
TINY = 1e-12

ABSTENTIONS = {
    "before_surgery": "No risk is given before the operation has ended.",
    "after_day_30": "The model covers the first 30 days after the operation.",
    "age_below_18": "The model was made for adults.",
    "patient_and_operation_not_known": "Neither the kind of operation nor the age is known, so no risk can be given.",
    "no_reading_yet": "No reading has arrived yet, so the present state is not known.",
    "no_recent_data": "No reading has arrived for more than 48 hours, so the present state is not known.",
    "outside_training_range": "This patient lies far outside the range of patients the model has seen.",
    "already_diagnosed": "Already diagnosed; the model speaks of a first occurrence.",
}
NOTES = {
    "operation_not_known": "The kind of operation is not known, so figures for surgery in general are used.",
    "beyond_day_30": "Part of the period lies after day 30, where published figures end; the tail is extrapolated.",
    "no_twin": "No readings are used, only the operation and the patient's history.",
    "held_at_training_edge": "A value beyond anything in training counts as the most extreme seen there.",
    "suspicion_as_given": "The readings count through the suspicion that a complication has begun; the interval does"
    " not cover how sure that suspicion is.",
    "features_not_known": "Some of the patient's risk factors are not known, which widens the interval.",
}


@dataclass(frozen=True, slots=True)
class Reason:
    """One measured fact that moves the risk: direction, size in log hazard, and the fact itself."""

    text_key: str
    feature: str
    direction: Literal["raises", "lowers"]
    contribution: float
    fact: Fact

    @property
    def text(self) -> str:
        return self.fact.text


@dataclass(frozen=True, slots=True)
class RiskEstimate:
    """Probability of a first `outcome` within `horizon_h` hours, with its central 90 % interval.

    probability, low and high are None exactly when `abstained_because` (a key of ABSTENTIONS) is set.
    data_age_h is the age of the newest reading underneath; `notes` are keys of NOTES; `evidence` says what
    the model was fitted on.
    """

    outcome: str
    label: str
    horizon_h: int
    probability: float | None
    low: float | None
    high: float | None
    reasons: tuple[Reason, ...]
    model_version: str
    abstained_because: str | None
    evidence: str
    data_age_h: float | None
    notes: tuple[str, ...] = ()


def assess(
    profile: Profile,
    features: RecoveryFeatures | None,
    hours: float,
    model: HazardModel,
    *,
    factors: RiskFactors | None = None,
    diagnosed: Collection[str] = (),
    lasting: Mapping[str, float] | None = None,
    suspicion: Suspicion | None = None,
    horizons: tuple[int, ...] = HORIZONS,
) -> tuple[RiskEstimate, ...]:
    """All risks of one patient at `hours` after surgery, outcome by outcome, horizon by horizon.

    `features` None means a patient without readings: profile and factors only, and the estimate says so.
    `diagnosed` are outcomes that have already happened; their risk, and that of a first complication,
    abstains. Outcomes without a published figure after this operation (a leak after a knee) are absent.
    `lasting` only words the reasons. `suspicion`: what the hypotheses say now; complications are then told by what is
    under way and what is yet to begin (`under_way`), without it by the hazards of the readings.
    """
    inputs = risk_inputs(profile, features, factors or RiskFactors(), lasting)
    row = procedure_class(profile.procedure)
    outcomes = [o for o in OUTCOMES if model.baseline(o, row) is not None]
    begun = shares(suspicion)
    refusal = silence(profile, features, hours, inputs, model)
    return coherent(
        tuple(
            estimate
            for outcome in outcomes
            for estimate in _estimates(
                model,
                outcome,
                row,
                hours,
                inputs,
                horizons,
                refusal or already(outcome, diagnosed),
                _Begun(begun[outcome], suspicion) if suspicion and outcome in begun else None,
            )
        )
    )


class _Begun(NamedTuple):
    """share: probability that the outcome is under way now."""

    share: float
    suspicion: Suspicion


def _estimates(
    model: HazardModel,
    outcome: str,
    row: str,
    hours: float,
    inputs: RiskInputs,
    horizons: tuple[int, ...],
    refusal: str | None,
    begun: _Begun | None,
) -> tuple[RiskEstimate, ...]:
    values = inputs.in_order_of(model)
    yet = None if refusal else predict(model, outcome, row, hours, values, horizons, yet_to_begin=begun is not None)
    predicted = with_what_is_under_way(yet, begun.share, horizons) if yet and begun else yet
    readings = [_readings(inputs, begun, float(one)) for one in _raised(yet, predicted, len(horizons))]
    return tuple(
        RiskEstimate(
            outcome=outcome,
            label=LABELS[outcome],
            horizon_h=horizon,
            probability=float(predicted.probability[i]) if predicted else None,
            low=float(predicted.low[i]) if predicted else None,
            high=float(predicted.high[i]) if predicted else None,
            reasons=_reasons(model, inputs, predicted, i, readings[i]) if predicted else (),
            model_version=model.version,
            abstained_because=refusal,
            evidence=model.evidence,
            data_age_h=inputs.data_age_h,
            notes=_notes(model, inputs, row, hours + horizon, begun is not None),
        )
        for i, horizon in enumerate(horizons)
    )


def silence(
    profile: Profile, features: RecoveryFeatures | None, hours: float, inputs: RiskInputs, model: HazardModel
) -> str | None:
    """Why no risk at all can be given, as a key of ABSTENTIONS."""
    why = silence_of_data(profile, features, hours, inputs)
    if why is None and any(f.far_outside(inputs.value(f.key, f.mean)) for f in model.features):
        return "outside_training_range"
    return why


def silence_of_data(
    profile: Profile, features: RecoveryFeatures | None, hours: float, inputs: RiskInputs
) -> str | None:
    """`silence` without what depends on the model."""
    if hours < 0:
        return "before_surgery"
    if hours > COVERED_HOURS:
        return "after_day_30"
    if profile.age_years is not None and profile.age_years < YOUNGEST:
        return "age_below_18"
    if profile.curve_is_generic and profile.age_years is None:
        return "patient_and_operation_not_known"
    if features is not None and inputs.data_age_h is None:
        return "no_reading_yet"
    if inputs.data_age_h is not None and inputs.data_age_h > OLDEST_DATA_H:
        return "no_recent_data"
    return None


def already(outcome: str, diagnosed: Collection[str]) -> str | None:
    """Why the risk of this outcome in particular cannot be given, as a key of ABSTENTIONS."""
    had_any = outcome == "complication" and any(o in NAMED or o == "complication" for o in diagnosed)
    return "already_diagnosed" if outcome in diagnosed or had_any else None


def _notes(model: HazardModel, inputs: RiskInputs, row: str, until: float, suspects: bool) -> tuple[str, ...]:
    at_edge = {f.kind for f in model.features if f.outside(inputs.value(f.key, f.mean))}
    holds = {
        "operation_not_known": row == GENERIC,
        "beyond_day_30": until > COVERED_HOURS,
        "no_twin": not inputs.has_twin,
        "held_at_training_edge": "static" in at_edge or ("recent" in at_edge and not suspects),
        "suspicion_as_given": suspects,
        "features_not_known": any(np.isnan(inputs.value(f.key)) for f in model.features if f.kind == "static"),
    }
    return tuple(note for note, holding in holds.items() if holding)


def _raised(yet: Prediction | None, predicted: Prediction | None, horizons: int) -> Floats:
    """(horizons,) by how much what is under way raises the log risk."""
    if yet is None or predicted is None:
        return np.zeros(horizons)
    return np.asarray(np.log(np.maximum(predicted.probability, TINY) / np.maximum(yet.probability, TINY)))


def _readings(inputs: RiskInputs, begun: _Begun | None, raised: float) -> dict[str, Reason]:
    """What the suspicion adds to the log risk, told by the metrics that speak for the leading cause, each by its
    weight; by the suspicion itself where none does."""
    leading = begun.suspicion.leading if begun else None
    if begun is None or raised <= 0:
        return {}
    says = [(inputs.facts.get(f"z_{metric}"), size) for metric, size in leading.speaks_for] if leading else []
    known = [(fact, size) for fact, size in says if fact is not None]
    known = known or [(Fact("suspicion", "suspicion", "a complication is under way", begun.suspicion.probability), 1.0)]
    total = sum(size for _, size in known)
    return {f.about: Reason(f.key, f"under_way_{f.about}", "raises", raised * size / total, f) for f, size in known}


def _reasons(
    model: HazardModel, inputs: RiskInputs, predicted: Prediction, horizon: int, readings: Mapping[str, Reason]
) -> tuple[Reason, ...]:
    """The features that move the hazard most, as facts; features about the same measure are told once. `readings`: what
    the suspicion says of them, by what they are about."""
    told = dict(readings)
    for feature, size in zip(model.features, predicted.contributions[horizon], strict=True):
        fact = inputs.facts.get(feature.key)
        if fact is None or not size:
            continue
        before = told[fact.about].contribution if fact.about in told else 0.0
        total = before + float(size)
        told[fact.about] = Reason(fact.key, feature.key, "raises" if total > 0 else "lowers", total, fact)
    weighty = [reason for reason in told.values() if abs(reason.contribution) >= SMALLEST_REASON]
    return tuple(sorted(weighty, key=lambda reason: -abs(reason.contribution))[:MOST_REASONS])


def coherent(estimates: tuple[RiskEstimate, ...]) -> tuple[RiskEstimate, ...]:
    """A named complication is never shown likelier than any complication: it is held at that figure.

    The published rows count differently (a transfusion is not on the index list), so the two can cross."""
    ceiling = {e.horizon_h: e for e in estimates if e.outcome == "complication" and e.probability is not None}
    return tuple(
        _held(e, ceiling[e.horizon_h]) if e.outcome in NAMED and e.horizon_h in ceiling else e for e in estimates
    )


def _held(estimate: RiskEstimate, ceiling: RiskEstimate) -> RiskEstimate:
    parts = {}
    for part in ("probability", "low", "high"):
        own, most = getattr(estimate, part), getattr(ceiling, part)
        parts[part] = own if own is None or most is None else min(own, most)
    return replace(estimate, **parts)
