"""A check-in on one page, for phones that may be offline when it is answered; and the door of their outbox.

The page works as an ordinary form too. A phone without a connection keeps what was answered, sealed, and hands it in
here when it is back: any number of times, it is stored once.
"""

import json
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from recovery.check_ins.answers import NotAnAnswer, read_answer
from recovery.check_ins.asking import kept
from recovery.check_ins.forms import Form, Question
from recovery.exceptions import Invalid
from recovery.links import mark_of
from recovery.photos import MOST_BYTES, NotAPhoto, cleaned
from recovery.presenters import check_ins as words
from recovery.selectors import check_ins as found
from recovery.selectors.patient import said_of
from recovery.services import check_ins
from recovery.views import door, portal_door
from recovery.views.check_ins import PAGES, Place, deliver, place_of

MOST_BODY = 8 * 1024 * 1024
OUTBOX = "outbox"


class Unreadable(Invalid):
    """What an outbox handed in cannot be read."""


@require_http_methods(PAGES)
def whole(request: HttpRequest, slot: str) -> HttpResponse:
    place = place_of(request, slot)
    if found.response_of(place.episode, slot) is not None:
        return redirect("check_in_done", slot=slot)
    if request.method == "POST":
        return _take_whole(request, place)
    portal_door.note(request, place.subject, place.now, "view_check_in", entity=f"CheckIn/{slot}")
    response = _show(request, place, uuid4(), {}, {})
    response["X-Portal-Form"] = "1"
    return response


def _show(
    request: HttpRequest, place: Place, client_id: UUID, given: Mapping[str, Any], errors: Mapping[str, str]
) -> HttpResponse:
    asked = found.asked_of(place.form, place.slot, place.episode, said_of(place.episode))
    views = [
        (_view(place, question, given, errors), _when(place.form, question), _danger(question))
        for question in place.form.questions
        if question.link_id in asked
    ]
    context = {
        "slot": place.slot,
        "title": place.form.title(place.language),
        "views": views,
        "client_id": client_id,
        "errors": bool(errors),
    }
    return render(request, "portal/check_in_whole.html", context, status=422 if errors else 200)


def _view(place: Place, question: Question, given: Mapping[str, Any], errors: Mapping[str, str]) -> words.QuestionView:
    """Each question by itself: whether it applies is decided on the page and, in the end, when it is taken."""
    free = replace(question, conditions=())
    alone = replace(place.form, questions=(free,))
    error = errors.get(question.link_id, "")
    view = words.question_view(alone, free, [question.link_id], given, place.language, error=error)
    return replace(view, number=words.number_of(place.form, question))


def _when(form: Form, question: Question) -> str:
    """The conditions of a question as its page reads them: [[number of the question, operator, wanted], ...]."""
    rows = [
        [words.number_of(form, other), one.operator, one.wanted]
        for one in question.conditions
        if (other := form.question(one.question)) is not None
    ]
    return json.dumps({"any": question.any_condition, "rows": rows}) if rows else ""


def _danger(question: Question) -> str:
    """The dangerous answers of a question as its page reads them."""
    answers = {code: rule.level for rule in question.dangers[::-1] for code in rule.answers}
    at_least = [[rule.at_least, rule.level] for rule in question.dangers if rule.at_least is not None]
    return json.dumps({"answers": answers, "at_least": at_least}) if question.dangers else ""


def _take_whole(request: HttpRequest, place: Place) -> HttpResponse:
    client_id = _uuid(request.POST.get("client_id", ""))
    shown = [number for number in range(1, len(place.form.questions) + 1) if str(number) in request.POST.getlist("n")]
    values = {number: request.POST.getlist(f"a{number}") for number in shown}
    skipped = {number: request.POST.get(f"s{number}", "") for number in values}
    photos = {number: sent.read(MOST_BYTES + 1) for number in values if (sent := request.FILES.get(f"p{number}"))}
    answers, pictures, errors = read_all(place.form, values, skipped, photos, client_id)
    if errors:
        return _show(request, place, client_id, answers, errors)
    deliver(request, place, client_id, answers, pictures, place.now, "portal")
    return redirect("check_in_done", slot=place.slot.name)


@require_POST
def outbox(request: HttpRequest, slot: str) -> JsonResponse:
    """One saved attempt: {client_id, answered_at, values: {number: [...]}, skipped: {number: word}, photos: {number:
    base64}}. Answers {"state": "sent" | "held"}; 422 with the first fault where it cannot be read."""
    place = place_of(request, slot)
    try:
        said = _body(request)
        client_id, answered_at = _uuid(str(said.get("client_id", ""))), _moment(said.get("answered_at"))
        photos = {int(number): b64decode(text, validate=True) for number, text in dict(said.get("photos", {})).items()}
        values = {int(number): [str(one) for one in row] for number, row in dict(said.get("values", {})).items()}
        skipped = {int(number): str(word) for number, word in dict(said.get("skipped", {})).items()}
    except (Unreadable, ValueError, TypeError, NotBase64, RecursionError):
        return JsonResponse({"state": "refused"}, status=422)
    if said.get("who") != mark_of(door.person(request).pk):  # kept by whoever had this phone before
        return JsonResponse({"state": "refused"}, status=409)
    answers, pictures, errors = read_all(place.form, values, skipped, photos, client_id)
    if errors:
        return JsonResponse({"state": "refused", "questions": sorted(errors)}, status=422)
    sent = deliver(request, place, client_id, answers, pictures, answered_at, OUTBOX)
    return JsonResponse({"state": "sent" if sent.is_new or sent.response.client_id == client_id else "held"})


def read_all(
    form: Form,
    values: Mapping[int, list[str]],
    skipped: Mapping[int, str],
    photos: Mapping[int, bytes],
    client_id: UUID,
) -> tuple[dict[str, Any], dict[str, bytes], dict[str, str]]:
    """(answers that apply, photos by Media id, what is wrong by link id). A question without a word counts as not
    known, unless its instrument wants an answer."""
    answers: dict[str, Any] = {}
    pictures: dict[str, bytes] = {}
    errors: dict[str, str] = {}
    for number, question in enumerate(form.questions, start=1):
        try:
            if question.kind == "photo":
                if photos.get(number):
                    answers[question.link_id] = check_ins.photo_id(client_id, question)
                    pictures[answers[question.link_id]] = cleaned(photos[number]).jpeg
                continue
            row, skip = values.get(number, []), skipped.get(number, "")
            if number in values or skip:
                silent = not any(one.strip() for one in row) and not skip
                answers[question.link_id] = read_answer(question, row, skipped="unknown" if silent else skip)
        except (NotAnAnswer, NotAPhoto) as problem:
            errors[question.link_id] = words.error_words(problem.reason, question)
    applies = kept(form, [one.link_id for one in form.questions], answers)
    return applies, {key: jpeg for key, jpeg in pictures.items() if key in applies.values()}, errors


def _body(request: HttpRequest) -> dict[str, Any]:
    if int(request.headers.get("Content-Length") or 0) > MOST_BODY:
        raise Unreadable("It is too large.")
    said = json.loads(request.body)
    if not isinstance(said, dict):
        raise Unreadable("It is no object.")
    return said


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as problem:
        raise Unreadable("It has no number of its own.") from problem


def _moment(text: object) -> datetime:
    """When it was answered by the phone's clock; the beginning of time, which nobody believes, where it says none."""
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
    return at if at.tzinfo else at.replace(tzinfo=UTC)
