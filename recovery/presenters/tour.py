"""The first-run tour's practice alert: synthetic, made here, stored nowhere, and labelled so wherever it is shown."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PracticeAlert:
    patient: str
    line: str
    headline: str
    because: tuple[str, ...]
    answers: tuple[tuple[str, str], ...]


PRACTICE = PracticeAlert(
    patient="Practice Person",
    line="not a patient: an exercise, stored nowhere",
    headline="Vital signs away from own recovery curve",
    because=("Heart rate 19 /min above own expected course for 5 h", "Steps 45 % under own curve for 2 days"),
    answers=(("acknowledge", "I have it"), ("snooze", "Snooze 2 hours"), ("resolve", "Resolve: a true problem")),
)
FEEDBACK: Mapping[str, str] = {
    "acknowledge": "You are now its owner and everybody sees your name on it. It stays on the board until somebody "
    "resolves it, and is told again if it gets graver. Within 10 seconds an undo is offered.",
    "snooze": "It would be quiet for two hours, with your reason beside it, and open again sooner if the patient gets "
    "worse or nothing arrives any more. A high alert can be put off for 4 hours at most, and only by somebody who has "
    "looked at it.",
    "resolve": "It would be closed with what it was. That judgement is how the service page knows whether alerts help. "
    "The same cause raises a new alert when it begins anew.",
}


def feedback(answer: str) -> str:
    return FEEDBACK.get(answer, "")
