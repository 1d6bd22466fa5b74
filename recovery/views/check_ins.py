"""A check-in, one question a page: answers are kept as they are given, and sent once at the end.

Each page stands for itself (no script is needed); where an answer is dangerous, the next page is a care card, and the
team has been told by then.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from recovery.check_ins.answers import NotAnAnswer, Warned, danger_of, dangers_of, read_answer
from recovery.check_ins.asking import kept, next_question, to_ask
from recovery.check_ins.forms import Form, Question, shipped_text
from recovery.check_ins.schedule import Slot
from recovery.check_ins.told import Telling, resources
from recovery.exact_json import loads
from recovery.exceptions import Gone, NotFound
from recovery.models import CheckInDraft, Episode
from recovery.photos import MOST_BYTES, NotAPhoto, cleaned
from recovery.ports import ports
from recovery.presenters import check_ins as words
from recovery.presenters.check_in_end import end_view
from recovery.selectors import check_ins as found
from recovery.selectors.pathways import pathway_of
from recovery.selectors.patient import said_of
from recovery.selectors.portal_people import Subject
from recovery.services import check_ins
from recovery.services.check_ins import AlreadySent, Attempt, Sent, believed
from recovery.views import door, portal_door

PAGES = ("GET", "HEAD", "POST")
CHANNEL = "portal"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a request is: whose check-in, at which time it was asked, and its form."""

    subject: Subject
    episode: Episode
    slot: Slot
    form: Form
    now: datetime

    @property
    def language(self) -> str:
        return get_language() or "en"


def place_of(request: HttpRequest, slot: str) -> Place:
    """Raises NotFound where this person may not answer, or nothing is asked."""
    now = door.clock()
    subject = portal_door.subject(request, "answer", now)
    episode = found.episode_of(subject.patient_id)
    named = found.slot_named(episode, slot, now)
    form = found.form_of(named.questionnaire)
    if form is None:
        raise NotFound("There is no such check-in now.")
    return Place(subject, episode, named, form, now)


@require_GET
def show_now(request: HttpRequest) -> HttpResponse:
    """To the check-in that is asked now; else where one can tell the team how it goes."""
    now = door.clock()
    subject = portal_door.subject(request, "answer", now)
    episode = found.episode_of(subject.patient_id)
    slots = found.open_now(episode, get_language() or "en", now)
    name = slots[0].name if slots else f"{found.EXTRA}-{uuid4().hex[:12]}"
    return redirect("check_in", slot=name)


@require_http_methods(PAGES)
def start(request: HttpRequest, slot: str) -> HttpResponse:
    """What is coming, and a button to begin; POST begins (or goes on with what was begun)."""
    place = place_of(request, slot)
    sent = found.response_of(place.episode, slot)
    if sent is not None:
        return redirect("check_in_done", slot=slot)
    draft = found.draft_of(place.episode, slot, place.now)
    if draft is None and place.now >= place.slot.closes:
        raise Gone("The time for these questions is over. You can still tell your team how it goes.")
    if request.method == "POST":
        return _begin(place)
    portal_door.note(request, place.subject, place.now, "view_check_in", entity=f"CheckIn/{slot}")
    asked = (
        draft.answers["asked"]
        if draft
        else found.asked_of(place.form, place.slot, place.episode, said_of(place.episode))
    )
    context = {
        "slot": place.slot,
        "title": place.form.title(place.language),
        "length": words.length_words(place.form, asked),
        "begun": bool(draft and draft.answers["given"]),
        "notice": place.form.notice if not place.form.url.endswith("/daily") else "",
        "is_extra": slot.startswith(found.EXTRA),
        "helps": "" if place.subject.is_self else place.subject.first_name,
        "form_language": words.spoken(place.form, place.language),
    }
    return render(request, "portal/check_in_start.html", context)


def _begin(place: Place) -> HttpResponse:
    asked = found.asked_of(place.form, place.slot, place.episode, said_of(place.episode))
    try:
        draft = check_ins.open_draft(episode=place.episode, slot=place.slot.name, asked=asked, now=place.now)
    except AlreadySent:
        return redirect("check_in_done", slot=place.slot.name)
    return _onward(place, draft)


def _onward(place: Place, draft: CheckInDraft, after: str = "") -> HttpResponse:
    """To the next question without an answer, or to the page that shows them all."""
    coming = next_question(place.form, draft.answers["asked"], draft.answers["given"], after)
    if coming is None:
        return redirect("check_in_review", slot=place.slot.name)
    return redirect("check_in_question", slot=place.slot.name, number=words.number_of(place.form, coming))


def _draft(place: Place) -> CheckInDraft | None:
    return found.draft_of(place.episode, place.slot.name, place.now)


