"""How complete the data are, in words and shapes: received, partial, refused, missing, not expected and withdrawn are
told apart by shape and by name, not by colour."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from recovery.presenters import wording
from recovery.selectors.completeness import LATE_EDGES_H, Cell, Completeness, HeldOut, PatientDays
from recovery.selectors.device_clocks import ClockOff
from recovery.twin.metrics import METRICS, Tier

STATES = {
    "received": "received",
    "partial": "partly received",
    "refused": "refused: outside the plausible range",
    "missing": "missing: not worn, out of reach or not sent",
    "not_expected": "not expected",
    "withdrawn": "withdrawn by the patient",
}
SHOWN = tuple(key for key, metric in METRICS.items() if metric.family != "laboratory")


@dataclass(frozen=True, slots=True)
class DayCell:
    """`day`: as the list of its readings is asked for, blank where there are none."""

    state: str
    words: str
    day: str


@dataclass(frozen=True, slots=True)
class PatientLine:
    key: UUID
    name: str
    origin: str
    newest: str
    cells: tuple[DayCell, ...]
    held_out: str
    clocks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Bar:
    label: str
    count: str
    width: float


@dataclass(frozen=True, slots=True)
class Accuracy:
    tier: str
    shared: str
    single: str


@dataclass(frozen=True, slots=True)
class CompletenessView:
    title: str
    days: tuple[tuple[str, str], ...]
    lines: tuple[PatientLine, ...]
    totals: str
    bars: tuple[Bar, ...]
    ahead: str
    accuracy: tuple[Accuracy, ...]
    accuracy_source: str
    legend: tuple[tuple[str, str], ...]


def completeness_view(found: Completeness, now: datetime, zone: ZoneInfo) -> CompletenessView:
    metric = METRICS[found.metric]
    noise = metric.noise
    days = tuple((wording.short_date(day, zone), day.astimezone(zone).strftime("%a")) for day in found.days)
    iso = [f"{day.astimezone(zone):%Y-%m-%d}" for day in found.days]
    return CompletenessView(
        title=metric.label,
        days=days,
        lines=tuple(_line(row, days, iso, now) for row in found.rows),
        totals=_totals(found),
        bars=_bars(found),
        ahead=_ahead(found.ahead) + _waiting(found),
        accuracy=tuple(
            Accuracy(
                wording.TIERS[tier.name.lower()],
                wording.quantity(noise.between[tier], found.metric, metric.unit),
                wording.quantity(noise.within, found.metric, metric.unit),
            )
            for tier in Tier
        ),
        accuracy_source=f"{noise.source.text.rstrip('.')}.",
        legend=tuple(STATES.items()),
    )


def metric_choices() -> tuple[tuple[str, str], ...]:
    return tuple((key, METRICS[key].label) for key in SHOWN)


def _line(row: PatientDays, days: tuple[tuple[str, str], ...], iso: list[str], now: datetime) -> PatientLine:
    return PatientLine(
        key=row.key,
        name=row.person.name,
        origin=wording.origin_label(row.person),
        newest=wording.age_of(row.newest, now) if row.newest else "nothing in 14 days",
        held_out=_held_out(row.held_out, now),
        clocks=tuple(_clock(one) for one in row.clocks),
        cells=tuple(
            DayCell(cell.state, _words(cell, day[0]), key if cell.readings else "")
            for cell, day, key in zip(row.cells, days, iso, strict=True)
        ),
    )


def _clock(found: ClockOff) -> str:
    about = wording.lasting(abs(found.hours))
    if found.evidence == "arrival":
        return f"{found.device}: its clock is about {about} ahead, its readings come before their time"
    way = "late" if found.hours > 0 else "early"
    return (
        f"{found.device}: day and night come about {about} {way}: check its clock and time zone, unless the patient"
        " keeps such hours"
    )


def _held_out(found: HeldOut | None, now: datetime) -> str:
    if found is None:
        return ""
    ahead = wording.lasting((found.until - now).total_seconds() / 3600.0)
    return f"{wording.plural(found.readings, 'reading')} dated up to {ahead} ahead of the clock: held out"


def _words(cell: Cell, day: str) -> str:
    """The whole cell in words, for those who do not see its shape."""
    text = f"{day}: {STATES[cell.state]}"
    if not cell.readings:
        return text
    refused = f", {wording.number(cell.refused)} refused" if cell.refused and cell.state != "refused" else ""
    return f"{text}, {wording.plural(cell.readings, 'reading')} in {cell.hours} h{refused}"


def _totals(found: Completeness) -> str:
    parts = [f"{wording.plural(found.readings, 'reading')} of {wording.plural(len(found.rows), 'patient')} in 14 days"]
    parts.append(f"{wording.number(found.refused)} outside the plausible range")
    parts.append(f"{wording.number(found.ended)} more taken back, corrected or marked as wrong")
    return ", ".join(parts) + "."


def _bars(found: Completeness) -> tuple[Bar, ...]:
    labels = [f"within {edge} h" if edge < 48 else f"within {edge // 24} days" for edge in LATE_EDGES_H]
    most = max(found.arrivals, default=0) or 1
    return tuple(
        Bar(label, wording.number(count), round(100.0 * count / most, 1))
        for label, count in zip([*labels, "later"], found.arrivals, strict=True)
    )


def _ahead(count: int) -> str:
    if not count:
        return "No reading is dated after its own arrival."
    one = "is" if count == 1 else "are"
    return (
        f"{wording.plural(count, 'reading')} {one} dated more than 5 minutes after arrival: check the clock and time "
        "zone of the device or its gateway."
    )


def _waiting(found: Completeness) -> str:
    """Of readings that are held out until their time has come."""
    held = [row.held_out for row in found.rows if row.held_out]
    if not held:
        return ""
    count = sum(one.readings for one in held)
    said = wording.plural(count, "reading") + (" lies" if count == 1 else " lie")
    return (
        f" {said} ahead of the clock now, of {wording.plural(len(held), 'patient')} above: held out of the twin until"
        " that time is here, kept as sent."
    )
