"""A FHIR R4 Questionnaire as the portal asks it: one question a page, in the person's language. Pure.

Shipped forms lie beside this file; a hospital's own (licensed instruments among them) are Questionnaire documents that
it sends over FHIR, and are read by the same function. What a form wants that this reader does not know is refused
whole: an instrument is asked verbatim or not at all.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from recovery.exact_json import loads
from recovery.exceptions import Invalid

OWN = "https://twinweb.example/StructureDefinition/check-in-"
CORE = "http://hl7.org/fhir/StructureDefinition/"
TRANSLATION = CORE + "translation"
SHIPPED = ("daily", "qor15")
MOST_QUESTIONS = 80

Kind = Literal["scale", "number", "whole", "choice", "choices", "photo", "text", "yes_no"]
Level = Literal["emergency", "urgent"]
LEVELS: tuple[Level, ...] = ("emergency", "urgent")


@dataclass(frozen=True, slots=True)
class Words:
    """One text in the language of the form and in those it is translated to."""

    text: str
    others: Mapping[str, str]

    def __call__(self, language: str) -> str:
        return self.others.get(language.split("-")[0], self.text)


NOTHING = Words("", {})


@dataclass(frozen=True, slots=True)
class Option:
    code: str
    system: str
    words: Words
    exclusive: bool = False


@dataclass(frozen=True, slots=True)
class Danger:
    """Answers that the team must hear of at once. `at_least`: in the question's unit. `source`: why."""

    level: Level
    answers: frozenset[str]
    at_least: float | None
    source: str


@dataclass(frozen=True, slots=True)
class Condition:
    """One enableWhen: `wanted` is a code, a number or a truth value; for "exists" a truth value."""

    question: str
    operator: str
    wanted: str | float | bool


@dataclass(frozen=True, slots=True)
class Question:
    """`ask`: always, informative (when a reading is worth having), weekly (the same, at most weekly) or in-turn. `low`,
    `high` in `unit`; `codes`: what the answer is in a terminology, (system, code, display). `group`: link id and text
    of the group it stands in."""

    link_id: str
    kind: Kind
    words: Words
    hint: Words = NOTHING
    preface: Words = NOTHING
    group: tuple[str, str] = ("", "")
    required: bool = False
    ask: str = "always"
    options: tuple[Option, ...] = ()
    low: float | None = None
    high: float | None = None
    low_end: Words = NOTHING
    high_end: Words = NOTHING
    descending: bool = False
    unit: str = ""
    unit_words: str = ""
    codes: tuple[tuple[str, str, str], ...] = ()
    dangers: tuple[Danger, ...] = ()
    conditions: tuple[Condition, ...] = ()
    any_condition: bool = False

    def option(self, code: str) -> Option | None:
        return next((one for one in self.options if one.code == code), None)


@dataclass(frozen=True, slots=True)
class Form:
    """`languages`: those in which every text is said. `score`: (system, code, display) of the sum of all answers."""

    key: str
    url: str
    version: str
    title: Words
    languages: frozenset[str]
    notice: str
    questions: tuple[Question, ...]
    score: tuple[str, str, str] | None = None

    @property
    def canonical(self) -> str:
        return f"{self.url}|{self.version}" if self.version else self.url

    def question(self, link_id: str) -> Question | None:
        return next((one for one in self.questions if one.link_id == link_id), None)


@cache
def shipped(key: str) -> Form | None:
    """The form of that key that comes with the product."""
    if key not in SHIPPED:
        return None
    return read_form(key, loads(shipped_text(key)))


def shipped_text(key: str) -> str:
    return (Path(__file__).parent / "data" / f"{key}.json").read_text(encoding="utf-8")


def read_form(key: str, resource: Mapping[str, Any]) -> Form:
    """A valid Questionnaire as a Form. Raises Invalid naming what cannot be asked."""
    questions = tuple(_questions(resource.get("item") or ()))
    if not 0 < len(questions) <= MOST_QUESTIONS:
        raise Invalid(f"{key} has {len(questions)} questions; 1 to {MOST_QUESTIONS} can be asked.", field="item")
    names = [one.link_id for one in questions]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise Invalid(f"{key} uses the link id {twice} twice.", field="item.linkId")
    title = _words(resource, "title") if resource.get("title") else Words(key, {})
    own = str(resource.get("language") or "en").split("-")[0]
    return Form(
        key=key,
        url=str(resource.get("url") or f"Questionnaire/{resource.get('id', key)}"),
        version=str(resource.get("version") or ""),
        title=title,
        languages=_languages(own, title, questions),
        notice=str(resource.get("copyright") or ""),
        questions=questions,
        score=_score(resource),
    )


def _questions(items: Iterable[Mapping[str, Any]], group: Mapping[str, Any] | None = None) -> Iterable[Question]:
    for item in items:
        kind, inside = item.get("type"), item.get("item") or ()
        if kind == "group" and group is None:
            yield from _questions(inside, item)
        elif kind != "display":
            if inside:
                raise Invalid(f"Question {item.get('linkId')} has questions inside it.", field="item.item")
            yield _question(item, group or {})


