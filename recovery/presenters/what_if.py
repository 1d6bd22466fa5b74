"""Advice and what-ifs in words. Numbers as people out of 100 with both sides shown; evidence named beside each."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from recovery.presenters import wording
from recovery.presenters.what_if_picture import Picture, picture
from recovery.selectors.snapshot import AdviceSaid, Said
from recovery.twin.metrics import METRICS
from recovery.twin.what_if import EVIDENCE_WORDS, LEVERS, NOT_ADVICE, Answer, Chance, DayBand, Lever

OUTCOMES = {"readmission": "Readmission within 30 days"}
EVIDENCE = {"causal": "Trial-based", "association": "Observational", "assumption": "Assumption"}


@dataclass(frozen=True, slots=True)
class AdviceLine:
    label: str
    worth: str
    cost: str
    age: str
    source: str


@dataclass(frozen=True, slots=True)
class LeverLine:
    """One question as a form shows it; `closed`: why it cannot be asked of this patient now."""

    key: str
    question: str
    evidence: str
    unit: str
    low: str
    high: str
    step: str
    amount: str
    source: str
    caution: str
    closed: str
    is_asked: bool


@dataclass(frozen=True, slots=True)
class BandLine:
    day: str
    before: str
    before90: str
    after: str
    after90: str


@dataclass(frozen=True, slots=True)
class AnswerView:
    question: str
    evidence: str
    evidence_words: str
    source: str
    caution: str
    metric: str
    rows: tuple[BandLine, ...]
    picture: Picture | None
    chance: str
    before: str
    after: str
    difference: str
    model: str


@dataclass(frozen=True, slots=True)
class WhatIfView:
    levers: tuple[LeverLine, ...]
    answer: AnswerView | None
    refusal: str
    note: str = NOT_ADVICE


def advice_lines(said: Said | None) -> tuple[AdviceLine, ...]:
    return tuple(_advice(one) for one in said.advice) if said else ()


def _advice(one: AdviceSaid) -> AdviceLine:
    parts = []
    if one.forecast >= 0.01:
        parts.append(f"{one.forecast:.0%} of the uncertainty about its next 3 days")
    if one.risk >= 0.01:
        parts.append(f"{one.risk:.0%} of what the risk does not know about the present readings")
    minutes = "half a minute" if one.minutes == 0.5 else f"{one.minutes:g} min"
    age = "never read" if one.age_h is None else f"last read {_hours(one.age_h)} ago"
    return AdviceLine(one.label, " and ".join(parts), f"{minutes}, {one.who}", age, one.source)


def _hours(hours: float) -> str:
    return f"{hours / 24:.0f} days" if hours >= 48 else f"{hours:.0f} h" if hours >= 1 else "under 1 h"


def what_if_view(
    closed: Mapping[str, str], lever: str, amount: float | None, answer: Answer | None, refusal: str
) -> WhatIfView:
    lines = tuple(_lever(one, closed.get(one.key, ""), lever, amount) for one in LEVERS.values())
    return WhatIfView(lines, answer_view(answer) if answer else None, refusal)


def _lever(one: Lever, closed: str, asked: str, amount: float | None) -> LeverLine:
    is_asked = asked == one.key
    shown = amount if is_asked and amount is not None else one.start
    return LeverLine(
        one.key,
        one.question,
        EVIDENCE[one.evidence],
        one.unit.replace("Cel", "°C"),
        f"{one.low:g}",
        f"{one.high:g}",
        f"{one.step:g}",
        f"{shown:g}",
        str(one.source),
        one.caution,
        closed,
        is_asked,
    )


def answer_view(answer: Answer) -> AnswerView:
    lever, chance = answer.lever, answer.chance
    metric = METRICS[lever.metric]
    unit = wording.unit(metric.unit, metric.key)
    return AnswerView(
        question=lever.question,
        evidence=EVIDENCE[lever.evidence],
        evidence_words=EVIDENCE_WORDS[lever.evidence],
        source=str(lever.source),
        caution=lever.caution,
        metric=f"{metric.label}, {unit}" if unit else metric.label,
        rows=tuple(_rows(answer.days, metric.decimals)),
        picture=picture(metric, answer.days),
        chance=OUTCOMES.get(chance.label, chance.label) if chance else "",
        before=_people(chance.before) if chance else "",
        after=_people(chance.after) if chance else "",
        difference=_difference(chance) if chance else "",
        model=answer.model_version,
    )


def _rows(days: Iterable[DayBand], decimals: int) -> Iterable[BandLine]:
    def number(value: float) -> str:
        return f"{value:,.{decimals}f}"

    for one in days:
        yield BandLine(
            f"day {one.day}",
            number(one.before[2]),
            f"{number(one.before[0])} to {number(one.before[4])}",
            number(one.after[2]),
            f"{number(one.after[0])} to {number(one.after[4])}",
        )


def _people(chance: tuple[float, float, float]) -> str:
    middle, low, high = (round(100 * value) for value in chance)
    words = f"{middle} in 100 people like this ({100 - middle} do not)"
    return words if low == high else f"{words}, likely between {low} and {high}"


def _difference(chance: Chance) -> str:
    middle, low, high = (round(100 * value) for value in chance.difference)
    if middle == low == high == 0:
        return "No difference in 100."
    low, high = sorted((low, high))
    return f"{_signed(middle).capitalize()} in 100, likely between {_signed(low)} and {_signed(high)}."


def _signed(number: int) -> str:
    return "no difference" if number == 0 else f"{abs(number)} {'fewer' if number < 0 else 'more'}"
