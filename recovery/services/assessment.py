"""From a folded twin to what is said about the patient: courses, scores, risks, alert candidates, one snapshot.

`assess` computes; `with_state` adds the lane that follows from the alerts that stand. The result is the content of
the Snapshot that every page, resource and card reads (promise 1).
"""

import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from recovery.models import Device
from recovery.services.advice_notes import advice_notes
from recovery.services.bedside import Bedside, bedside_scores, grave_now
from recovery.services.milestone_notes import milestone_notes
from recovery.services.newest_readings import newest_readings
from recovery.services.served_models import Models
from recovery.services.suspicion_notes import suspicion_note
from recovery.services.twinning import Folded
from recovery.twin.alert_policy import DEFAULT_POLICY, AlertPolicy, BadPolicy, without_hypotheses
from recovery.twin.alerts import AlertCandidate, candidates, lasting, readable
from recovery.twin.course import Course, course
from recovery.twin.fold import Judged
from recovery.twin.gait_aid import COUNTED, aid_at
from recovery.twin.measurement import Measured
from recovery.twin.metrics import METRICS, Tier
from recovery.twin.params import PopulationParams
from recovery.twin.profile import PROCEDURES
from recovery.twin.risk import ABSTENTIONS, NOTES, RiskEstimate
from recovery.twin.risk import assess as assess_risks
from recovery.twin.scorecard import Card
from recovery.twin.scores.result import ScoreResult
from recovery.twin.summary import summarise
from recovery.twin.surprise import MetricFeatures, RecoveryFeatures, features
from recovery.twin.suspicion import Suspicion, consider

logger = logging.getLogger(__name__)

RECENT_DECISIONS = 12
PERSONAL_NOTE = "So far the usual course after this operation has predicted this patient better, so it is shown."
GENERIC_NOTE = "The kind of operation is not known: the course of surgery in general is shown, with a wider band."


@dataclass(frozen=True, slots=True)
class Assessment:
    """All that was concluded. `content` lacks only what depends on standing alerts (see `with_state`)."""

    content: dict[str, Any]
    found: RecoveryFeatures
    grave: Mapping[str, str]
    candidates: tuple[AlertCandidate, ...]
    memory: dict[str, Any]
    data_until: datetime | None
    model_version: str


def assess(folded: Folded, models: Models, *, memory: Mapping[str, Any], now: datetime) -> Assessment:
    """Conclude from one folded twin at `now`. `memory` is the alert memory kept with the twin."""
    memory = readable(memory, folded.now_hour)
    found = features(folded.fold.state, models.population, folded.now_hour, folded.known.profile)
    bedside = bedside_scores(folded, found)
    suspected = _suspicion(folded, found, models)
    risks = _risks(folded, found, models, memory, suspected)
    alerts, remembered = _alerts(folded, found, risks, bedside, memory, suspected)
    return Assessment(
        _content(folded, found, models, risks, bedside, suspected),
        found,
        grave_now(folded, found, bedside.scores),
        alerts,
        remembered,
        _data_until(folded, found),
        f"{models.population.version}/{models.hazard.version}",
    )


def with_state(assessed: Assessment, open_severities: Collection[str]) -> dict[str, Any]:
    """The whole content: with the lane, the sentence and the reasons."""
    said = summarise(assessed.found, open_severities, assessed.grave)
    return {"state": said.state, "sentence": said.sentence, "reasons": list(said.reasons), **assessed.content}


