"""The hand-over of one patient as a document of its own: the words that go into the record, and what the form shows."""

import hashlib
from dataclasses import dataclass

from recovery.presenters.handover import HandedCard, HandoverView
from recovery.presenters.summary import CAUTION

TITLE = "Hand-over"


@dataclass(frozen=True, slots=True)
class HandedSheet:
    """One patient on the form. `mark`: of these very words. `standing`: id of what it would replace, or blank;
    `problem`: why it was not filed just now."""

    card: HandedCard
    text: str
    mark: str
    standing: str
    is_ticked: bool
    note: str = ""
    problem: str = ""


def handed_head(card: HandedCard, view: HandoverView) -> tuple[str, ...]:
    label = f" [{card.label}]" if card.label else ""
    return (
        f"{card.name}{label}, born {card.born}, No. {card.record or 'not known'}",
        f"Allergies: {card.allergies}.",
        f"{card.line}. {view.title}, {view.period}. As of {view.made}.",
    )


def handed_lines(card: HandedCard) -> tuple[tuple[str, str], ...]:
    """(name, words)."""
    return (
        ("State", f"{card.state_word}. {card.why}"),
        ("Alerts", " ".join(card.alerts) or "none open"),
        ("This shift", "; ".join(card.changed)),
        ("Next check", card.next_check),
        ("Risk", card.risk),
        ("Newest data", card.data),
    )


def handed_text(card: HandedCard, view: HandoverView) -> str:
    """Plain text, as it will stand in the record."""
    lines = [f"{name}: {words}" for name, words in handed_lines(card) if words]
    return "\n".join([*handed_head(card, view), *lines, CAUTION])


def mark_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
