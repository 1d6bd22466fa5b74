"""Check-ins in words: a question as a page shows it, what went wrong, the care card, what was sent, who reads it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from recovery.check_ins.answers import Answer, Answers, Warned, is_answered, is_declined
from recovery.check_ins.asking import to_ask
from recovery.check_ins.forms import Form, Question
from recovery.check_ins.watch import is_watched, next_watch
from recovery.pathway_plan import Watch
from recovery.presenters import portal_words
from recovery.selectors.check_ins import Response


@dataclass(frozen=True, slots=True)
class Choice:
    value: str
    label: str
    checked: bool


@dataclass(frozen=True, slots=True)
class QuestionView:
    """`number` is the question's place in its form (in addresses); `place` of `total` what the person is told."""

    number: int
    place: int
    total: int
    kind: str
    preface: str
    words: str
    hint: str
    choices: tuple[Choice, ...]
    low_end: str
    high_end: str
    value: str
    unit: str
    error: str
    may_skip: bool
    skipped: bool
    back: int | None
    language: str


@dataclass(frozen=True, slots=True)
class AnswerLine:
    number: int
    question: str
    answer: str
    is_photo: bool
    language: str


@dataclass(frozen=True, slots=True)
class CareCard:
    """`level`: emergency, urgent. `told`: what the team is told; `when`: when somebody looks."""

    level: str
    title: str
    what_to_do: str
    told: str
    when: str


def question_view(
    form: Form,
    question: Question,
    asked: Sequence[str],
    answers: Answers,
    language: str,
    *,
    error: str = "",
    sent: Sequence[str] = (),
) -> QuestionView:
    """`sent`: what the person typed and could not be kept, shown again beside the error."""
    questions = to_ask(form, asked, answers)
    names = [one.link_id for one in questions]
    at = names.index(question.link_id)
    answer = answers.get(question.link_id)
    return QuestionView(
        number=number_of(form, question),
        place=at + 1,
        total=len(questions),
        kind=question.kind,
        preface=question.preface(language),
        words=question.words(language),
        hint=question.hint(language),
        choices=_choices(question, answer, language),
        low_end=(question.high_end if question.descending else question.low_end)(language),
        high_end=(question.low_end if question.descending else question.high_end)(language),
        value=" ".join(sent) if error else _plain(answer),
        unit=question.unit_words,
        error=error,
        may_skip=not question.required,
        skipped=is_declined(answer),
        back=number_of(form, questions[at - 1]) if at else None,
        language=spoken(form, language),
    )


def number_of(form: Form, question: Question) -> int:
    return next(place for place, one in enumerate(form.questions, start=1) if one.link_id == question.link_id)


def spoken(form: Form, language: str) -> str:
    """The language in which the form is shown."""
    short = language.split("-")[0]
    return short if short in form.languages else "en"


def _choices(question: Question, answer: Answer, language: str) -> tuple[Choice, ...]:
    if question.kind == "scale":
        steps = range(10, -1, -1) if question.descending else range(11)
        return tuple(Choice(str(one), str(one), answer == one) for one in steps)
    if question.kind == "yes_no":
        return (Choice("yes", _("Yes"), answer is True), Choice("no", _("No"), answer is False))
    held = answer if isinstance(answer, list) else [answer]
    return tuple(Choice(one.code, one.words(language), one.code in held) for one in question.options)


def _plain(answer: Answer) -> str:
    return str(answer) if isinstance(answer, int | float | str) and not isinstance(answer, bool) else ""


def error_words(reason: str, question: Question) -> str:
    """What is wrong with an answer, and what to do."""
    low, high = f"{question.low or 0:g}", f"{question.high or 0:g}"
    words = {
        "pick": _("Please choose an answer, or one of the buttons below."),
        "number": _("Please write a number, such as 7."),
        "whole": _("Please write a whole number, such as 2."),
        "range": _("Please write a number from %(low)s to %(high)s.") % {"low": low, "high": high},
        "long": _("Please write fewer words."),
        "empty": _("No photo arrived. Please try again, or choose one of the buttons below."),
        "kind": _("This is not a photo we can read. Please take a new one."),
        "large": _("This photo is too big. Please take a new one."),
        "small": _("This photo is too small to see anything. Please take a new one."),
    }
    return words.get(reason, words["pick"])


def said(question: Question, answer: Answer, language: str) -> str:
    """An answer in the person's words."""
    if is_declined(answer):
        return _("I do not know") if answer["declined"] == "asked-unknown" else _("I would rather not say")
    if not is_answered(answer):
        return _("no answer")
    if isinstance(answer, bool):
        return _("Yes") if answer else _("No")
    if isinstance(answer, list):
        return portal_words.listed([said(question, one, language) for one in answer])
    if question.kind == "photo":
        return _("a photo")
    option = question.option(str(answer))
    if option is not None:
        return option.words(language)
    of_ten = _("%(number)s of 10") % {"number": answer} if question.kind == "scale" else ""
    return of_ten or f"{answer} {question.unit_words}".strip()