def _content(
    folded: Folded,
    found: RecoveryFeatures,
    models: Models,
    risks: tuple[RiskEstimate, ...],
    bedside: Bedside,
    suspected: Suspicion | None,
) -> dict[str, Any]:
    """What every page, resource and card may read of it, as the JSON that the Snapshot keeps."""
    params, hazard, hour = models.population, models.hazard, folded.now_hour
    metrics = _metrics(folded, found, params)
    return {
        "day": int(hour // 24),
        "hour": round(hour, 2),
        "procedure_label": _procedure_label(folded),
        "curve_note": GENERIC_NOTE if folded.known.profile.curve_is_generic else "",
        "metrics": metrics,
        "milestones": milestone_notes(folded, params, {key: one["baseline"] for key, one in metrics.items()}),
        "advice": advice_notes(folded, models),
        "suspicion": suspicion_note(suspected),
        "risks": [_risk(risk) for risk in risks],
        "scores": [_score(score) for score in bedside.scores],
        "model": {
            "population": params.version,
            "hazard": hazard.version,
            "hypotheses": models.hypotheses.version if models.hypotheses else "",
            "trained_on": hazard.evidence,
        },
    }


def _suspicion(folded: Folded, found: RecoveryFeatures, models: Models) -> Suspicion | None:
    """What the hypotheses say; None where none were learned under this twin."""
    if models.hypotheses is None:
        return None
    known = folded.known
    return consider(known.profile, found, known.factors, models.hypotheses, models.hazard, known.diagnosed)


def _risks(
    folded: Folded,
    found: RecoveryFeatures,
    models: Models,
    memory: Mapping[str, Any],
    suspected: Suspicion | None,
) -> tuple[RiskEstimate, ...]:
    return assess_risks(
        folded.known.profile,
        found,
        folded.now_hour,
        models.hazard,
        factors=folded.known.factors,
        diagnosed=folded.known.diagnosed,
        lasting=lasting(memory, folded.now_hour),
        suspicion=suspected,
    )


def _alerts(
    folded: Folded,
    found: RecoveryFeatures,
    risks: tuple[RiskEstimate, ...],
    bedside: Bedside,
    memory: Mapping[str, Any],
    suspected: Suspicion | None,
) -> tuple[tuple[AlertCandidate, ...], dict[str, Any]]:
    """Candidates under the pathway's policy. Before surgery nobody is alerted."""
    if folded.now_hour < 0:
        return (), {}
    policy = _policy(folded)
    if suspected is None:
        policy = without_hypotheses(policy)
    refused = _refused_shares(folded)
    return candidates(found, risks, bedside.scores, policy, memory, refused=refused, suspicion=suspected)


def _policy(folded: Folded) -> AlertPolicy:
    """The pathway's own; the shipped one where there is none, or where it cannot be read: patients whose refresh
    fails for good would be watched by nobody."""
    pathway = folded.episode.pathway
    if pathway is None or not pathway.policy:
        return DEFAULT_POLICY
    try:
        return AlertPolicy.from_plain(pathway.policy)
    except BadPolicy:
        logger.exception("the alert policy of pathway %s cannot be read; the shipped one stands in", pathway.key)
        return DEFAULT_POLICY


def _refused_shares(folded: Folded) -> dict[str, float]:
    """metric -> share of the last day's readings that the plausibility gate refused, where there were any. A
    laboratory's slip is no fault of a device."""
    since = folded.now_hour - 24.0
    shares = {}
    for key, measured in folded.loaded.by_metric.items():
        refused = sum(one.hour >= since for one in measured.rejected)
        kept = int(measured.measurements.n[measured.measurements.start >= since].sum())
        if refused + kept and METRICS[key].family != "laboratory":
            shares[key] = refused / (refused + kept)
    return shares


def _procedure_label(folded: Folded) -> str:
    known = PROCEDURES.get(folded.episode.procedure)
    return folded.episode.procedure_text or (known.label if known else "Operation not stated")


def _moment(folded: Folded, hour: float) -> datetime:
    return folded.episode.day_zero + timedelta(hours=hour)


def _data_until(folded: Folded, found: RecoveryFeatures) -> datetime | None:
    ages = [m.hours_since_last_reading for m in found.metrics.values() if m.hours_since_last_reading is not None]
    return _moment(folded, folded.now_hour - min(ages)) if ages else None


def _metrics(folded: Folded, found: RecoveryFeatures, params: PopulationParams) -> dict[str, Any]:
    """What is said about each metric that has been read."""
    sources, newest = _sources(folded), newest_readings(folded)
    said = {}
    for key in METRICS:
        if key in folded.fold.state.metrics:
            measured = folded.loaded.by_metric.get(key) or Measured.nothing()
            said[key] = _metric(key, folded, found.metrics[key], params, measured, sources.get(key, ""))
            said[key]["reading"] = newest.get(key)
    return said


def _sources(folded: Folded) -> dict[str, str]:
    """metric -> name of the device (or way) of its most trusted source."""
    pairs = {(one.metric, one.source, one.tier) for one in folded.series if one.metric in METRICS}
    wanted = {source.removeprefix("Device/") for _, source, _ in pairs}
    names = dict(Device.objects.filter(fhir_id__in=wanted).values_list("fhir_id", "name"))
    told: dict[str, str] = {}
    for metric, source, tier in sorted(pairs, key=lambda row: (list(_TIERS).index(row[2]), row)):
        told.setdefault(metric, names.get(source.removeprefix("Device/")) or _TIERS[tier])
    return told


_TIERS = {"implant": "Implant", "cleared": "Medical device", "consumer": "Wearable", "self_report": "Patient report"}


def _metric(
    key: str,
    folded: Folded,
    found: MetricFeatures,
    params: PopulationParams,
    measured: Measured,
    source: str,
) -> dict[str, Any]:
    metric, measurements = METRICS[key], measured.measurements
    tier = Tier(int(measurements.tier[-1])) if len(measurements.tier) else Tier.CONSUMER
    at = course(folded.fold.state, params, folded.known.profile, key, folded.now_hour, tier)
    since = found.hours_since_last_reading
    return {
        "label": metric.label,
        "unit": metric.unit,
        "now": _number(measurements.value[-1], metric.decimals) if len(measurements.value) else None,
        "now_at": None if since is None else _moment(folded, folded.now_hour - since).isoformat(),
        "now_source": source,
        **_expected(at, metric.decimals),
        "deviation": _number(found.deviation_z, 2),
        "baseline": _baseline(key, folded, params) if found.baseline_is_known else None,
        "worn": _number(found.worn_fraction_24h, 3),
        "hours_since": _number(since, 2),
        "personal": at.curve.basis == "personal",
        "personal_note": "" if at.curve.basis == "personal" else PERSONAL_NOTE,
        "aid_note": _aid_note(key, folded),
        "curve": _curve(at, metric.decimals + 1),
        "gates": _gates(folded.fold.judged.get(key), measured),
        "scorecard": _scorecard(folded.fold.state.metrics[key].memory.card),
    }


def _expected(at: Course, decimals: int) -> dict[str, float | None]:
    """What was expected for now: of this person with its ranges, and after this operation."""
    q05, q25, q50, q75, q95 = (_number(value, decimals) for value in at.now)
    norm = _number(at.norm_now, decimals)
    return {"expected": q50, "low50": q25, "high50": q75, "low90": q05, "high90": q95, "norm": norm}


def _curve(at: Course, decimals: int) -> dict[str, list[float] | list[float | None]]:
    names = ("q05", "q25", "q50", "q75", "q95")
    return {
        "hours": [round(float(hour), 1) for hour in at.curve.hours],
        **{name: _numbers(at.curve.quantiles[:, i], decimals) for i, name in enumerate(names)},
        "norm": _numbers(at.norm, decimals),
    }


def _scorecard(card: Card) -> dict[str, float | None]:
    return {
        "n": int(card.n),
        "coverage90": _number(card.coverage90, 3),
        "coverage50": _number(card.coverage50, 3),
        "skill": _number(card.skill, 3),
    }


def _aid_note(key: str, folded: Folded) -> str:
    """That counts of the day just over are taken as too low, and why."""
    aid = aid_at(folded.loaded.aids, folded.now_hour - 12.0) if key == COUNTED else None
    if aid is None:
        return ""
    return (
        f"Walking with {aid.label}: a wearable misses about {aid.missed:.0%} of the steps. The twin reads its counts as"
        " so much too low, and as less exact; the band speaks of steps walked, the points are as counted."
    )


def _baseline(key: str, folded: Folded, params: PopulationParams) -> float | None:
    mean = folded.fold.state.metrics[key].memory.belief.mean[0]
    return _number(METRICS[key].transform.inverse(mean), METRICS[key].decimals)


def _gates(judged: Judged | None, measured: Measured) -> dict[str, Any]:
    """Decisions on the stretch that was folded now, and the newest of them that were not plain acceptances."""
    verdicts = judged.verdicts() if judged else []
    notable: list[tuple[float, float, str, str]] = [
        (float(judged.measurements.at[i]), float(judged.measurements.value[i]), verdict, reason)
        for i, (verdict, reason) in enumerate(verdicts)
        if judged and verdict != "accepted"
    ]
    notable += [(one.hour, one.value, "rejected", one.reason) for one in measured.rejected]
    newest = sorted(notable, key=lambda row: -row[0])[:RECENT_DECISIONS]
    down = sum(verdict != "accepted" for verdict, _ in verdicts)
    return {
        "accepted": len(verdicts) - down,
        "down_weighted": down,
        "rejected": len(measured.rejected),
        "recent": [
            {"hour": round(hour, 2), "value": _number(value, 2), "decision": decision, "reason": reason}
            for hour, value, decision, reason in newest
        ],
    }


def _risk(risk: RiskEstimate) -> dict[str, Any]:
    because = risk.abstained_because
    return {
        "outcome": risk.outcome,
        "label": risk.label,
        "horizon_h": risk.horizon_h,
        "probability": _number(risk.probability, 4),
        "low": _number(risk.low, 4),
        "high": _number(risk.high, 4),
        "abstained": ABSTENTIONS.get(because, because) if because else None,
        "notes": [NOTES.get(note, note) for note in risk.notes],
        "reasons": [
            {"text": one.text, "direction": one.direction, "contribution": round(one.contribution, 3)}
            for one in risk.reasons
        ],
        "model": risk.model_version,
        "evidence": risk.evidence,
    }


def _score(score: ScoreResult) -> dict[str, Any]:
    return {
        "name": score.label,
        "value": score.value,
        "highest": score.highest,
        "band": score.band,
        "complete": score.complete,
        "missing": list(score.missing),
        "items": [
            {"name": item.label, "points": item.points, "value": item.value}
            for item in score.items
            if item.points is not None
        ],
        "source": score.source,
    }


def _number(value: Any, decimals: int) -> float | None:
    """A finite number rounded for display, or None."""
    if value is None or value != value or value in (float("inf"), float("-inf")):
        return None
    return round(float(value), decimals)


def _numbers(values: Iterable[float], decimals: int) -> list[float | None]:
    return [_number(value, decimals) for value in values]
