"""One patient's summary as plain lines: to copy into a note, and to print."""

from datetime import datetime
from zoneinfo import ZoneInfo

from recovery.presenters import wording
from recovery.presenters.patient import PatientView
from recovery.presenters.risk import RiskCard

CAUTION = "Decision support: consider together with examination and the record."


def summary_lines(view: PatientView) -> tuple[tuple[str, str], ...]:
    """(name, words); a blank one has nothing to say."""
    measured = (*view.metrics, *view.laboratory)
    return (
        ("State", f"{view.state_word}. {view.sentence}"),
        ("Why", "; ".join(view.reasons)),
        ("Alerts", "; ".join(f"{one.severity_word}: {one.headline} ({one.status_line})" for one in view.alerts)),
        ("Risk", _risk(view.headline)),
        ("Scores", "; ".join(f"{one.name} {one.value} {one.band}".strip() for one in view.scores)),
        *((one.label, _reading(one.value, one.unit, one.when, one.place)) for one in measured),
        ("Newest reading", view.readings_until),
        ("Computed", view.computed),
        ("Models", "; ".join(view.model_lines)),
    )


def _risk(card: RiskCard | None) -> str:
    if card is None:
        return ""
    if card.withheld:
        return f"{card.label} within {card.horizon}: no number. {card.withheld}"
    return f"{card.sentence} {card.interval} {card.evidence}."


def _reading(value: str, unit: str, when: str, place: str) -> str:
    return f"{value} {unit}".strip() + f", {when}" + (f"; {place}" if place else "")


def summary_head(view: PatientView, now: datetime, zone: ZoneInfo) -> tuple[str, ...]:
    banner = view.banner
    label = f" [{banner.label}]" if banner.label else ""
    return (
        f"{banner.name}{label}, born {banner.born}, No. {banner.record}",
        f"Allergies: {view.allergies}.",
        f"{banner.procedure}, {banner.day}. As of {wording.clock(now, zone)}.",
    )


def summary_text(view: PatientView, now: datetime, zone: ZoneInfo) -> str:
    """Plain text for a note."""
    lines = [f"{name}: {words}" for name, words in summary_lines(view) if words]
    return "\n".join([*summary_head(view, now, zone), *lines, CAUTION])
