"""The board's rows, ready to print."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from recovery.pathway_plan import ESCALATE_TO
from recovery.presenters import wording
from recovery.presenters.alerts import SEVERITIES
from recovery.presenters.readings import harmless
from recovery.presenters.risk import short_risk
from recovery.presenters.sparkline import Sparkline, draw_spark
from recovery.selectors.alerts import AlertSeen
from recovery.selectors.careteam import Board, BoardRow
from recovery.selectors.desk import DeskSeen, OnCall
from recovery.selectors.snapshot import Said, headline_risk
from recovery.twin.profile import PROCEDURES

# Attribute of a row -> heading of its column.
CSV = {
    "record": "record number",
    "name": "name",
    "procedure": "procedure",
    "surgeon": "surgeon",
    "day": "day",
    "state_word": "state",
    "why": "why",
    "risk": "risk",
    "risk_event": "of what",
    "news2": "NEWS2",
    "owner": "owner",
    "next_contact": "next",
    "age": "data",
}
LANE_WORDS = {
    "clinical": ("Clinical", "open alerts on readings or behaviour"),
    "silent": ("Silent", "nothing has arrived for a day or more"),
    "doubt": ("Device or data", "readings refused, or no estimate possible"),
}
COLUMNS = {"risk": "Risk", "trend": "Trend", "age": "Data age", "owner": "Owner and next"}
PLAIN_STATES = tuple(wording.STATES.items())


@dataclass(frozen=True, slots=True)
class RowCard:
    key: UUID
    name: str
    label: str  # where the data comes from, when it is not an ordinary patient
    record: str
    procedure: str
    surgeon: str
    day: str
    state: str
    state_word: str
    risk: str
    risk_event: str
    why: str
    is_plain: bool  # nothing out of the ordinary to say
    age: str
    is_stale: bool
    alert_severity: str
    alert_line: str
    owner: str
    next_contact: str
    news2: str
    action: str
    spark: Sparkline | None


@dataclass(frozen=True, slots=True)
class Counter:
    state: str
    word: str
    count: int


@dataclass(frozen=True, slots=True)
class Lane:
    key: str
    word: str
    hint: str
    count: int


@dataclass(frozen=True, slots=True)
class BoardView:
    rows: tuple[RowCard, ...]
    counters: tuple[Counter, ...]
    lanes: tuple[Lane, ...]
    procedures: tuple[tuple[str, str], ...]
    columns: tuple[tuple[str, str, bool], ...]  # key, label, shown
    classes: str
    on_call: tuple[str, ...]
    changed: str
    computed: str
    is_stale: bool
    shown: str
    needing: str
    trend_days: int


def board_view(
    board: Board, now: datetime, zone: ZoneInfo, desk: DeskSeen | None = None, calls: Sequence[OnCall] = ()
) -> BoardView:
    desk = desk or DeskSeen()
    age = (now - board.last_computed).total_seconds() / 3600.0 if board.last_computed else None
    return BoardView(
        rows=tuple(row_card(row, now, zone) for row in board.rows),
        counters=tuple(Counter(state, word, board.counts.get(state, 0)) for state, word in PLAIN_STATES),
        lanes=tuple(Lane(key, word, hint, board.lanes.get(key, 0)) for key, (word, hint) in LANE_WORDS.items()),
        columns=tuple((key, label, key not in desk.hidden_columns) for key, label in COLUMNS.items()),
        classes=" ".join([desk.density, *(f"no-{key}" for key in COLUMNS if key in desk.hidden_columns)]),
        on_call=tuple(_on_call(call, zone) for call in calls),
        changed=f"Changed since {wording.clock(board.since, zone)}" if board.since else "",
        procedures=tuple((key, procedure_label(key)) for key in board.procedures),
        computed=wording.age_of(board.last_computed, now) if board.last_computed else "nothing computed yet",
        is_stale=age is not None and age > wording.STALE_SNAPSHOT_HOURS,
        trend_days=desk.spark_days,
        shown=wording.plural(board.total, "patient"),
        needing=wording.plural(board.counts.get("act", 0) + board.counts.get("review", 0), "patient"),
    )


def row_card(row: BoardRow, now: datetime, zone: ZoneInfo) -> RowCard:
    said = row.said
    risk = headline_risk(said.risks) if said else None
    until = said.data_until if said else None
    alert = row.alerts[0] if row.alerts else None
    end = row.operation.surgery_end
    return RowCard(
        key=row.operation.key,
        name=row.person.name,
        label=wording.origin_label(row.person),
        record=row.person.record_number,
        procedure=procedure_name(row),
        surgeon=row.operation.surgeon,
        day=wording.recovery_day((now - end).total_seconds() / 3600.0 if end else None),
        state=said.state if said else "no_data",
        state_word=wording.STATES.get(said.state if said else "no_data", "No data"),
        risk=short_risk(risk)[0],
        risk_event=short_risk(risk)[1],
        why=_why(row),
        is_plain=said is not None and said.state == "on_track" and not said.reasons and not row.alerts,
        age=f"data {wording.age_of(until, now)}" if until else "no readings yet",
        is_stale=until is None or (now - until).total_seconds() / 3600.0 > wording.STALE_READING_HOURS,
        alert_severity=alert.severity if alert and alert.status == "open" else "quiet",
        alert_line=_alert_line(alert, now),
        owner=_owner(row),
        next_contact=_next_contact(row, now, zone),
        news2=_news2(said),
        action="Answer alert" if alert and alert.status == "open" else "Open",
        spark=draw_spark(row.spark),
    )


def _owner(row: BoardRow) -> str:
    """Who has the alerts that stand; blank without any."""
    names = sorted({alert.owner for alert in row.alerts if alert.owner})
    return ", ".join(names) if names else "nobody yet" if row.alerts else ""


def _next_contact(row: BoardRow, now: datetime, zone: ZoneInfo) -> str:
    """By when an open alert should be answered, or when a snooze ends."""
    if row.due_at is not None:
        late = row.due_at < now
        return (
            f"answer overdue since {wording.clock(row.due_at, zone)}"
            if late
            else f"answer by {wording.clock(row.due_at, zone)}"
        )
    until = min((alert.snoozed_until for alert in row.alerts if alert.snoozed_until), default=None)
    return f"again at {wording.clock(until, zone)}" if until else ""


def _news2(said: Said | None) -> str:
    """The score beside the model's risk, where it could be scored; a partial one is at least so much."""
    score = next((one for one in said.scores if one.name == "NEWS2"), None) if said else None
    if score is None or score.value is None:
        return ""
    return f"NEWS2 {'' if score.complete else 'at least '}{wording.number(score.value)}"


