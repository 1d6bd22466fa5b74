"""When the twin expects each milestone, as a snapshot says it."""

from collections.abc import Mapping
from typing import Any

from recovery.services.twinning import Folded, window_end
from recovery.twin.metrics import METRICS
from recovery.twin.milestones import MILESTONES, Arrival, Milestone, arrivals
from recovery.twin.params import PopulationParams

# The share of draws that must have arrived for a milestone to count as reached: as sure as `Arrival.late` is.
SURE = 0.9


def milestone_notes(
    folded: Folded, params: PopulationParams, baselines: Mapping[str, float | None]
) -> list[dict[str, Any]]:
    """One note per milestone of a metric that has been read, within the days of the pathway; none before surgery.

    `baselines`: metric -> the person's own level before surgery, where it is known.
    """
    read = folded.fold.state.metrics
    if folded.now_hour < 0 or not read:
        return []
    found = arrivals(
        folded.fold.state,
        params,
        folded.known.profile,
        folded.now_hour,
        horizon_days=int(window_end(folded.episode) // 24),
        metrics=read,
    )
    return [_note(MILESTONES[key], one, baselines) for key, one in found.items()]


def _note(milestone: Milestone, arrival: Arrival, baselines: Mapping[str, float | None]) -> dict[str, Any]:
    """Days are postoperative days; `probability` is that of arrival within the horizon, `reached` of having arrived."""
    metric = METRICS[milestone.metric]
    return {
        "key": milestone.key,
        "label": milestone.label,
        "metric": milestone.metric,
        "unit": metric.unit,
        "target": _target(milestone, baselines),
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
