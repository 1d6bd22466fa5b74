"""When the twin expects each milestone, as a snapshot says it."""

from collections.abc import Mapping
from typing import Any

from recovery.services.twinning import Folded, window_end
from recovery.twin.metrics import METRICS
from recovery.twin.milestones import MILESTONES, OFF_OPIOIDS, Arrival, Milestone, arrivals
from recovery.twin.opioids import off_opioids
from recovery.twin.params import PopulationParams

# The share of draws that must have arrived for a milestone to count as reached: as sure as `Arrival.late` is.
SURE = 0.9


def milestone_notes(
    folded: Folded, params: PopulationParams, baselines: Mapping[str, float | None]
) -> list[dict[str, Any]]:
    """One note per milestone of a metric that has been read, and one for opioids where any are known of, within the
    days of the pathway; none before surgery.

    `baselines`: metric -> the person's own level before surgery, where it is known.
    """
    read, horizon = folded.fold.state.metrics, int(window_end(folded.episode) // 24)
    if folded.now_hour < 0:
        return []
    off = off_opioids(folded.known.opioids, folded.now_hour, horizon)
    told = [] if off is None else [_dated(OFF_OPIOIDS, off) | {"unit": "", "target": None}]
    if not read:
        return told
    found = arrivals(
        folded.fold.state,
        params,
        folded.known.profile,
        folded.now_hour,
        horizon_days=horizon,
        metrics=read,
    )
    usual = _usual(found, folded, params, horizon)
    return [_note(MILESTONES[key], one, baselines) | usual.get(key, {}) for key, one in found.items()] + told


def _usual(
    found: Mapping[str, Arrival], folded: Folded, params: PopulationParams, horizon: int
) -> dict[str, dict[str, int | None]]:
    """Of each milestone still to come, `usual`: the day by which half of people like this one (same operation, age,
    sex, build) have reached it, from the day of surgery on; None where fewer than half do within the pathway."""
    ahead = {MILESTONES[key].metric for key, one in found.items() if one.by_day[0] < SURE}
    if not ahead:
        return {}
    like = arrivals(None, params, folded.known.profile, 0.0, horizon_days=horizon, metrics=ahead)
    return {key: {"usual": one.median} for key, one in like.items() if found[key].by_day[0] < SURE}


def _note(milestone: Milestone, arrival: Arrival, baselines: Mapping[str, float | None]) -> dict[str, Any]:
    unit = METRICS[milestone.metric].unit
    return _dated(milestone, arrival) | {"unit": unit, "target": _target(milestone, baselines)}


def _dated(milestone: Milestone, arrival: Arrival) -> dict[str, Any]:
    """Days are postoperative days; `probability` is that of arrival within the horizon, `reached` of having arrived."""
    return {
        "key": milestone.key,
        "label": milestone.label,
        "metric": milestone.metric,
        "direction": milestone.direction,
        "from_day": arrival.from_day,
        "early": arrival.early,
        "median": arrival.median,
        "late": arrival.late,
        "probability": round(arrival.probability, 3),
        "reached": round(float(arrival.by_day[0]), 3),
        "achieved": bool(arrival.by_day[0] >= SURE),
        "personal": arrival.basis == "personal",
        "source": milestone.source.text,
    }


def _target(milestone: Milestone, baselines: Mapping[str, float | None]) -> float | None:
    """The level in the metric's unit; None for a share of an own baseline that is not known."""
    if not milestone.of_baseline:
        return milestone.target
    own = baselines.get(milestone.metric)
    return None if own is None else round(milestone.target * own, METRICS[milestone.metric].decimals)
