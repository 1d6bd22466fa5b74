"""Bedside scores from the newest readings: always beside the model's risk, always saying what is missing."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from recovery.models import Sample
from recovery.services.readings import MS_AN_HOUR
from recovery.services.twinning import Folded
from recovery.twin.facts import UNIT_WORDS
from recovery.twin.metrics import METRICS
from recovery.twin.scores.ariscat import ariscat
from recovery.twin.scores.news2 import news2
from recovery.twin.scores.qsofa import qsofa
from recovery.twin.scores.rcri import rcri
from recovery.twin.scores.result import Item, ScoreRefused, ScoreResult
from recovery.twin.signals import FRESH_H
from recovery.twin.surprise import RecoveryFeatures

LOINC = "http://loinc.org"
SYSTOLIC = "8480-6"
HAEMOGLOBIN = "718-7"
CREATININE = "2160-0"
# 120 mm[Hg] are 16 kPa: a value in another unit, or in none, is not taken for one in these.
MMHG = ("mm[Hg]", "mmHg")
# A cuff pressure speaks of the present for half a day: ward rounds take it every 4 to 12 h [G: clinical reference 1.1].
PRESSURE_FRESH_H = 12.0
# Laboratory values before surgery are taken from the last month [G: usual preoperative assessment].
BEFORE_SURGERY_H = 30 * 24.0
INCISIONS = {
    "colectomy": "upper_abdominal",
    "colectomy_laparoscopic": "upper_abdominal",
    "colectomy_open": "upper_abdominal",
    "cholecystectomy": "upper_abdominal",
    "sleeve_gastrectomy": "upper_abdominal",
    "cardiac": "intrathoracic",
    "lobectomy": "intrathoracic",
    "lobectomy_vats": "intrathoracic",
    "lobectomy_open": "intrathoracic",
    "knee_replacement": "peripheral",
    "hip_replacement": "peripheral",
    "hip_fracture": "peripheral",
    "spinal_fusion": "peripheral",
}
# Lee 1999: intraperitoneal, intrathoracic or suprainguinal vascular.
HIGH_RISK_SURGERY = {key: site != "peripheral" for key, site in INCISIONS.items()}


@dataclass(frozen=True, slots=True)
class Bedside:
    """The scores that apply to this patient; one that refuses (a child, pregnancy) is left out."""

    scores: tuple[ScoreResult, ...]


# A vital sign that scores this many NEWS2 points is grave by itself: 2 is the urgent side of its chart (RCP 2017).
GRAVE_POINTS = 2
# Pain of 7 or more is severe on the 0 to 10 scale [G: clinical reference 1.2].
SEVERE_PAIN = 7.0
METRIC_OF_ITEM = {
    "respiratory_rate": "respiratory_rate",
    "spo2": "spo2",
    "pulse": "heart_rate",
    "temperature": "temperature",
}


def grave_now(folded: Folded, found: RecoveryFeatures, scores: Collection[ScoreResult]) -> dict[str, str]:
    """metric -> fact, for what is grave now whatever this patient's course: by NEWS2, and severe pain."""
    pain = _fresh(folded, found, "pain")
    severe = {} if pain is None or pain < SEVERE_PAIN else {"pain": f"Pain {pain:.0f} of 10, severe"}
    return severe | _grave_vitals(scores)


def _grave_vitals(scores: Collection[ScoreResult]) -> dict[str, str]:
    """The vital signs that NEWS2 calls grave now."""
    items = [item for score in scores if score.score == "news2" for item in score.items]
    return {
        METRIC_OF_ITEM[item.key]: _grave_fact(METRIC_OF_ITEM[item.key], item)
        for item in items
        if item.key in METRIC_OF_ITEM and item.points is not None and item.points >= GRAVE_POINTS
    }


def _grave_fact(key: str, item: Item) -> str:
    metric = METRICS[key]
    unit = UNIT_WORDS.get(metric.unit, metric.unit)
    return f"{metric.label} {float(item.value or 0.0):.{metric.decimals}f} {unit}, {item.points} NEWS2 points"


def bedside_scores(folded: Folded, found: RecoveryFeatures) -> Bedside:
    made = (_made(step) for step in _steps(folded, found))
    return Bedside(tuple(score for score in made if score is not None))


def _made(step: Callable[[], ScoreResult]) -> ScoreResult | None:
    try:
        return step()
    except ScoreRefused:
        return None


def _steps(folded: Folded, found: RecoveryFeatures) -> list[Callable[[], ScoreResult]]:
    episode, profile, factors = folded.episode, folded.known.profile, folded.known.factors
    now = folded.now_hour
    rate = _fresh(folded, found, "respiratory_rate")
    systolic = _lab(folded, SYSTOLIC, now - PRESSURE_FRESH_H, now, MMHG)
    before = (-BEFORE_SURGERY_H, 0.0)
    steps: list[Callable[[], ScoreResult]] = []
    age = profile.age_years
    if age is not None:
        steps.append(
            lambda: news2(
                age_years=age,
                respiratory_rate=rate,
                spo2=_fresh(folded, found, "spo2"),
                systolic=systolic,
                pulse=_fresh(folded, found, "heart_rate"),
                temperature=_fresh(folded, found, "temperature"),
            )
        )
    return [
        *steps,
        lambda: qsofa(respiratory_rate=rate, systolic=systolic),
        lambda: rcri(
            high_risk_surgery=HIGH_RISK_SURGERY.get(episode.procedure),
            heart_failure=factors.heart_failure,
            creatinine_mg_dl=_lab(folded, CREATININE, *before, ("mg/dL",)),
        ),
        lambda: ariscat(
            age_years=age,
            haemoglobin_g_dl=_lab(folded, HAEMOGLOBIN, *before, ("g/dL",)),
            incision=INCISIONS.get(episode.procedure),
            duration_hours=factors.duration_h,
        ),
    ]


def _fresh(folded: Folded, found: RecoveryFeatures, metric: str) -> float | None:
    """The newest value of a metric, while it still speaks of the present."""
    age = found.metrics[metric].hours_since_last_reading
    measured = folded.loaded.by_metric.get(metric)
    if age is None or age > FRESH_H[METRICS[metric].grain] or measured is None or not len(measured.measurements.value):
        return None
    return float(measured.measurements.value[-1])


def _lab(folded: Folded, code: str, from_hour: float, until_hour: float, units: Collection[str]) -> float | None:
    """The newest value under a LOINC code within [from, until] hours after surgery, of those sent in one of `units`."""
    episode = folded.episode
    zero = episode.day_zero.timestamp() * 1000
    found = {one.pk: one for one in folded.series if one.system == LOINC and one.code == code and one.unit in units}
    if not found:
        return None
    rows = Sample.objects.known_at(None).filter(
        series_id__in=list(found),
        at_ms__gte=int(zero + from_hour * MS_AN_HOUR),
        at_ms__lte=int(zero + until_hour * MS_AN_HOUR),
    )
    newest = rows.order_by("-at_ms").values_list("series_id", "value").first()
    return None if newest is None else newest[1] * found[newest[0]].scale + found[newest[0]].shift
