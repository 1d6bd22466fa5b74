"""What the hypotheses say of one patient now, in words that a person may check: posterior, onset, for and against.

The machinery is in `hypotheses`; this is the door that services, alerts and pages use. It abstains (a key of
`SILENCE`) rather than weigh what it was not made for.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import numpy as np

from recovery.twin.facts import Fact
from recovery.twin.hypotheses import (
    HYPOTHESIS_LABELS,
    HypothesisModel,
    Weighed,
    complications,
    contributions,
    onset_hours_ago,
    prior_log_hazard,
    weigh,
)
from recovery.twin.incidence import procedure_class
from recovery.twin.metrics import METRICS
from recovery.twin.profile import Profile
from recovery.twin.risk_inputs import RiskFactors, static_inputs
from recovery.twin.support import is_sustained, readings_for
from recovery.twin.surprise import RecoveryFeatures
from recovery.twin.surprise_blocks import Blocks, in_order_of
from recovery.twin.survival import COVERED_HOURS, Floats, HazardModel

SILENCE = {
    "before_surgery": "No hypothesis is weighed before the operation has ended.",
    "after_day_30": "The hypotheses cover the first 30 days after the operation.",
    "no_recent_data": "No reading of the last three days, so there is nothing to weigh.",
    "other_twin": "The hypotheses were learned under another version of the twin.",
}
LEAST_POSTERIOR = 0.005
"""Hypotheses below this are not listed."""
LEAST_SAY = 0.5
"""A metric is told as speaking for or against from this log likelihood ratio on (a factor of 1.6) [G]."""


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One cause that could explain the last three days. probability: posterior among all causes, ordinary recovery
    included. onset_hours_ago: when it began, were it true. speaks_for, speaks_against: metrics with the log
    likelihood ratio each adds, strongest first."""

    name: str
    label: str
    is_benign: bool
    probability: float
    onset_hours_ago: float
    speaks_for: tuple[tuple[str, float], ...]
    speaks_against: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Suspicion:
    """probability: calibrated, of any complication under way now; None exactly when `silent_because` is set.
    ordinary: posterior of ordinary recovery. hypotheses: likeliest first. known: posterior of the complications that
    are diagnosed already, which are not listed. complications: posterior of every complication by name, however small,
    which risks read. sustained: whether more than a single reading of a single metric speaks for a complication; an
    alert waits for that. read_once: metrics of which one reading alone does."""

    probability: float | None
    ordinary: float | None
    hypotheses: tuple[Hypothesis, ...]
    model_version: str
    evidence: str
    silent_because: str | None = None
    known: float = 0.0
    complications: Mapping[str, float] = field(default_factory=dict)
    sustained: bool = True
    read_once: frozenset[str] = frozenset()

    @property
    def leading(self) -> Hypothesis | None:
        """The likeliest complication, if any is listed."""
        return next((one for one in self.hypotheses if not one.is_benign), None)


def consider(
    profile: Profile,
    features: RecoveryFeatures,
    factors: RiskFactors,
    model: HypothesisModel,
    hazards: HazardModel,
    diagnosed: Collection[str] = (),
) -> Suspicion:
    """Weighs every hypothesis for one patient at `features.now_hour`. A complication already diagnosed is no longer
    listed by name; what its course explains may still count towards the suspicion of a further one."""
    why = silence(features, model)
    if why is not None:
        return Suspicion(None, None, (), model.version, model.evidence, why)
    seen = in_order_of(model.metrics, features.blocks)
    weighed = weigh(model, seen, prior(profile, factors, features.now_hour, model, hazards), features.now_hour)
    already = [name in diagnosed for name in model.names]
    readings = readings_for(model, seen, weighed)
    return Suspicion(
        float(weighed.suspicion),
        float(weighed.ordinary),
        _listed(model, seen, weighed, frozenset(diagnosed)),
        model.version,
        model.evidence,
        known=float(weighed.posterior[already].sum()),
        complications=by_name(model, weighed.posterior),
        sustained=bool(is_sustained(readings)),
        read_once=frozenset(key for key, n in zip(model.metrics, readings.tolist(), strict=True) if n == 1),
    )


