"""What a list's row shows of a snapshot's content: kept beside it, because a page of fifty whole ones is 1.5 MB.

Written by the service that keeps a snapshot, read by selectors; forgiving, as the reading of snapshots is.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from recovery.twin.metrics import METRICS

T = TypeVar("T")
ANY_COMPLICATION = ("any_complication", "complication", "any")
WEEK_HOURS = 168
ROW_WORDS = ("day", "hour", "state", "sentence", "reasons", "procedure_label", "curve_note")


def for_row(content: Mapping[str, Any]) -> dict[str, Any]:
    """The sentences, the headline risk, NEWS2 and the metric that strays most; of a row's own content, the same."""
    metrics = content.get("metrics") or {}
    key, risk = strays_most(metrics), headline_of(content.get("risks") or ())
    return {
        **{name: content[name] for name in ROW_WORDS if name in content},
        "metrics": {key: metrics[key]} if key else {},
        "risks": [risk] if risk else [],
        "scores": [said for said in content.get("scores") or () if said.get("name") == "NEWS2"],
    }


def strays_most(metrics: Mapping[str, Any]) -> str:
    """Of those drawn, the metric furthest from its own course; without any deviation, the first; blank: none."""
    drawn = [key for key, said in metrics.items() if (said.get("curve") or {}).get("hours") and key in METRICS]
    read = [key for key in drawn if finite(metrics[key].get("now")) is not None]
    return max(read or drawn, key=lambda key: abs(finite(metrics[key].get("deviation")) or 0.0), default="")


def headline_of(risks: Iterable[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The one risk that a row shows: any complication within 7 days, else the first; empty where there is none."""
    return headline([((one.get("horizon_h"), one.get("outcome")), one) for one in risks]) or {}


def headline(risks: list[tuple[tuple[Any, Any], T]]) -> T | None:
    """Of risks beside their (horizon in hours, outcome)."""
    weekly = [one for one in risks if one[0][0] == WEEK_HOURS]
    overall = [one for one in weekly if one[0][1] in ANY_COMPLICATION]
    return next((risk for _, risk in overall or weekly or risks), None)


def finite(value: Any) -> float | None:
    """A number that can be shown; None for anything else."""
    if value is None or isinstance(value, (bool, str)):
        return None
    number = float(value)
    return number if math.isfinite(number) else None
