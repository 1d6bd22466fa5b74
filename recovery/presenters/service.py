"""The service page in words: every share with its denominator, and "too few to tell" where it is small."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from recovery.presenters import wording
from recovery.presenters.inbox import CHANNELS
from recovery.selectors.service import (
    FEWEST_JUDGED,
    MOST_OVERRIDDEN,
    USELESS_BELOW,
    Middle,
    RuleFigures,
    Service,
    Share,
)

WINDOWS = {7: "7 days", 30: "30 days", 90: "90 days"}
TOO_FEW = "too few to tell"
FEWEST_TIMED = 5  # a median of fewer says nothing [G]
AIM_ACTED_ON = 0.5  # ux.md section 3: at least half of the high alerts


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure. `detail` names the denominator; `flag`: it misses its aim."""

    key: str
    label: str
    value: str
    detail: str
    flag: bool = False


@dataclass(frozen=True, slots=True)
class RuleLine:
    headline: str
    cause: str
    raised: str
    ppv: str
    useful: str
    overridden: int
    flag: str


@dataclass(frozen=True, slots=True)
class SentLine:
    channel: str
    sent: int
    waiting: int
    given_up: int
    cause: str


@dataclass(frozen=True, slots=True)
class ServiceView:
    people: tuple[Figure, ...]
    burden: tuple[Figure, ...]
    answers: tuple[Figure, ...]
    rules: tuple[RuleLine, ...]
    overridden: tuple[RuleLine, ...]
    sent: tuple[SentLine, ...]
    flagged: int


def service_view(found: Service) -> ServiceView:
    rules = tuple(_rule(one) for one in found.rules)
    most = sorted((one for one in rules if one.overridden), key=lambda one: -one.overridden)[:MOST_OVERRIDDEN]
    return ServiceView(
        people=_people(found),
        burden=_burden(found),
        answers=_answers(found),
        rules=rules,
        overridden=tuple(most),
        sent=tuple(
            SentLine(CHANNELS.get(one.channel, one.channel), one.sent, one.waiting, one.given_up, one.cause)
            for one in found.sent
        ),
        flagged=sum(bool(one.flag) for one in rules),
    )


def _people(found: Service) -> tuple[Figure, ...]:
    total = f"of {wording.plural(found.followed, 'enrolled patient')}"
    return (
        Figure("enrolled", "Enrolled", wording.number(found.followed), "planned or in recovery now"),
        Figure("activated", "Activated", wording.number(found.activated), f"{total}: at least one reading has come"),
        Figure("responding", "Responding", wording.number(found.responding), f"{total}: a reading in the last 24 h"),
    )


def _burden(found: Service) -> tuple[Figure, ...]:
    raised = sum(found.raised.values())
    words = ", ".join(f"{found.raised.get(name, 0)} {name}" for name in ("high", "medium", "low"))
    days = found.patient_days
    weekly = raised / days * 7 if days else None
    per_shift = raised / found.nurse_shifts if found.nurse_shifts else None
    basis = (
        "first on call by the roster"
        if found.shifts_are_rostered
        else "little or no roster: one nurse a shift is assumed"
    )
    allowed = f"the pathways allow {found.budget:.1f}" if found.budget is not None else "no pathway has a budget"
    return (
        Figure("raised", "Alerts raised", wording.number(raised), words),
        Figure(
            "per_patient_day",
            "Alerts per patient-day",
            f"{raised / days:.2f}" if days else TOO_FEW,
            f"{raised} alerts in {wording.number(days)} patient-days",
        ),
        Figure(
            "per_nurse_shift",
            "Alerts per nurse per shift",
            f"{per_shift:.1f}" if per_shift is not None else TOO_FEW,
            f"{wording.number(found.nurse_shifts)} shifts of 8 h; {basis}",
        ),
        Figure(
            "budget",
            "Alerts per patient-week",
            f"{weekly:.1f}" if weekly is not None else TOO_FEW,
            allowed,
            weekly is not None and found.budget is not None and weekly > found.budget,
        ),
    )


def _answers(found: Service) -> tuple[Figure, ...]:
    acted = found.acted_on_high
    return (
        _time("median_acknowledge_high", "Time to acknowledge, high", found.acknowledged_high, "high alert", "taken"),
        _time("median_acknowledge", "Time to acknowledge, all", found.acknowledged, "alert", "taken"),
        Figure(
            "acted_on_high",
            "High alerts acted on",
            f"{round(100 * acted.hits / acted.of)} in 100" if acted.of >= FEWEST_JUDGED else TOO_FEW,
            f"{acted.hits} of {acted.of} taken or resolved by a person; aim: at least half",
            acted.of >= FEWEST_JUDGED and acted.hits < AIM_ACTED_ON * acted.of,
        ),
        _time("lead", "Lead time", found.lead, "true problem", "with a diagnosis within 7 days after the alert"),
        Figure("escalated", "Escalated", wording.number(found.escalated), "alerts that somebody further was told of"),
        Figure(
            "snoozed_long",
            "Snoozed over 24 h",
            wording.number(found.snoozed_long),
            "first put off more than a day ago, and still snoozed",
            found.snoozed_long > 0,
        ),
    )


def _time(key: str, label: str, found: Middle, one: str, how: str) -> Figure:
    basis = f"{wording.plural(found.n, one)} {how}"
    if found.median is None or found.n < FEWEST_TIMED:
        return Figure(key, label, TOO_FEW, basis)
    return Figure(key, label, wording.lasting(found.median / timedelta(hours=1)), f"median of {basis}")


def share_words(share: Share) -> str:
    """ "12 of 40 (30 in 100)"; below FEWEST_JUDGED only the count, and that it is too few."""
    if share.of < FEWEST_JUDGED:
        return f"{share.hits} of {share.of}: {TOO_FEW}"
    return f"{share.hits} of {share.of} ({round(100 * share.hits / share.of)} in 100)"


def _rule(one: RuleFigures) -> RuleLine:
    useless = one.recent.of >= FEWEST_JUDGED and one.recent.hits < USELESS_BELOW * one.recent.of
    return RuleLine(
        headline=one.headline,
        cause=one.cause,
        raised=wording.number(one.raised),
        ppv=share_words(one.true),
        useful=share_words(one.useful),
        overridden=one.overridden,
        flag=f"under 10 in 100 useful for 30 days ({one.recent.hits} of {one.recent.of})" if useless else "",
    )


def csv_rows(found: Service) -> Iterator[tuple[str, ...]]:
    """What the page shows, as a table: part, name, value, what it rests on."""
    view = service_view(found)
    yield "part", "name", "value", "rests on"
    for part, figures in (("people", view.people), ("burden", view.burden), ("answers", view.answers)):
        for one in figures:
            yield part, one.key, one.value, one.detail
    for rule in found.rules:
        yield "rule", rule.cause, f"{rule.true.hits} true of {rule.true.of} judged", f"{rule.raised} raised"
        yield "rule", rule.cause, f"{rule.useful.hits} useful of {rule.useful.of} answers", f"{rule.raised} raised"
    for way in view.sent:
        yield "sent", way.channel, f"{way.sent} sent, {way.waiting} waiting, {way.given_up} given up", way.cause