def _elsewhere(place: Place) -> HttpResponse:
    """Without a draft: to what was sent, or to the start."""
    return redirect("check_in", slot=place.slot.name)


@require_http_methods(PAGES)
def question(request: HttpRequest, slot: str, number: int) -> HttpResponse:
    place = place_of(request, slot)
    draft = _draft(place)
    if draft is None:
        return _elsewhere(place)
    asked = _question_of(place, draft, number)
    if asked is None:
        return _onward(place, draft)
    if request.method != "POST":
        portal_door.note(request, place.subject, place.now, "view_check_in", entity=f"CheckIn/{slot}")
        return _ask(request, place, draft, asked)
    return _take(request, place, draft, asked)


def _question_of(place: Place, draft: CheckInDraft, number: int) -> Question | None:
    """The question of that number, where it applies in this attempt."""
    if not 1 <= number <= len(place.form.questions):
        raise NotFound("There is no such question.")
    wanted = place.form.questions[number - 1]
    return wanted if wanted in to_ask(place.form, draft.answers["asked"], draft.answers["given"]) else None


def _ask(
    request: HttpRequest, place: Place, draft: CheckInDraft, asked: Question, *, error: str = "", status: int = 200
) -> HttpResponse:
    typed = request.POST.getlist("answer") if error else []
    view = words.question_view(
        place.form,
        asked,
        draft.answers["asked"],
        draft.answers["given"],
        place.language,
        error=error,
        sent=typed,
    )
    return render(
        request, "portal/check_in_question.html", {"view": view, "slot": place.slot, "form": place.form}, status=status
    )


def _take(request: HttpRequest, place: Place, draft: CheckInDraft, asked: Question) -> HttpResponse:
    """Keep what was answered and go on; ask again, with a word why, where it is no answer."""
    skipped = request.POST.get("skip", "")
    try:
        if asked.kind == "photo" and not skipped:
            return _take_photo(request, place, draft, asked)
        answer = read_answer(asked, request.POST.getlist("answer"), skipped=skipped)
    except (NotAnAnswer, NotAPhoto) as problem:
        reason = words.error_words(problem.reason, asked)
        return _ask(request, place, draft, asked, error=reason, status=422)
    if asked.kind == "photo":
        check_ins.drop_photo(draft=draft, question=asked, now=place.now)
    warned = check_ins.keep_answer(
        draft=draft, form=place.form, question=asked, answer=answer, actor=door.actor(request), now=place.now
    )
    if warned is not None:
        number = words.number_of(place.form, asked)
        return redirect("check_in_care", slot=place.slot.name, number=number)
    return _next(request, place, asked)


def _next(request: HttpRequest, place: Place, asked: Question) -> HttpResponse:
    """Onward; a person who came from the list of all answers goes back to it."""
    draft = _draft(place)
    if draft is None:
        return _elsewhere(place)
    return _onward(place, draft, asked.link_id)


def _take_photo(request: HttpRequest, place: Place, draft: CheckInDraft, asked: Question) -> HttpResponse:
    sent = request.FILES.get("photo")
    if sent is None and asked.link_id in draft.answers["given"]:
        return _next(request, place, asked)
    photo = cleaned(sent.read(MOST_BYTES + 1) if sent is not None else b"")
    check_ins.keep_photo(draft=draft, question=asked, photo=photo, now=place.now)
    return redirect("check_in_question", slot=place.slot.name, number=words.number_of(place.form, asked))


@require_POST
def drop_photo(request: HttpRequest, slot: str, number: int) -> HttpResponse:
    place = place_of(request, slot)
    draft = _draft(place)
    asked = _question_of(place, draft, number) if draft else None
    if draft is None or asked is None:
        return _elsewhere(place)
    check_ins.drop_photo(draft=draft, question=asked, now=place.now)
    return redirect("check_in_question", slot=slot, number=number)


@require_GET
def draft_photo(request: HttpRequest, slot: str, number: int) -> HttpResponse:
    """The photo just taken, to look at before it is sent."""
    place = place_of(request, slot)
    draft = _draft(place)
    asked = _question_of(place, draft, number) if draft else None
    held = draft.photos.filter(link_id=asked.link_id).first() if draft and asked else None
    if held is None:
        raise NotFound("There is no such photo.")
    return picture(bytes(held.jpeg))


def picture(jpeg: bytes) -> HttpResponse:
    response = HttpResponse(jpeg, content_type="image/jpeg")
    response["Content-Disposition"] = "inline"
    return response


