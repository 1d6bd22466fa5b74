"""What ends a snooze before its time: kept with the alert as plain conditions, shown in words, and enforced.

Pure: `content` is that of a Snapshot (services.assessment). A snooze always ends when the alert gets graver; beyond
that it ends on a grave reading or on silence.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

SILENT_HOURS = 12.0  # ux.md 5.3: "or no data for 12 h"
NEWS2 = "NEWS2, a value that scores three points (two for temperature) [RCP 2017]"


@dataclass(frozen=True, slots=True)
class Limit:
    """A reading at or beyond `limit` opens the alert again. One that is beyond already: from a `step` further on."""

    metric: str
    side: Literal["at_least", "at_most"]
    limit: float
    step: float
    source: str


LIMITS = (
    Limit("pain", "at_least", 8.0, 1.0, "ux.md 5.3 [G: the site's own limit replaces it]"),
    Limit("heart_rate", "at_least", 131.0, 10.0, NEWS2),
    Limit("respiratory_rate", "at_least", 25.0, 3.0, NEWS2),
    Limit("spo2", "at_most", 91.0, 2.0, NEWS2),
    Limit("temperature", "at_least", 39.1, 0.5, NEWS2),
)


@dataclass(frozen=True, slots=True)
class Wake:
    """`limits`: (metric, side, limit). `silent_h`: None where silence is what the alert is about."""

    limits: tuple[tuple[str, str, float], ...]
    silent_h: float | None
    since: datetime

    def to_plain(self) -> dict[str, Any]:
        return {**asdict(self), "limits": [list(one) for one in self.limits], "since": self.since.isoformat()}


def wake_of(plain: Mapping[str, Any] | None) -> Wake | None:
    """Inverse of `Wake.to_plain`; None for what was snoozed before conditions were kept."""
    if not plain:
        return None
    limits = tuple((str(metric), str(side), float(limit)) for metric, side, limit in plain["limits"])
    return Wake(limits, plain["silent_h"], datetime.fromisoformat(plain["since"]))


def conditions(kind: str, content: Mapping[str, Any], now: datetime) -> Wake:
    """What would end a snooze that begins `now`: limits of the metrics that this patient's snapshot has.

    `kind`: of the alert; silence does not end the snooze of an alert about silence.
    """
    metrics = content.get("metrics") or {}
    limits = tuple(
        (one.metric, one.side, _beyond(one, metrics[one.metric].get("now"))) for one in LIMITS if one.metric in metrics
    )
    return Wake(limits, None if kind == "data_stopped" else SILENT_HOURS, now)


def broken_by(wake: Wake, content: Mapping[str, Any], now: datetime) -> str:
    """Why the snooze is over, in words; blank while it holds. Only readings made after it began count."""
    metrics = content.get("metrics") or {}
    for metric, side, limit in wake.limits:
        said = metrics.get(metric) or {}
        value, at = said.get("now"), said.get("now_at")
        if value is None or at is None or datetime.fromisoformat(at) <= wake.since:
            continue
        if value >= limit if side == "at_least" else value <= limit:
            return f"{said.get('label', metric)} is {value:g}: the limit of the snooze was {limit:g}."
    if wake.silent_h is not None and _silent(metrics, wake, now):
        return f"No data for {wake.silent_h:g} h."
    return ""


def _silent(metrics: Mapping[str, Any], wake: Wake, now: datetime) -> bool:
    """No reading for so long. What was silent when it was snoozed may stay so for as long again."""
    times = [datetime.fromisoformat(one["now_at"]) for one in metrics.values() if one.get("now_at")]
    return now - max([wake.since, *times]) >= timedelta(hours=wake.silent_h or 0.0)


def _beyond(one: Limit, now: float | None) -> float:
    if now is None:
        return one.limit
    if one.side == "at_least":
        return one.limit if now < one.limit else round(now + one.step, 1)
    return one.limit if now > one.limit else round(now - one.step, 1)
