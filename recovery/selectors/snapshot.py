"""The shapes of what a Snapshot says, as frozen dataclasses: the one thing that every page reads (promise 1).

`selectors.snapshot_json` makes them of a snapshot's content.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from recovery.snapshot_row import headline


@dataclass(frozen=True, slots=True)
class Curve:
    """Quantiles of the person's own expected course at `hours` after surgery end; `norm`: the procedure's course."""

    hours: tuple[float, ...]
    q05: tuple[float | None, ...]
    q25: tuple[float | None, ...]
    q50: tuple[float | None, ...]
    q75: tuple[float | None, ...]
    q95: tuple[float | None, ...]
    norm: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class GateNote:
    """One recent decision about a reading that was not simply accepted."""

    hour: float
    value: float | None
    decision: str
    reason: str


@dataclass(frozen=True, slots=True)
class Gates:
    accepted: int = 0
    down_weighted: int = 0
    rejected: int = 0
    recent: tuple[GateNote, ...] = ()


@dataclass(frozen=True, slots=True)
class MetricSaid:
    """What the twin said about one metric. Numbers in the metric's unit; `deviation` in SDs; `worn` 0..1."""

    key: str
    label: str
    unit: str
    now: float | None
    now_at: datetime | None
    now_source: str
    expected: float | None
    low50: float | None
    high50: float | None
    low90: float | None
    high90: float | None
    norm: float | None
    deviation: float | None
    baseline: float | None
    worn: float | None
    hours_since: float | None
    personal: bool
    personal_note: str
    curve: Curve | None
    gates: Gates
    scorecard: Mapping[str, Any]
    reading: str = ""  # id of the newest reading that the twin used; blank where it was not noted
    aid_note: str = ""  # that counts are taken as too low, because of a walking aid


@dataclass(frozen=True, slots=True)
class RiskReason:
    text: str
    direction: str
    contribution: float | None


@dataclass(frozen=True, slots=True)
class Risk:
    """Probability 0..1 of an outcome within `horizon_h` hours; None with `abstained` saying why."""

    outcome: str
    label: str
    horizon_h: float
    probability: float | None
    low: float | None
    high: float | None
    abstained: str
    reasons: tuple[RiskReason, ...]
    notes: tuple[str, ...]
    model: str
    evidence: str


@dataclass(frozen=True, slots=True)
class ScoreItem:
    name: str
    points: float | None
    value: str


@dataclass(frozen=True, slots=True)
class Score:
    name: str
    value: float | None
    highest: float | None
    band: str
    complete: bool
    missing: tuple[str, ...]
    items: tuple[ScoreItem, ...]
    source: str


@dataclass(frozen=True, slots=True)
class MilestoneSaid:
    """When a milestone is expected: postoperative days by which 10, 50 and 90 % of the probability has arrived.

    `target` in `unit`, None for a share of a baseline that is not known. `probability` 0..1 of reaching it within the
    pathway, `reached` of having reached it on `from_day`; `achieved` when that is as good as sure.
    """

    key: str
    label: str
    metric: str
    unit: str
    target: float | None
    direction: str
    from_day: int
    early: int | None
    median: int | None
    late: int | None
    probability: float | None
    reached: float | None
    achieved: bool
    personal: bool
    source: str


@dataclass(frozen=True, slots=True)
class AdviceSaid:
    """A measurement that could be taken now. forecast, risk: shares 0..1 of the uncertainty about the next days' values
    and about the risk that it is expected to remove; minutes of `who`."""

    metric: str
    label: str
    forecast: float
    risk: float
    age_h: float | None
    minutes: float
    who: str
    source: str


@dataclass(frozen=True, slots=True)
class CauseSaid:
    """A cause that could explain the last three days. probability 0..1 among all causes weighed; metrics by label."""

    label: str
    benign: bool
    probability: float
    begun_h_ago: float
    speaks_for: tuple[str, ...]
    speaks_against: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SuspicionSaid:
    """probability: calibrated, of any complication under way; ordinary: posterior of ordinary recovery; both None when
    silent, and `silent` says why. known: posterior of what is diagnosed already, which is not among the causes."""

    probability: float | None
    ordinary: float | None
    silent: str
    causes: tuple[CauseSaid, ...]
    model: str
    evidence: str
    known: float = 0.0


@dataclass(frozen=True, slots=True)
class Said:
    """One snapshot: when it was made, on readings up to when, by which models, and all that it said.

    `strays_most`: key of the metric furthest from its own course, blank where none is drawn.
    """

    made_at: datetime
    data_until: datetime | None
    model_version: str
    day: int | None
    hour: float | None
    state: str
    sentence: str
    reasons: tuple[str, ...]
    procedure_label: str
    curve_note: str
    metrics: Mapping[str, MetricSaid]
    risks: tuple[Risk, ...]
    scores: tuple[Score, ...]
    model: Mapping[str, str]
    milestones: tuple[MilestoneSaid, ...] = ()
    advice: tuple[AdviceSaid, ...] = ()
    suspicion: SuspicionSaid | None = None
    strays_most: str = ""


def headline_risk(risks: Iterable[Risk]) -> Risk | None:
    """The one risk that a list row shows: any complication within 7 days, else the first that there is."""
    return headline([((one.horizon_h, one.outcome), one) for one in risks])