@require_GET
def care(request: HttpRequest, slot: str, number: int) -> HttpResponse:
    """What to do about a dangerous answer, right after it was given."""
    place = place_of(request, slot)
    draft = _draft(place)
    asked = _question_of(place, draft, number) if draft else None
    warned = danger_of(asked, draft.answers["given"].get(asked.link_id)) if draft and asked else None
    if draft is None or asked is None or warned is None:
        return _elsewhere(place)
    coming = next_question(place.form, draft.answers["asked"], draft.answers["given"], asked.link_id)
    onward = (
        reverse("check_in_question", kwargs={"slot": slot, "number": words.number_of(place.form, coming)})
        if coming
        else reverse("check_in_review", kwargs={"slot": slot})
    )
    context = {"card": _card(place, [warned]), "onward": onward, "number": number, "slot": place.slot}
    return render(request, "portal/check_in_care.html", context)


def _card(place: Place, warned: list[Warned]) -> words.CareCard | None:
    team = place.episode.team.name if place.episode.team else ""
    hours = pathway_of(place.episode).plan.watch_hours
    own = found.zone_of(place.episode)
    return words.care_card(place.form, warned, team, hours, place.now, door.zone(), own, place.language)


@require_http_methods(PAGES)
def review(request: HttpRequest, slot: str) -> HttpResponse:
    """All answers, each to be changed; POST sends them."""
    place = place_of(request, slot)
    draft = _draft(place)
    if draft is None:
        return _elsewhere(place)
    asked, given = draft.answers["asked"], draft.answers["given"]
    if next_question(place.form, asked, given) is not None:
        return _onward(place, draft)
    if request.method == "POST":
        send(request, place, draft)
        return redirect("check_in_done", slot=slot)
    context = {
        "slot": place.slot,
        "lines": words.lines(place.form, asked, given, place.language),
        "card": _card(place, list(dangers_of(place.form, given))),
        "client_id": draft.client_id,
    }
    return render(request, "portal/check_in_review.html", context)


def send(request: HttpRequest, place: Place, draft: CheckInDraft) -> Sent:
    """What the draft holds, once."""
    answers = kept(place.form, draft.answers["asked"], draft.answers["given"])
    photos = {
        check_ins.photo_id(draft.client_id, asked): bytes(one.jpeg)
        for one in draft.photos.all()
        if (asked := place.form.question(one.link_id)) and one.link_id in answers
    }
    return deliver(request, place, draft.client_id, answers, photos, place.now, CHANNEL)


def deliver(
    request: HttpRequest,
    place: Place,
    client_id: UUID,
    answers: dict[str, object],
    photos: dict[str, bytes],
    answered_at: datetime,
    channel: str,
) -> Sent:
    """Through the common door, all or nothing; a shipped form comes along where it is not there yet."""
    by_words = portal_door.acts(place.subject)
    at = believed(answered_at, place.now)
    telling = Telling(
        form=place.form,
        answers=answers,
        client_id=client_id,
        patient=place.subject.patient_fhir_id,
        answered_at=at,
        language=words.spoken(place.form, place.language),
        by_words="" if place.subject.is_self else by_words,
        photos=photos,
    )
    form_too = [] if found.is_published(place.form) else [loads(shipped_text(place.form.key))]
    return check_ins.send(
        episode=place.episode,
        form=place.form,
        attempt=Attempt(place.slot.name, client_id, answers, at, channel, by_words),
        delivery=ports().delivery_of([*form_too, *resources(telling)], "check-in"),
        document=str(client_id),
        actor=door.actor(request),
        user_id=door.person(request).pk,
        now=place.now,
    )


@require_GET
def done(request: HttpRequest, slot: str) -> HttpResponse:
    """What was sent, what is usual for this day, and when somebody will read it."""
    now = door.clock()
    subject = portal_door.subject(request, "answer", now)
    episode = found.episode_of(subject.patient_id)
    sent = found.response_of(episode, slot)
    if sent is None:
        raise NotFound("There is no such check-in.")
    form = found.form_of(sent.questionnaire)
    if form is None:
        raise NotFound("There is no such check-in.")
    place = Place(subject, episode, Slot(slot, form.key, 0, sent.answered_at, sent.answered_at), form, now)
    portal_door.note(request, subject, now, "view_check_in", entity=f"CheckIn/{slot}")
    language = get_language() or "en"
    hours = pathway_of(episode).plan.watch_hours
    said = said_of(episode) if "see" in subject.scopes else None
    context = {
        "view": end_view(sent, form, said, now, found.zone_of(episode), language),
        "card": _card(place, list(words.warned_of(sent, form))),
        "looked_at": words.looked_at(hours, now, door.zone(), found.zone_of(episode)),
        "team": episode.team.name if episode.team else "",
        "more": found.open_now(episode, language, now),
    }
    return render(request, "portal/check_in_done.html", context)
