"""The hand-over in words: per patient the state, why, who has what, what changed in the shift, and what is next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from uuid import UUID
from zoneinfo import ZoneInfo

from recovery.presenters import wording
from recovery.presenters.alerts import SEVERITIES, status_line
from recovery.presenters.allergies import allergy_words
from recovery.presenters.board import row_card
from recovery.presenters.steps import step_words
from recovery.selectors.alerts import AlertSeen
from recovery.selectors.handover import Handed, Handover, Shift
from recovery.selectors.record_notes import SentHandover

# When shifts begin, hospital time [G: common in European hospitals; to be set by the unit].
BEGIN = (("early", 7), ("late", 15), ("night", 23))
WORDS = {"early": "Early shift", "late": "Late shift", "night": "Night shift"}
SHIFTS_BACK = 6
MOST_STEPS = 6


@dataclass(frozen=True, slots=True)
class HandedCard:
    """`filed`: since when this shift's hand-over stands in the record, or blank."""

    key: UUID
    name: str
    label: str
    born: str
    record: str
    allergies: str
    line: str
    state: str
    state_word: str
    why: str
    alerts: tuple[str, ...]
    changed: tuple[str, ...]
    next_check: str
    risk: str
    data: str
    filed: str = ""


@dataclass(frozen=True, slots=True)
class HandoverView:
    title: str
    period: str
    made: str
    ward: str
    patients: tuple[HandedCard, ...]
    shifts: tuple[tuple[str, str, bool], ...]  # key, words, chosen
    needing: str
    is_synthetic: bool
    left_out: str


def shifts_until(now: datetime, zone: ZoneInfo) -> tuple[Shift, ...]:
    """The shift that is on and those before it, newest first; `key` is its local date and name."""
    local = now.astimezone(zone)
    begins = [
        (name, (local - timedelta(days=back)).replace(hour=hour, minute=0, second=0, microsecond=0))
        for back in range(-1, 4)
        for name, hour in BEGIN
    ]
    begins.sort(key=lambda one: one[1])
    found = [
        Shift(f"{begin:%Y-%m-%d}-{name}", begin, begins[place + 1][1])
        for place, (name, begin) in enumerate(begins[:-1])
        if begin <= local
    ]
    return tuple(reversed(found[-SHIFTS_BACK:]))


def shift_words(shift: Shift, zone: ZoneInfo) -> str:
    name = shift.key.rpartition("-")[2]
    return f"{WORDS.get(name, name)} {wording.calendar_day(shift.start, zone)}"


def handover_view(
    found: Handover,
    shifts: Sequence[Shift],
    now: datetime,
    zone: ZoneInfo,
    filed: Mapping[UUID, SentHandover] = MappingProxyType({}),
) -> HandoverView:
    wards = dict(found.wards)
    cards = tuple(_card(one, now, zone, filed.get(one.row.operation.key)) for one in found.patients)
    return HandoverView(
        title=f"Hand-over: {shift_words(found.shift, zone)}",
        period=f"{wording.clock(found.shift.start, zone)} to {wording.clock(found.shift.end, zone)}",
        made=wording.clock(now, zone),
        ward=wards.get(found.ward, "") or ", ".join(wards.values()),
        patients=cards,
        shifts=tuple((one.key, shift_words(one, zone), one == found.shift) for one in shifts),
        needing=wording.plural(sum(card.state in ("act", "review") for card in cards), "patient"),
        is_synthetic=any(one.row.person.is_synthetic for one in found.patients),
        left_out=_left_out(found.total - len(cards)),
    )


def _left_out(count: int) -> str:
    return f"{count} more are not listed: choose one ward." if count > 0 else ""


def _card(one: Handed, now: datetime, zone: ZoneInfo, filed: SentHandover | None) -> HandedCard:
    row = row_card(one.row, now, zone)
    return HandedCard(
        key=row.key,
        name=row.name,
        label=row.label,
        born=wording.birth(one.row.person.birth_date, now.date()),
        record=row.record,
        allergies=allergy_words(one.allergies),
        line=f"{row.procedure}, {row.day}",
        state=row.state,
        state_word=row.state_word,
        why=row.why,
        alerts=tuple(_alert(alert, now, zone) for alert in one.row.alerts),
        changed=_changed(one, zone),
        next_check=row.next_contact or ("look at the alert" if row.alert_severity != "quiet" else "as planned"),
        risk=f"{row.risk}: {row.risk_event}" + (f"; {row.news2}" if row.news2 else ""),
        data=row.age,
        filed=f"Filed in the record {wording.clock(filed.sent_at, zone)}" if filed else "",
    )


def _alert(alert: AlertSeen, now: datetime, zone: ZoneInfo) -> str:
    word = SEVERITIES.get(alert.severity, alert.severity)
    return f"{word}: {alert.headline}. {status_line(alert, now, zone)}."


def _changed(one: Handed, zone: ZoneInfo) -> tuple[str, ...]:
    now_state = one.row.said.state if one.row.said else "no_data"
    lines = []
    if one.state_before and one.state_before != now_state:
        before, after = (wording.STATES.get(state, state) for state in (one.state_before, now_state))
        lines.append(f"State: {before} at the beginning, now {after}")
    lines += [step_words(step, zone) for step in one.steps[-MOST_STEPS:]]
    if len(one.steps) > MOST_STEPS:
        lines.append(f"and {len(one.steps) - MOST_STEPS} earlier steps")
    return tuple(lines) or ("nothing",)