def _question(item: Mapping[str, Any], group: Mapping[str, Any]) -> Question:
    low, high = _limit(item, "minValue"), _limit(item, "maxValue")
    own = _extension(item, OWN + "scale-ends") or {}
    unit = (_extension(item, CORE + "questionnaire-unit") or {}).get("valueCoding", {})
    hint = _extension(item, OWN + "hint")
    return Question(
        link_id=str(item["linkId"]),
        kind=_kind(item, low, high),
        words=_words(item, "text"),
        hint=_words(hint, "valueString") if hint else NOTHING,
        preface=_words(group, "text") if group.get("text") else NOTHING,
        group=(str(group.get("linkId", "")), str(group.get("text", ""))),
        required=bool(item.get("required")),
        ask=str((_extension(item, OWN + "ask") or {}).get("valueCode", "always")),
        options=tuple(_option(one) for one in item.get("answerOption") or ()),
        low=low,
        high=high,
        low_end=_part(own, "low"),
        high_end=_part(own, "high"),
        descending=(_extension(item, OWN + "scale-order") or {}).get("valueCode") == "descending",
        unit=str(unit.get("code", "")),
        unit_words=str(unit.get("display", "")),
        codes=tuple((one.get("system", ""), one.get("code", ""), one.get("display", "")) for one in _codings(item)),
        dangers=tuple(_dangers(item)),
        conditions=tuple(_condition(one) for one in item.get("enableWhen") or ()),
        any_condition=item.get("enableBehavior") == "any",
    )


def _kind(item: Mapping[str, Any], low: float | None, high: float | None) -> Kind:
    kind = item.get("type")
    if kind == "choice" and item.get("answerOption"):
        return "choices" if item.get("repeats") else "choice"
    if kind == "integer":
        return "scale" if (low, high) == (0.0, 10.0) else "whole"
    known: dict[Any, Kind] = {"decimal": "number", "quantity": "number", "boolean": "yes_no", "attachment": "photo"}
    known |= {"string": "text", "text": "text"}
    if kind not in known or item.get("repeats") or item.get("answerValueSet"):
        raise Invalid(f"Question {item.get('linkId')} is of a kind that cannot be asked ({kind}).", field="item.type")
    return known[kind]


def _option(plain: Mapping[str, Any]) -> Option:
    coding = plain.get("valueCoding")
    if not coding:
        text = str(plain.get("valueString") or plain.get("valueInteger", ""))
        if not text:
            raise Invalid("An answer is neither a code, a text nor a whole number.", field="item.answerOption")
        return Option(text, "", Words(text, {}))
    exclusive = (_extension(plain, CORE + "questionnaire-optionExclusive") or {}).get("valueBoolean", False)
    words = _words(coding, "display") if coding.get("display") else Words(coding["code"], {})
    return Option(str(coding["code"]), str(coding.get("system", "")), words, bool(exclusive))


def _dangers(item: Mapping[str, Any]) -> Iterable[Danger]:
    for one in item.get("extension") or ():
        if one.get("url") != OWN + "danger":
            continue
        parts = one.get("extension") or ()
        said = {part["url"]: part for part in parts}
        level = said["level"]["valueCode"]
        if level not in LEVELS:
            raise Invalid(f"A dangerous answer is {' or '.join(LEVELS)}, not {level}.", field="item.extension")
        at_least = said.get("at-least", {}).get("valueDecimal")
        codes = frozenset(part["valueCode"] for part in parts if part["url"] == "answer")
        source = said.get("source", {}).get("valueString", "")
        yield Danger(level, codes, None if at_least is None else float(at_least), source)


def _condition(plain: Mapping[str, Any]) -> Condition:
    wanted = next((value for key, value in plain.items() if key.startswith("answer")), None)
    if isinstance(wanted, Mapping):
        wanted = wanted.get("code", wanted.get("value"))
    if wanted is None:
        raise Invalid("A condition has no answer to compare with.", field="item.enableWhen")
    if not isinstance(wanted, str | bool):
        wanted = float(wanted)
    return Condition(str(plain["question"]), str(plain["operator"]), wanted)


def _score(resource: Mapping[str, Any]) -> tuple[str, str, str] | None:
    found = _extension(resource, OWN + "score")
    if found is None:
        return None
    coding = next(part["valueCoding"] for part in found["extension"] if part["url"] == "code")
    return coding["system"], coding["code"], coding.get("display", "")


def _languages(own: str, title: Words, questions: tuple[Question, ...]) -> frozenset[str]:
    """A language counts when nothing a person reads would fall back to another one."""
    said = [title] + [words for one in questions for words in _texts(one) if words.text]
    common = frozenset.intersection(*(frozenset(words.others) for words in said))
    return common | {own}


def _texts(question: Question) -> tuple[Words, ...]:
    ends = (question.low_end, question.high_end)
    return (question.words, question.hint, question.preface, *ends, *(one.words for one in question.options))


def _words(element: Mapping[str, Any], name: str) -> Words:
    text = element.get(name)
    if not text:
        raise Invalid(f"A question or answer has no {name}.", field=f"item.{name}")
    others = {}
    for one in (element.get(f"_{name}") or {}).get("extension") or ():
        if one.get("url") == TRANSLATION:
            parts = {part["url"]: part for part in one["extension"]}
            content = parts["content"]
            others[str(parts["lang"]["valueCode"])] = str(content.get("valueString") or content.get("valueMarkdown"))
    return Words(str(text), others)


def _part(extension: Mapping[str, Any], name: str) -> Words:
    found = next((one for one in extension.get("extension") or () if one.get("url") == name), None)
    return _words(found, "valueString") if found else NOTHING


def _extension(element: Mapping[str, Any], url: str) -> Mapping[str, Any] | None:
    return next((one for one in element.get("extension") or () if one.get("url") == url), None)


def _codings(item: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    return item.get("code") or ()


def _limit(item: Mapping[str, Any], name: str) -> float | None:
    found = _extension(item, CORE + name) or {}
    value = found.get("valueInteger", found.get("valueDecimal"))
    return None if value is None else float(value)
