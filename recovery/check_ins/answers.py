"""Answers: read from what a page sent, checked against the question, and judged. Pure.

An answer is plain JSON: a number, a code, a list of codes, a text, a truth value, or {"declined": reason} where the
person would rather not say ("asked-declined") or does not know ("asked-unknown"; codes of FHIR's data-absent-reason).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from recovery.check_ins.forms import Condition, Danger, Form, Level, Question
from recovery.exceptions import Invalid

DECLINED = {"decline": "asked-declined", "unknown": "asked-unknown"}
LONGEST_TEXT = 500
Answer = Any
Answers = Mapping[str, Answer]


class NotAnAnswer(Invalid):
    """What was sent is no answer to this question. `reason`: pick, number, range, whole, long."""

    def __init__(self, reason: str, question: Question) -> None:
        super().__init__(f"{question.link_id}: not an answer ({reason}).", field=question.link_id)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Warned:
    """A dangerous answer: which question, how grave, and the rule that says so."""

    link_id: str
    level: Level
    source: str
    answer: Answer


def is_declined(answer: Answer) -> bool:
    return isinstance(answer, Mapping) and "declined" in answer


def is_answered(answer: Answer) -> bool:
    return answer is not None and not is_declined(answer)


def read_answer(question: Question, sent: Sequence[str], *, skipped: str = "") -> Answer:
    """The answer in the values that a page sent for this question. Raises NotAnAnswer.

    `skipped`: "decline" or "unknown", where the person pressed one of those; not where the instrument wants an answer.
    """
    if skipped in DECLINED and not question.required:
        return {"declined": DECLINED[skipped]}
    values = [one.strip() for one in sent if one.strip()]
    if not values:
        raise NotAnAnswer("pick", question)
    if question.kind == "choices":
        return _choices(question, values)
    return _single(question, values[0])


def _single(question: Question, value: str) -> Answer:
    if question.kind == "choice":
        if question.option(value) is None:
            raise NotAnAnswer("pick", question)
        return value
    if question.kind in ("scale", "whole", "number"):
        return _number(question, value)
    if question.kind == "yes_no":
        if value not in ("yes", "no"):
            raise NotAnAnswer("pick", question)
        return value == "yes"
    if len(value) > LONGEST_TEXT:
        raise NotAnAnswer("long", question)
    return value


def _choices(question: Question, values: list[str]) -> list[str]:
    """ "None of these" beside something else is not understood: the person is asked again, not guessed at."""
    found = [one for one in question.options if one.code in values]
    if len(found) < len(set(values)) or (len(found) > 1 and any(one.exclusive for one in found)):
        raise NotAnAnswer("pick", question)
    return [one.code for one in found]


def _number(question: Question, text: str) -> float | int:
    """A number as people write it: 37,5 and 37.5, Arabic-Indic digits, a temperature in Fahrenheit."""
    plain = text.translate(_DIGITS).replace(" ", "")
    try:
        value = float(plain)
    except ValueError as problem:
        raise NotAnAnswer("number", question) from problem
    if value != value or value in (float("inf"), float("-inf")):
        raise NotAnAnswer("number", question)
    if question.unit == "Cel" and 86.0 <= value <= 109.4:  # 30..43 Celsius, said in Fahrenheit
        value = round((value - 32.0) / 1.8, 1)
    _check_range(question, value)
    if question.kind == "number":
        return round(value, 2)
    if value != int(value):
        raise NotAnAnswer("whole", question)
    return int(value)


_DIGITS = str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹,٫", "01234567890123456789..")


def _check_range(question: Question, value: float) -> None:
    low, high = question.low, question.high
    if (low is not None and value < low) or (high is not None and value > high):
        raise NotAnAnswer("range", question)


def is_enabled(question: Question, answers: Answers) -> bool:
    """Whether the question applies, given the answers so far (enableWhen of R4)."""
    if not question.conditions:
        return True
    found = [_holds(one, answers) for one in question.conditions]
    return any(found) if question.any_condition else all(found)


def _holds(condition: Condition, answers: Answers) -> bool:
    answer = answers.get(condition.question)
    if condition.operator == "exists":
        return is_answered(answer) is bool(condition.wanted)
    if not is_answered(answer):
        return False
    values = answer if isinstance(answer, list) else [answer]
    return any(_compares(one, condition.operator, condition.wanted) for one in values)


def _compares(value: Answer, operator: str, wanted: Answer) -> bool:
    if operator == "=":
        return bool(value == wanted)
    if operator == "!=":
        return bool(value != wanted)
    if isinstance(value, bool) or not isinstance(value, int | float) or not isinstance(wanted, int | float):
        return False
    return {">": value > wanted, "<": value < wanted, ">=": value >= wanted, "<=": value <= wanted}.get(operator, False)


def danger_of(question: Question, answer: Answer) -> Warned | None:
    """The gravest rule that this answer meets."""
    if not is_answered(answer):
        return None
    met = [rule for rule in question.dangers if _meets(rule, answer)]
    worst = min(met, key=lambda rule: rule.level != "emergency", default=None)
    return Warned(question.link_id, worst.level, worst.source, answer) if worst else None


def _meets(rule: Danger, answer: Answer) -> bool:
    if rule.at_least is not None:
        return not isinstance(answer, bool) and isinstance(answer, int | float) and answer >= rule.at_least
    codes = answer if isinstance(answer, list) else [answer]
    return not rule.answers.isdisjoint(code for code in codes if isinstance(code, str))


def dangers_of(form: Form, answers: Answers) -> tuple[Warned, ...]:
    """All dangerous answers, emergencies first."""
    found = [danger_of(one, answers.get(one.link_id)) for one in form.questions if is_enabled(one, answers)]
    return tuple(sorted((one for one in found if one), key=lambda one: one.level != "emergency"))


def score_of(form: Form, answers: Answers) -> int | None:
    """The sum of all answers; None where the form has no score or any answer is missing."""
    if form.score is None:
        return None
    values = [answers.get(one.link_id) for one in form.questions]
    if not all(isinstance(one, int) and not isinstance(one, bool) for one in values):
        return None
    return sum(one for one in values if isinstance(one, int))
