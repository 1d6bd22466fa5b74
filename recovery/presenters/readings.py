"""Readings as rows: the numbers behind a chart, each with source, device, trust tier and what the twin did with it."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from recovery.presenters import wording
from recovery.presenters.patient import Banner, banner
from recovery.selectors.allergies import Allergies
from recovery.selectors.people import Operation, Person
from recovery.selectors.snapshot import GateNote, MetricSaid, Said
from recovery.selectors.timeline import Reading, ReadingsPage
from recovery.twin.metrics import METRICS

CSV_HEADER = (
    "measured_at",
    "hours_after_surgery",
    "value",
    "unit",
    "source",
    "device",
    "tier",
    "received_at",
    "refused",
    "marked_wrong",
)
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class ReadingLine:
    id: str
    at: str
    day: str
    value: str
    source: str
    tier: str
    received: str
    decision: str
    is_refused: bool
    is_wrong: bool


@dataclass(frozen=True, slots=True)
class ReadingsView:
    banner: Banner
    label: str
    unit: str
    range_words: str
    rows: tuple[ReadingLine, ...]
    shown: str


def readings_view(
    found: ReadingsPage,
    metric: str,
    said: Said | None,
    person: Person,
    operation: Operation,
    allergies: Allergies,
    *,
    now: datetime,
    zone: ZoneInfo,
) -> ReadingsView:
    kind = METRICS[metric]
    notes = notes_by_hour(said.metrics.get(metric) if said else None)
    low, high = kind.plausible
    return ReadingsView(
        banner=banner(person, operation, said, now, allergies),
        label=kind.label,
        unit=wording.unit(kind.unit, kind.key),
        range_words=f"{wording.number(low, kind.decimals)} to "
        f"{wording.quantity(high, metric, kind.unit)} ({kind.plausible_source})",
        rows=tuple(_line(row, metric, kind.unit, notes, zone) for row in found.rows),
        shown=wording.plural(found.total, "reading"),
    )


def csv_row(row: Reading, metric: str) -> tuple[str, ...]:
    """One line of the export. Text that a spreadsheet would run as a formula is quoted."""
    kind = METRICS[metric]
    refused = f"dated {wording.lasting(row.ahead_h)} ahead of the clock" if row.ahead_h else row.refused
    texts = (row.source, row.device, row.tier, row.received_at.isoformat(), refused)
    return (
        row.at.isoformat(),
        f"{row.hour:.3f}",
        f"{row.value:.{max(kind.decimals, 3)}f}",
        kind.unit,
        *(harmless(text) for text in texts),
        "yes" if row.is_wrong else "",
    )


def _line(row: Reading, metric: str, code: str, notes: dict[int, GateNote], zone: ZoneInfo) -> ReadingLine:
    note = notes.get(int(row.hour // 1))
    decision = f"Rejected: {row.refused}" if row.refused else decision_words(note)
    if row.ahead_h:
        decision = wording.held_out(row.ahead_h)
    return ReadingLine(
        id=row.id,
        at=wording.clock(row.at, zone),
        day=wording.recovery_day(row.hour),
        value=wording.quantity(row.value, metric, code),
        source=" · ".join(part for part in (row.device, row.source) if part) or "source not named",
        tier=wording.TIERS.get(row.tier, row.tier),
        received=wording.clock(row.received_at, zone),
        decision="Marked as wrong: not in the twin" if row.is_wrong else decision,
        is_refused=bool(row.refused or row.ahead_h),
        is_wrong=row.is_wrong,
    )


def decision_words(note: GateNote | None) -> str:
    if note is None:
        return "Accepted"
    word = {"rejected": "Its hour was rejected", "down_weighted": "Its hour was given less weight"}
    return word.get(note.decision, note.decision) + (f": {note.reason}" if note.reason else "")


def notes_by_hour(metric: MetricSaid | None) -> dict[int, GateNote]:
    """The snapshot's remarks by whole hour after surgery end."""
    return {int(note.hour // 1): note for note in metric.gates.recent} if metric else {}


def harmless(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
