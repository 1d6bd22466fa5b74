"""The model page: what the model is, what it is not for, and each number it starts from with its source and mark."""

from collections.abc import Iterable
from dataclasses import dataclass

from recovery.presenters import wording
from recovery.presenters.hypotheses_card import HypothesesView, hypotheses_view
from recovery.selectors.model_card import ModelCard
from recovery.twin.anchor_types import Curves
from recovery.twin.anchors import BASELINES, CURVES, WANDER
from recovery.twin.cold_start import VERSION as COLD_START
from recovery.twin.incidence import LABELS
from recovery.twin.metrics import METRICS, Metric
from recovery.twin.profile import PROCEDURES
from recovery.twin.source import Source
from recovery.twin.survival import Baseline, HazardModel

MARKS = {
    "V": "verified: read in the named publication",
    "G": "general clinical knowledge or an assumption, not verified; to be reviewed by the hospital",
    "M": "measured on a named data set",
    "D": "derived by the stated rule from numbers with their own source",
}
KIND_WORDS = {"percent": "% of the own baseline", "shift": "above the own baseline", "level": "level"}


@dataclass(frozen=True, slots=True)
class Sourced:
    """One number (or a few that belong together) and where it comes from."""

    what: str
    numbers: str
    source: str
    mark: str


@dataclass(frozen=True, slots=True)
class CourseRow:
    procedure: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MetricModel:
    key: str
    label: str
    rows: tuple[Sourced, ...]
    course_days: tuple[str, ...]
    course_kind: str
    courses: tuple[CourseRow, ...]


@dataclass(frozen=True, slots=True)
class HazardRow:
    outcome: str
    surgery: str
    incidence: str
    source: str


@dataclass(frozen=True, slots=True)
class FeatureRow:
    name: str
    mean: str
    trained: str


@dataclass(frozen=True, slots=True)
class ModelView:
    population: str
    population_note: str
    hazard: str
    hazard_note: str
    is_cold_start: bool
    marks: tuple[tuple[str, str], ...]
    metrics: tuple[MetricModel, ...]
    common: tuple[Sourced, ...]
    hazards: tuple[HazardRow, ...]
    features: tuple[FeatureRow, ...]
    training: tuple[tuple[str, str], ...]
    hypotheses: HypothesesView


def model_view(card: ModelCard) -> ModelView:
    params, hazard = card.population, card.hazard
    return ModelView(
        population=params.version,
        population_note=card.population_promoted or "Shipped with the product; fitted to no patient.",
        hazard=hazard.version,
        hazard_note=card.hazard_promoted or hazard.evidence,
        is_cold_start=params.version == COLD_START,
        marks=tuple(MARKS.items()),
        metrics=tuple(_metric(metric) for metric in METRICS.values()),
        common=(
            _sourced("Influence bound, in standard deviations", f"{params.outlier_bound:g}", params.outlier_source),
        ),
        hazards=tuple(_hazards(hazard)),
        features=tuple(
            FeatureRow(_words(one.key), f"{one.mean:.3g}", f"{one.low:.3g} to {one.high:.3g}")
            for one in hazard.features
        ),
        training=tuple((_words(key), _plain(value)) for key, value in hazard.training.items()),
        hypotheses=hypotheses_view(card.hypotheses),
    )


def _metric(metric: Metric) -> MetricModel:
    curves = CURVES[metric.key]
    return MetricModel(
        key=metric.key,
        label=metric.label,
        rows=tuple(_numbers_of(metric, curves)),
        course_days=tuple(f"day {day:g}" for day in curves.days),
        course_kind=KIND_WORDS[curves.kind],
        courses=tuple(
            CourseRow(PROCEDURES[key].label, tuple(f"{value:g}" for value in values))
            for key, values in curves.by_procedure.items()
        ),
    )


def _numbers_of(metric: Metric, curves: Curves) -> Iterable[Sourced]:
    base, wander, unit = BASELINES[metric.key], WANDER[metric.key], wording.unit(metric.unit, metric.key)
    low, high = metric.plausible
    spread = "on the logarithm" if base.sd_is_log else unit
    yield _sourced(
        "Plausible range; readings outside are kept but rejected",
        f"{low:g} to {high:g} {unit}",
        metric.plausible_source,
    )
    yield _sourced(
        "Level before surgery, and spread between people", f"{base.mean:g} {unit}, SD {base.sd:g} {spread}", base.source
    )
    for key, (value, source) in base.by_procedure.items():
        yield _sourced(f"Level before {PROCEDURES[key].label.lower()}", f"{value:g} {unit}", source)
    yield _sourced(f"Course after surgery, {KIND_WORDS[curves.kind]}", "see the table below", curves.source)
    spreads = ", ".join(f"day {day:g}: {value:g}" for day, value in zip(curves.spread_days, curves.spread, strict=True))
    yield _sourced("Spread between patients around the course, SD", spreads, curves.spread_source)
    yield _sourced(
        "Wander within one person, SD; correlation one day apart", f"{wander.sd:g}; {wander.lag1:g}", wander.source
    )
    tiers = zip(("implant", "medical device", "wearable", "self-report"), metric.noise.between, strict=True)
    noise = ", ".join(f"{tier} {value:g}" for tier, value in tiers)
    yield _sourced(
        "Sensor error by trust tier, SD", f"{noise}; within one period {metric.noise.within:g}", metric.noise.source
    )


def _sourced(what: str, numbers: str, source: Source) -> Sourced:
    return Sourced(what, numbers, source.text, source.mark)


def _hazards(model: HazardModel) -> Iterable[HazardRow]:
    for outcome, by_class in model.baselines.items():
        for surgery, baseline in by_class.items():
            yield HazardRow(
                LABELS.get(outcome, _words(outcome)), _words(surgery), _incidence(baseline), baseline.source
            )


def _incidence(baseline: Baseline) -> str:
    mid, low, high = (f"{value * 100:.3g}" for value in (baseline.mid, baseline.low, baseline.high))
    return f"{mid} in 100 (published range {low} to {high})"


def _words(key: str) -> str:
    return key.replace("_", " ")


def _plain(value: object) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{_words(str(key))} {_plain(one)}" for key, one in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(_plain(one) for one in value)
    return f"{value:.4g}" if isinstance(value, float) else str(value)