def by_name(model: HypothesisModel, posterior: Floats) -> dict[str, float]:
    """Complication -> posterior, from the posterior (H,) of all hypotheses."""
    return {name: float(posterior[model.names.index(name)]) for name in complications(model)}


def silence(features: RecoveryFeatures, model: HypothesisModel) -> str | None:
    """Why nothing can be weighed, as a key of SILENCE."""
    if features.model_version != model.twin_version:
        return "other_twin"
    if features.now_hour < 0:
        return "before_surgery"
    if features.now_hour > COVERED_HOURS:
        return "after_day_30"
    if not any(features.blocks[key].n.any() for key in model.metrics if key in features.blocks):
        return "no_recent_data"
    return None


def prior(profile: Profile, factors: RiskFactors, hour: float, model: HypothesisModel, hazards: HazardModel) -> Floats:
    known = static_inputs(profile, factors)
    values = np.array([known.get(f.key, np.nan) for f in hazards.features])
    return prior_log_hazard(model, hazards, procedure_class(profile.procedure), hour, values)


def facts(found: Suspicion) -> tuple[Fact, ...]:
    """The suspicion as facts for an alert: the probability, the leading hypothesis, the metrics that speak for it, and
    what explains the days better than it does, where something does: a known complication, a benign cause, or ordinary
    recovery."""
    if found.probability is None:
        return ()
    told = [Fact("suspicion", "suspicion", "a complication is under way", found.probability, "1")]
    leading = found.leading
    if leading is not None:
        told.append(Fact("hypothesis", leading.name, leading.label, leading.probability, "1", leading.onset_hours_ago))
        told += [Fact("speaks_for", key, spoken_of(key, found), size, "log ratio") for key, size in leading.speaks_for]
    return (*told, *_rivals(found))


def spoken_of(metric: str, found: Suspicion) -> str:
    """The metric in words, and that a single reading of it speaks for a complication, where it is so."""
    label = METRICS[metric].label.lower()
    return f"{label} (one reading)" if metric in found.read_once else label


def _rivals(found: Suspicion) -> list[Fact]:
    least = found.leading.probability if found.leading else 0.0
    rows = [("known", "a complication already diagnosed", found.known)]
    rows += [(one.name, one.label, one.probability) for one in found.hypotheses if one.is_benign]
    rows.append(("ordinary", "ordinary recovery", found.ordinary or 0.0))
    likelier = sorted((row for row in rows if row[2] > least), key=lambda row: -row[2])
    return [Fact("rival", name, label, share, "1") for name, label, share in likelier]


def _listed(
    model: HypothesisModel, seen: Blocks, weighed: Weighed, diagnosed: frozenset[str]
) -> tuple[Hypothesis, ...]:
    by_metric = model.temper * contributions(model, seen)
    weight = np.exp(weighed.by_onset - weighed.by_onset.max(axis=-1, keepdims=True))
    weight /= weight.sum(axis=-1, keepdims=True)
    says = np.einsum("hmb,hb->hm", by_metric, weight)
    ago = onset_hours_ago(weighed.by_onset)
    found = [
        Hypothesis(
            name,
            HYPOTHESIS_LABELS[name],
            model.signatures[name].log_prior is not None,
            float(weighed.posterior[i]),
            float(ago[i]),
            _strongest(model, says[i], 1),
            _strongest(model, says[i], -1),
        )
        for i, name in enumerate(model.names)
        if weighed.posterior[i] >= LEAST_POSTERIOR and name not in diagnosed
    ]
    return tuple(sorted(found, key=lambda one: -one.probability))


def _strongest(model: HypothesisModel, says: Floats, sign: int) -> tuple[tuple[str, float], ...]:
    told = [(key, float(size)) for key, size in zip(model.metrics, says, strict=True) if sign * size >= LEAST_SAY]
    return tuple(sorted(told, key=lambda row: -abs(row[1])))