def _on_call(call: OnCall, zone: ZoneInfo) -> str:
    level = ESCALATE_TO.get(call.level, call.level)
    return f"{level}, {call.team}: {call.name} until {wording.clock(call.until, zone)}"


def csv_rows(rows: Sequence[RowCard]) -> list[tuple[str, ...]]:
    """The board as it stands, for a spreadsheet; text that one would run as a formula is quoted."""
    return [tuple(CSV.values()), *(tuple(harmless(str(getattr(row, name))) for name in CSV) for row in rows)]


def procedure_name(row: BoardRow) -> str:
    if row.said and row.said.procedure_label:
        return row.said.procedure_label
    return row.operation.procedure_text or procedure_label(row.operation.procedure) or "procedure not known"


def procedure_label(key: str) -> str:
    return PROCEDURES[key].label if key in PROCEDURES else key.replace("_", " ")


def _why(row: BoardRow) -> str:
    """The alert that waits, if any, then the first reason, else the sentence."""
    if row.said is None:
        return "Nothing has been computed for this patient yet."
    waiting = next((alert.headline for alert in row.alerts if alert.status == "open"), "")
    reason = next(iter(row.said.reasons), "")
    return ". ".join(part for part in (waiting, reason) if part) or row.said.sentence


def _alert_line(alert: AlertSeen | None, now: datetime) -> str:
    if alert is None:
        return ""
    word = SEVERITIES.get(alert.severity, alert.severity)
    if alert.status == "open":
        return f"{word} alert, unanswered, {wording.age_of(alert.raised_at, now)}"
    if alert.status == "acknowledged":
        return f"{word} alert: {alert.owner or 'somebody'} has it"
    return f"{word} alert, snoozed"
