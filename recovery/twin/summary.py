"""One patient in a sentence: how urgent, and where they stand against their own expected course.

Pure wording of what the twin found; it decides nothing that an alert rule or a published score has not decided.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from recovery.twin.metrics import METRICS
from recovery.twin.signals import Signal, signals
from recovery.twin.surprise import RecoveryFeatures

State = Literal["act", "review", "watch", "on_track", "no_data"]

# From one standard deviation of the own slow variation a difference is worth a word [G: one in six by chance].
NOTABLE_Z = 1.0
# Without any reading for a day the present state is not known (clinical reference, rule 19).
SILENT_HOURS = 24.0
MOST_REASONS = 3


@dataclass(frozen=True, slots=True)
class Summary:
    """`state` is the lane on the board; `sentence` and `reasons` are plain words with measured facts."""

    state: State
    sentence: str
    reasons: tuple[str, ...]


def summarise(
    features: RecoveryFeatures, open_severities: Collection[str], grave: Mapping[str, str] | None = None
) -> Summary:
    """The summary of one patient now. `open_severities`: of the alerts that nobody has closed.

    grave: metric -> the fact, for vital signs that are grave at the bedside whatever this patient's course: they are
    never called as expected, and who has one is watched, never on track.
    """
    found, grave = signals(features), grave or {}
    current = [s for s in found if s.is_current]
    state = _state(found, open_severities, any(s.metric in grave for s in current))
    off = sorted(
        (s for s in current if s.z >= NOTABLE_Z or s.metric in grave), key=lambda s: (s.metric not in grave, -s.z)
    )
    reasons = tuple(grave.get(s.metric) or s.fact().text for s in off[:MOST_REASONS])
    return Summary(state, _sentence(found, off), reasons)


def _state(found: Collection[Signal], open_severities: Collection[str], is_grave: bool) -> State:
    if "high" in open_severities:
        return "act"
    if "medium" in open_severities:
        return "review"
    if _silent_for(found) >= SILENT_HOURS or not _of_the_patient(found):
        return "no_data"
    return "watch" if open_severities or is_grave else "on_track"


def _sentence(found: Collection[Signal], off: list[Signal]) -> str:
    if not found:
        return "No reading has arrived yet."
    age = _silent_for(found)
    if age >= SILENT_HOURS:
        return f"No reading for {_span(age)}: the present state is not known."
    current = [s for s in found if s.is_current]
    on = [s for s in current if s not in off]
    if not off:
        return f"{_names(on).capitalize()} on the own expected course." if on else "Too few recent readings to say."
    told = _names(off)
    rest = f"; {_names(on)} as expected" if on else ""
    return f"{told[:1].upper()}{told[1:]} need{'s' if len(off) == 1 else ''} a look{rest}."


def _silent_for(found: Collection[Signal]) -> float:
    """Hours since anything was read of the patient; a fresh blood value does not say how they are now."""
    return min((s.age_h for s in _of_the_patient(found) or found), default=SILENT_HOURS)


def _of_the_patient(found: Collection[Signal]) -> list[Signal]:
    return [s for s in found if METRICS[s.metric].family != "laboratory"]


def _names(found: Collection[Signal]) -> str:
    names = [s.label[0].lower() + s.label[1:] for s in found]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else ""


def _span(hours: float) -> str:
    return f"{hours:.0f} hours" if hours < 48 else f"{hours / 24:.0f} days"