def lines(form: Form, asked: Sequence[str] | None, answers: Answers, language: str) -> tuple[AnswerLine, ...]:
    """What was answered, in the form's order. `asked` None: whatever has an answer."""
    questions = to_ask(form, asked, answers) if asked is not None else form.questions
    return tuple(
        AnswerLine(
            number_of(form, one),
            one.words(language),
            said(one, answers.get(one.link_id), language),
            one.kind == "photo" and is_answered(answers.get(one.link_id)),
            spoken(form, language),
        )
        for one in questions
        if asked is not None or one.link_id in answers
    )


def care_card(
    form: Form,
    warned: Sequence[Warned],
    team: str,
    watch: Sequence[Watch],
    now: datetime,
    zone: ZoneInfo,
    own_zone: ZoneInfo,
    language: str,
) -> CareCard | None:
    """What to do at once; None when no answer asks for it. `zone`: of the watch hours; `own_zone`: the reader's."""
    if not warned:
        return None
    level = "emergency" if any(one.level == "emergency" for one in warned) else "urgent"
    told = [told_words(question, one.answer, language) for one in warned if (question := form.question(one.link_id))]
    words = {"team": team or _("Your care team"), "what": portal_words.listed(told)}
    if level == "emergency":
        title, what = _("Call for help now"), _("Call your emergency number now. Do not wait for an answer here.")
    elif is_watched(watch, now, zone):
        title, what = (
            _("Call your ward or clinic today"),
            _("Do not wait for your next visit. If it gets worse, call now."),
        )
    else:
        title = _("Get advice today")
        what = _(
            "Nobody is looking here right now. Call your out-of-hours service. If it gets worse, call for help now."
        )
    return CareCard(
        level, title, what, _("%(team)s has been told: %(what)s.") % words, looked_at(watch, now, zone, own_zone)
    )


def told_words(question: Question, answer: Answer, language: str) -> str:
    """ "Chest pain", but "What is your temperature? 38.6 °C": a number says nothing without its question."""
    words = said(question, answer, language)
    return words if question.options else f"{question.words(language)} {words}"


def looked_at(watch: Sequence[Watch], now: datetime, zone: ZoneInfo, own_zone: ZoneInfo) -> str:
    """When somebody will look at what was sent, by the reader's clock."""
    when = next_watch(watch, now, zone)
    if when is None:
        return _("No time is set at which somebody looks here. Please call if it cannot wait.")
    if when == now:
        return _("Your team is looking at messages now.")
    return _("Somebody looks here again from %(when)s.") % {"when": portal_words.moment(when, own_zone)}


def watch_words(watch: Sequence[Watch], *, is_elsewhere: bool = False) -> str:
    """ "Your team looks here Monday to Friday, 08:00 to 18:00." `is_elsewhere`: the reader's clock is another now."""
    if not watch:
        return _("This page is not watched all the time.")
    parts = [
        _("%(days)s, %(start)s to %(end)s") % {"days": _days(one.days), "start": one.start, "end": one.end}
        for one in watch
    ]
    words = _("Your team looks here %(when)s. At other times nobody does.") % {"when": "; ".join(parts)}
    return f"{words} {_('These are the hours of the hospital, not of your clock.')}" if is_elsewhere else words


def _days(days: Sequence[int]) -> str:
    names = {
        0: _("Monday"),
        1: _("Tuesday"),
        2: _("Wednesday"),
        3: _("Thursday"),
        4: _("Friday"),
        5: _("Saturday"),
        6: _("Sunday"),
    }
    listed = sorted(days)
    if len(listed) == 7:
        return _("every day")
    if len(listed) > 2 and listed == list(range(listed[0], listed[-1] + 1)):
        return _("%(first)s to %(last)s") % {"first": names[listed[0]], "last": names[listed[-1]]}
    return portal_words.listed([names[day] for day in listed])


def length_words(form: Form, asked: Sequence[str]) -> str:
    """ "7 short questions, about 2 minutes." Fifteen seconds a question (QoR-15 takes 2.4 min [V: Stark 2013])."""
    count = len(asked)
    minutes = max(1, round(count * 15 / 60))
    questions = ngettext("%(n)d short question", "%(n)d short questions", count) % {"n": count}
    time = ngettext("about %(n)d minute", "about %(n)d minutes", minutes) % {"n": minutes}
    return f"{questions}, {time}"


def warned_of(response: Response, form: Form) -> tuple[Warned, ...]:
    """The dangers of a response that was sent."""
    levels: Mapping[str, Any] = {"emergency": "emergency", "urgent": "urgent"}
    return tuple(
        Warned(one["question"], levels[one["level"]], "", response.answers.get(one["question"]))
        for one in response.dangers
        if form.question(one["question"])
    )
