"""A bedside score as a page says it: its value, what is missing, and its items."""

from dataclasses import dataclass

from recovery.presenters import wording
from recovery.selectors.snapshot import Score


@dataclass(frozen=True, slots=True)
class ScoreCard:
    name: str
    value: str
    band: str
    partial: str
    items: tuple[tuple[str, str, str], ...]
    source: str


def score_card(score: Score) -> ScoreCard:
    return ScoreCard(
        name=score.name,
        value=_score_value(score),
        band=_score_band(score),
        partial=_partial(score),
        items=tuple(
            (item.name, _item_value(item.value), wording.number(item.points) if item.points is not None else "missing")
            for item in score.items
        ),
        source=score.source,
    )


def _item_value(value: str) -> str:
    """As people write it: "upper abdominal", and no more than three figures of a number that was worked out."""
    try:
        amount = float(value)
    except ValueError:
        return value.replace("_", " ")
    places = 2 - sum(abs(amount) >= edge for edge in (10, 100))
    return wording.number(amount, 0 if round(amount, places).is_integer() else places)


def _score_value(score: Score) -> str:
    if score.value is None:
        return "not scored"
    return wording.number(score.value) if score.complete else f"at least {wording.number(score.value)}"


def _score_band(score: Score) -> str:
    """A partial score's band is the lowest that it can be."""
    band = score.band.replace("_", " ")
    return f"{band} so far" if band and not score.complete else band


def _partial(score: Score) -> str:
    """What is missing, and how high the score could be: a missing item is never a silent zero."""
    if score.complete:
        return ""
    missing = ", ".join(name.lower() for name in score.missing) or "items"
    top = f"; with it the score could be up to {wording.number(score.highest)}" if score.highest is not None else ""
    return f"{missing} missing{top}"
