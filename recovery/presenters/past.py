"""The time machine in words: as known when, how exactly, and the steps from there."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from recovery.presenters import wording
from recovery.presenters.alerts import SEVERITIES, STATUSES
from recovery.selectors.past import AlertThen

STEP_DAYS = 0.25


@dataclass(frozen=True, slots=True)
class TimeMachine:
    """`days` after surgery end on the slider, in steps of `step` up to `last`; `value`: local time, for typing.

    earlier, later: what stands in the address for a day before and after; blank where there is none.
    """

    days: str
    last: str
    step: float
    value: str
    least: str
    most: str
    earlier: str
    later: str
    day: str


@dataclass(frozen=True, slots=True)
class AlertLine:
    severity_key: str
    severity_word: str
    headline: str
    status: str
    since: str


def time_machine(at: datetime, surgery_end: datetime, now: datetime, zone: ZoneInfo) -> TimeMachine:
    days, last = _days(surgery_end, at), _days(surgery_end, now)
    return TimeMachine(
        days=f"{round(days / STEP_DAYS) * STEP_DAYS:g}",
        last=f"{int(last / STEP_DAYS) * STEP_DAYS:g}",
        step=STEP_DAYS,
        value=_typed(at, zone),
        least=_typed(surgery_end, zone),
        most=_typed(now, zone),
        earlier=f"{days - 1:.4g}" if days >= 1 else "",
        later=f"{days + 1:.4g}" if days + 1 < last else "",
        day=wording.recovery_day(days * 24.0),
    )


def moment_of(asked: str, surgery_end: datetime, now: datetime, zone: ZoneInfo) -> datetime | None:
    """The time that `asked` names: days after surgery end, or a local date and time. None: cannot be read, or is not
    before now; before surgery it is the end of surgery."""
    try:
        at = surgery_end + timedelta(days=float(asked))
    except (ValueError, OverflowError):
        try:
            at = datetime.fromisoformat(asked)
        except ValueError:
            return None
        at = at.replace(tzinfo=zone) if at.tzinfo is None else at
    return max(at, surgery_end) if at < now else None


def how_words(how: str, made_at: datetime, zone: ZoneInfo) -> str:
    if how == "stored":
        return f"This is what the page said then, as computed {wording.clock(made_at, zone)}."
    return (
        "Computed now from the readings that had been received by then, under the models of today; "
        "how long something had lasted is not kept."
    )


def alert_lines(alerts: Iterable[AlertThen], zone: ZoneInfo) -> tuple[AlertLine, ...]:
    return tuple(
        AlertLine(
            severity_key=one.severity or "low",
            severity_word=SEVERITIES.get(one.severity, "Graver since"),
            headline=one.headline,
            status=_status(one),
            since=wording.clock(one.raised_at, zone),
        )
        for one in alerts
    )


def _status(one: AlertThen) -> str:
    if one.status == "acknowledged" and one.owner:
        return f"{one.owner} had it"
    return {"open": "Nobody had answered"}.get(one.status, STATUSES.get(one.status, one.status))


def _days(surgery_end: datetime, at: datetime) -> float:
    return (at - surgery_end) / timedelta(days=1)


def _typed(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).strftime("%Y-%m-%dT%H:%M")
