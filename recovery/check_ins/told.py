"""Answers as FHIR R4 resources: a QuestionnaireResponse, and an Observation for each answer that is a measurement
or a coded fact (a walking aid).

Their ids follow from the attempt's own number, so that telling twice changes nothing. They go through the common door
(recovery.ports): what it refuses is refused here too.
"""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from recovery.check_ins.answers import Answer, Answers, is_answered, is_declined, score_of
from recovery.check_ins.forms import Form, Question
from recovery.exact_json import ExactDecimal

UCUM = "http://unitsofmeasure.org"
CATEGORIES = "http://terminology.hl7.org/CodeSystem/observation-category"
ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
MEDIA_TYPES = "http://terminology.hl7.org/CodeSystem/media-type"
SCORE = "{score}"
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Telling:
    """Who answered what, when and in which words. `answers`: those that apply. `by_words`: blank for the patient."""

    form: Form
    answers: Answers
    client_id: UUID
    patient: str
    answered_at: datetime
    language: str
    by_words: str
    photos: Mapping[str, bytes] = field(default_factory=dict)  # id of the Media -> JPEG


def resources(telling: Telling) -> list[Json]:
    """The photos, the QuestionnaireResponse that names them, then its Observations."""
    found = [_media(telling, media_id, jpeg) for media_id, jpeg in telling.photos.items()]
    found.append(response(telling))
    coded = [one for one in telling.form.questions if one.codes and _is_value(one, telling.answers.get(one.link_id))]
    for number, question in enumerate(coded, start=1):
        found.append(_observation(telling, number, question.codes, _measured(question, telling)))
    score = score_of(telling.form, telling.answers)
    if telling.form.score is not None and score is not None:
        found.append(_observation(telling, 0, (telling.form.score,), _quantity(score, SCORE, "score")))
    return found


def _media(telling: Telling, media_id: str, jpeg: bytes) -> Json:
    return {
        "resourceType": "Media",
        "id": media_id,
        "status": "completed",
        "type": {"coding": [{"system": MEDIA_TYPES, "code": "image", "display": "Image"}]},
        "subject": {"reference": f"Patient/{telling.patient}"},
        "createdDateTime": instant(telling.answered_at),
        "content": {"contentType": "image/jpeg", "data": b64encode(jpeg).decode(), "title": "Photo of a check-in"},
    }


def response(telling: Telling) -> Json:
    subject = {"reference": f"Patient/{telling.patient}"}
    author = {"display": telling.by_words} if telling.by_words else subject
    return {
        "resourceType": "QuestionnaireResponse",
        "id": str(telling.client_id),
        "language": telling.language,
        "questionnaire": telling.form.canonical,
        "status": "completed",
        "subject": subject,
        "authored": instant(telling.answered_at),
        "author": author,
        "source": subject,
        "item": _items(telling),
    }


def instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _items(telling: Telling) -> list[Json]:
    """Mirrors the questionnaire: items of a group stand inside it."""
    found: list[Json] = []
    for question in telling.form.questions:
        if question.link_id not in telling.answers:
            continue
        item = _item(question, telling.answers[question.link_id], telling.language)
        link_id, text = question.group
        if not link_id:
            found.append(item)
        elif found and found[-1]["linkId"] == link_id:
            found[-1]["item"].append(item)
        else:
            found.append({"linkId": link_id, **({"text": text} if text else {}), "item": [item]})
    return found


def _item(question: Question, answer: Answer, language: str) -> Json:
    said: Json = {"linkId": question.link_id, "text": question.words(language)}
    if is_declined(answer):
        return said | {"extension": [{"url": ABSENT, "valueCode": answer["declined"]}]}
    values = answer if isinstance(answer, list) else [answer]
    return said | {"answer": [_value(question, one, language) for one in values]}


def _value(question: Question, value: Answer, language: str) -> Json:
    if question.kind in ("choice", "choices"):
        option = question.option(value)
        if option is None or not option.system:
            return {"valueString": value}
        return {"valueCoding": {"system": option.system, "code": option.code, "display": option.words(language)}}
    if question.kind in ("scale", "whole"):
        return {"valueInteger": value}
    if question.kind == "number":
        return {"valueDecimal": decimal(value)}
    if question.kind == "yes_no":
        return {"valueBoolean": value}
    if question.kind == "photo":
        return {"valueAttachment": {"contentType": "image/jpeg", "url": f"Media/{value}"}}
    return {"valueString": value}


def decimal(value: float | int) -> ExactDecimal | int:
    return value if isinstance(value, int) else ExactDecimal(repr(value))


def _measured(question: Question, telling: Telling) -> Json:
    """The value of an Observation: a quantity, or what was chosen, in English beside its code."""
    answer = telling.answers[question.link_id]
    option = question.option(str(answer)) if question.kind == "choice" else None
    if option is None:
        return _quantity(answer, question.unit or SCORE, question.unit_words or "score")
    words = option.words("en")
    return {"valueCodeableConcept": {"coding": [_coding(option.system, option.code, words)], "text": words}}


def _quantity(value: Answer, code: str, words: str) -> Json:
    return {"valueQuantity": {"value": decimal(value), "unit": words, "system": UCUM, "code": code}}


def _observation(telling: Telling, number: int, codes: tuple[tuple[str, str, str], ...], value: Json) -> Json:
    subject = {"reference": f"Patient/{telling.patient}"}
    return {
        "resourceType": "Observation",
        "id": f"{telling.client_id}-{number}",
        "status": "final",
        "category": [{"coding": [{"system": CATEGORIES, "code": "survey"}]}],
        "code": {"coding": [_coding(*one) for one in codes]},
        "subject": subject,
        "effectiveDateTime": instant(telling.answered_at),
        "performer": [subject],
        **value,
        "derivedFrom": [{"reference": f"QuestionnaireResponse/{telling.client_id}"}],
    }


def _coding(system: str, code: str, display: str) -> Mapping[str, str]:
    return {"system": system, "code": code, **({"display": display} if display else {})}


def _is_value(question: Question, answer: Answer) -> bool:
    """A number, or one of the answers to choose from."""
    if question.kind == "choice":
        return isinstance(answer, str) and question.option(answer) is not None
    return is_answered(answer) and isinstance(answer, int | float) and not isinstance(answer, bool)
