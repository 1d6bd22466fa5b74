"""Wording of risk (ux section 2): whole numbers out of 100, a time frame, the event, the interval, both sides.

The interval is what the model calls its 90 % interval. A risk that the model withholds has no number, only its reason.
"""

from dataclasses import dataclass

from recovery.selectors.snapshot import Risk
from recovery.twin.of_hundred import brackets, interval_words, out_of_100

UP, DOWN = "raises", "lowers"


@dataclass(frozen=True, slots=True)
class RiskReasonLine:
    text: str
    effect: str  # "raises" | "lowers" | ""


@dataclass(frozen=True, slots=True)
class RiskCard:
    """One risk ready to print; `point_at` and `range_*` place it on a bar of 100 %, blank when withheld."""

    label: str
    horizon: str
    short: str
    sentence: str
    interval: str
    others: str
    withheld: str
    point_at: str
    range_start: str
    range_width: str
    reasons: tuple[RiskReasonLine, ...]
    notes: tuple[str, ...]
    model: str
    evidence: str


def horizon(hours: float) -> str:
    """ "24 hours", "72 hours", "7 days", "30 days"."""
    return f"{round(hours)} hours" if hours <= 72 else f"{round(hours / 24)} days"


def short_risk(risk: Risk | None) -> tuple[str, str]:
    """Two lines for a list: "12 in 100 (7 to 19)", "any complication within 7 days"; or why there is no number."""
    if risk is None:
        return "No number", "not estimated yet"
    if risk.probability is None:
        return "No number", risk.abstained or "the model did not say why"
    return (
        f"{out_of_100(risk.probability)} in 100{brackets(risk.low, risk.high)}",
        f"{risk.label} within {horizon(risk.horizon_h)}",
    )


def risk_card(risk: Risk) -> RiskCard:
    if risk.probability is None:
        return _withheld(risk)
    within = horizon(risk.horizon_h)
    return RiskCard(
        label=_capital(risk.label),
        horizon=within,
        short=f"{out_of_100(risk.probability)} in 100",
        sentence=f"{_capital(out_of_100(risk.probability))} in 100 people like this: "
        f"{risk.label.lower()} within {within}.",
        interval=f"Likely {interval_words(risk.low, risk.high)} in 100 (90 % interval)."
        if risk.low is not None
        else "",
        others=f"{_capital(out_of_100(1.0 - risk.probability))} in 100 do not.",
        withheld="",
        point_at=_percent(risk.probability),
        range_start=_percent(risk.low),
        range_width=_percent(None if risk.low is None or risk.high is None else risk.high - risk.low),
        reasons=tuple(RiskReasonLine(reason.text, _effect(reason.direction)) for reason in risk.reasons if reason.text),
        notes=risk.notes,
        model=risk.model,
        evidence=risk.evidence,
    )


def _withheld(risk: Risk) -> RiskCard:
    return RiskCard(
        label=_capital(risk.label),
        horizon=horizon(risk.horizon_h),
        short="withheld",
        sentence="",
        interval="",
        others="",
        withheld=_capital(risk.abstained) or "The model did not say why.",
        point_at="",
        range_start="",
        range_width="",
        reasons=(),
        notes=risk.notes,
        model=risk.model,
        evidence=risk.evidence,
    )


def _effect(direction: str) -> str:
    word = direction.lower()
    if word in ("up", "raises", "higher", "+", "increases"):
        return UP
    return DOWN if word in ("down", "lowers", "lower", "-", "decreases") else ""


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share * 100.0:.2f}%"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
