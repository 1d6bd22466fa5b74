"""What changed since a person last looked: state, measures that crossed their band, risk, alerts, sources of data."""

from datetime import datetime
from zoneinfo import ZoneInfo

from recovery.presenters import wording
from recovery.presenters.chart import ABOVE, BELOW, band_place, is_stale
from recovery.presenters.steps import step_words
from recovery.selectors.patient import LastLook
from recovery.selectors.snapshot import MetricSaid, Risk, Said, headline_risk

# A change of the headline risk worth a line: this many in 100 [G: less is within what each new reading moves].
RISK_STEP = 3
MOST_STEPS = 8


def last_look_line(look: LastLook | None, now: datetime) -> str:
    if look is None:
        return "You have not opened this page before."
    return f"You last looked {wording.age_of(look.at, now)}."


def changes_since(look: LastLook | None, said: Said | None, zone: ZoneInfo) -> tuple[str, ...]:
    """One line a change, gravest kinds first; empty when nothing changed, or there was no earlier look."""
    if look is None:
        return ()
    lines = []
    if said is not None and look.said is not None:
        lines += _state(look.said, said)
        lines += [line for key in said.metrics if (line := _crossing(look.said.metrics.get(key), said.metrics[key]))]
        lines += _risk(headline_risk(look.said.risks), headline_risk(said.risks))
        lines += _sources(look.said, said)
    elif said is not None:
        lines.append("Estimates have begun")
    steps = [f"Alert, {step_words(step, zone)}" for step in look.steps]
    left_out = len(steps) - MOST_STEPS
    return (*lines, *steps[-MOST_STEPS:], *([f"and {left_out} earlier steps of alerts"] if left_out > 0 else []))


def _state(before: Said, now: Said) -> list[str]:
    if before.state == now.state:
        return []
    return [f"State: {_word(before.state)}, now {_word(now.state)}"]


def _word(state: str) -> str:
    return wording.STATES.get(state, state)


def _crossing(before: MetricSaid | None, now: MetricSaid) -> str:
    """A measure that left its own 90 % band, came back into it, or went silent; blank otherwise."""
    if before is None:
        return ""
    if is_stale(now) and not is_stale(before):
        return f"{now.label}: no recent reading any more"
    was, place = band_place(before), band_place(now)
    if not was or not place or was == place or not {was, place} & {ABOVE, BELOW}:
        return ""
    value = wording.quantity(now.now, now.key, now.unit)
    return f"{now.label} {value}: {place} ({was} when you looked)"


def _risk(before: Risk | None, now: Risk | None) -> list[str]:
    if before is None or now is None or (before.outcome, before.horizon_h) != (now.outcome, now.horizon_h):
        return []
    if before.probability is None or now.probability is None:
        if (before.probability is None) == (now.probability is None):
            return []
        return ["Risk: a number again" if before.probability is None else f"Risk: no number any more. {now.abstained}"]
    was, is_now = round(before.probability * 100), round(now.probability * 100)
    if abs(was - is_now) < RISK_STEP:
        return []
    return [f"Risk of {now.label}: {is_now} in 100, {was} in 100 when you looked"]


def _sources(before: Said, now: Said) -> list[str]:
    known = {metric.now_source for metric in before.metrics.values()}
    new = sorted({metric.now_source for metric in now.metrics.values()} - known - {""})
    first = [now.metrics[key].label for key in now.metrics if key not in before.metrics]
    lines = [f"New source of data: {', '.join(new)}"] if new else []
    return lines + ([f"Measured for the first time: {', '.join(first)}"] if first else [])
