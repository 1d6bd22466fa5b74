"""Check-ins: answers kept while a person thinks, told to the team at once where they are dangerous, sent exactly once.

A response is one row, written in the transaction that stores its documents and readings and raises its alerts; the
database admits one for a slot and one for a client id. Whoever comes second (a double tap, a second tab, the outbox of
a phone that was offline, the retry of a request whose answer was lost) is told what was sent first.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction
from django.db.models import Q

from recovery import audit
from recovery.audit import Actor
from recovery.check_ins.answers import Answer, Answers, Warned, danger_of
from recovery.check_ins.forms import Form, Question
from recovery.exceptions import Conflict
from recovery.models import CheckInDraft, CheckInResponse, DraftPhoto, Episode, LiveEvent
from recovery.photos import Photo
from recovery.services import alerting, ingestion
from recovery.services.intake import Delivery
from recovery.twin.alert_policy import Severity
from recovery.twin.alerts import AlertCandidate
from recovery.twin.facts import Fact

DRAFT_KEPT = timedelta(hours=24)  # ux 5.6
POLICY = "check-ins-1"
# A phone's clock is believed within this; beyond it the time of arrival counts [G: this project's choice].
CLOCK_MAY_BE_AHEAD = timedelta(minutes=5)
OFFLINE_AT_MOST = timedelta(days=7)
SEVERITY: dict[str, Severity] = {"emergency": "high", "urgent": "medium"}
TITLES = {
    "emergency": "The patient reports an emergency sign in a check-in",
    "urgent": "The patient reports a warning sign in a check-in",
}
STEPS = {
    "emergency": (
        "Consider calling the patient now; they were told to call the emergency number.",
        "Consider whom else to send if nobody answers.",
    ),
    "urgent": (
        "Consider calling the patient today and looking at what they answered.",
        "Consider looking at the wound photo, where there is one.",
    ),
}


class AlreadySent(Conflict):
    """This check-in has been answered."""

    def __init__(self, response: CheckInResponse) -> None:
        super().__init__("This check-in has already been sent.")
        self.response = response


@dataclass(frozen=True, slots=True)
class Attempt:
    """What is being sent. `answered_at`: by the person's own clock. `by_words`: who answered, as everybody reads it."""

    slot: str
    client_id: UUID
    answers: Answers
    answered_at: datetime
    channel: str
    by_words: str


@dataclass(frozen=True, slots=True)
class Sent:
    """`is_new`: false when a response of this slot or attempt was there already."""

    response: CheckInResponse
    is_new: bool


def open_draft(*, episode: Episode, slot: str, asked: Sequence[str], now: datetime) -> CheckInDraft:
    """The draft of this slot, begun now when there is none that still counts. Raises AlreadySent."""
    sent = _sent(episode, slot, None)
    if sent is not None:
        raise AlreadySent(sent)
    with transaction.atomic():
        CheckInDraft.objects.filter(episode=episode, slot=slot, updated_at__lt=now - DRAFT_KEPT).delete()
        draft, _ = CheckInDraft.objects.get_or_create(
            episode=episode,
            slot=slot,
            defaults={
                "client_id": uuid4(),
                "answers": {"asked": list(asked), "given": {}},
                "started_at": now,
                "updated_at": now,
            },
        )
    return draft


def keep_answer(
    *, draft: CheckInDraft, form: Form, question: Question, answer: Answer, actor: Actor, now: datetime
) -> Warned | None:
    """Keep one answer; a dangerous one is told to the team in the same transaction, and returned."""
    with transaction.atomic():
        held = _locked(draft)
        held.answers["given"][question.link_id] = answer
        warned = danger_of(question, answer)
        if warned is not None and not _is_told(held.told, warned):
            warn(episode=held.episode, form=form, warned=[warned], now=now)
            held.told = [*held.told, [warned.link_id, warned.level]]
            audit.record(
                actor=actor,
                now=now,
                action="check_in_warning",
                patient_ids=[held.episode.patient_id],
                entity=f"Episode/{held.episode.key}/{held.slot}",
                detail={"question": warned.link_id, "level": warned.level},
            )
        _save(held, now)
    return warned


def _is_told(told: Sequence[Sequence[str]], warned: Warned) -> bool:
    """Whether the team was told this, or something graver, about that question."""
    levels = [level for link_id, level in told if link_id == warned.link_id]
    return warned.level in levels or "emergency" in levels


def keep_photo(*, draft: CheckInDraft, question: Question, photo: Photo, now: datetime) -> None:
    """The photo for this question of a draft, in place of one taken before."""
    kept = {"jpeg": photo.jpeg, "width": photo.width, "height": photo.height}
    with transaction.atomic():
        held = _locked(draft)
        DraftPhoto.objects.update_or_create(draft=held, link_id=question.link_id, defaults=kept)
        held.answers["given"][question.link_id] = photo_id(held.client_id, question)
        _save(held, now)


def drop_photo(*, draft: CheckInDraft, question: Question, now: datetime) -> None:
    """The photo is gone, and the question open again."""
    with transaction.atomic():
        held = _locked(draft)
        DraftPhoto.objects.filter(draft=held, link_id=question.link_id).delete()
        held.answers["given"].pop(question.link_id, None)
        _save(held, now)


def photo_id(client_id: UUID, question: Question) -> str:
    """Id of the Media document that a photo becomes: the attempt's own, so that sending twice is one photo."""
    return f"{client_id}-{hashlib.sha256(question.link_id.encode()).hexdigest()[:8]}"


def _locked(draft: CheckInDraft) -> CheckInDraft:
    held = CheckInDraft.objects.select_for_update().filter(pk=draft.pk).first()
    if held is None:
        raise Conflict("This check-in has been sent or has run out; please begin again.")
    return held


def _save(held: CheckInDraft, now: datetime) -> None:
    held.updated_at = now
    held.save(update_fields=["answers", "told", "updated_at"])


def warn(*, episode: Episode, form: Form, warned: Sequence[Warned], now: datetime) -> None:
    """Raise or extend one alert for each dangerous answer. The caller holds the transaction."""
    if episode.surgery_end is None:
        hours = 0.0
    else:
        hours = (now - episode.surgery_end).total_seconds() / 3600.0
    candidates = [_candidate(form, one, hours) for one in warned]
    alerting.apply_candidates(episode=episode, candidates=candidates, now=now)


def _candidate(form: Form, warned: Warned, hours: float) -> AlertCandidate:
    question = form.question(warned.link_id)
    return AlertCandidate(
        cause=f"check_in_{warned.link_id}"[:80],
        kind="physiological",
        severity=SEVERITY[warned.level],
        change="raised",
        title=TITLES[warned.level],
        because=(Fact("has", warned.link_id, f"answered in a check-in: {said(question, warned.answer)}"),),
        steps=STEPS[warned.level],
        value=1.0,
        since_h=hours,
        at_h=hours,
        policy_version=POLICY,
    )


def said(question: Question | None, answer: Answer, language: str = "en") -> str:
    """Question and answer as one phrase for the team: "What is your temperature? 38.6 °C"."""
    if question is None:
        return str(answer)
    return f"{question.words(language)} {answer_words(question, answer, language)}"


def answer_words(question: Question, answer: Answer, language: str = "en") -> str:
    """The answer as the person would read it; blank for one that was declined."""
    if isinstance(answer, dict) or answer is None:
        return ""
    if isinstance(answer, bool):
        return "yes" if answer else "no"
    if isinstance(answer, list):
        return ", ".join(answer_words(question, one, language) for one in answer)
    option = question.option(str(answer))
    if option is not None:
        return option.words(language)
    return f"{answer} {question.unit_words}".strip()


def send(
    *,
    episode: Episode,
    form: Form,
    attempt: Attempt,
    delivery: Delivery,
    document: str,
    actor: Actor,
    user_id: int | None,
    now: datetime,
) -> Sent:
    """Store a response with its documents and readings, all or nothing. Idempotent by client id and by slot.

    A second attempt stores nothing, but a dangerous answer in it that the first did not have is told to the team.
    """
    held = _sent(episode, attempt.slot, attempt.client_id)
    if held is not None:
        _warn_of_what_is_new(held, episode, form, attempt, actor, now)
        return Sent(held, False)
    dangers = _dangers(form, attempt.answers)
    try:
        with transaction.atomic():
            response = _store(episode, form, attempt, dangers, document, user_id, now)
            ingestion.deliver(delivery=delivery, actor=actor, now=now, atomic=True)
            told = list(CheckInDraft.objects.filter(episode=episode, slot=attempt.slot).values_list("told", flat=True))
            untold = [one for one in dangers if not any(_is_told(rows, one) for rows in told)]
            warn(episode=episode, form=form, warned=untold, now=now)
            CheckInDraft.objects.filter(episode=episode, slot=attempt.slot).delete()
            LiveEvent.objects.create(at=now, kind="check_in", episode=episode, team_id=episode.team_id)
            _note(response, actor, now)
    except IntegrityError as problem:
        held = _sent(episode, attempt.slot, attempt.client_id)
        if held is None:
            raise Conflict("This could not be stored under its number; please begin again.") from problem
        return Sent(held, False)
    return Sent(response, True)


def _dangers(form: Form, answers: Answers) -> list[Warned]:
    found = (danger_of(one, answers.get(one.link_id)) for one in form.questions)
    return [one for one in found if one is not None]


def _sent(episode: Episode, slot: str, client_id: UUID | None) -> CheckInResponse | None:
    mine = CheckInResponse.objects.filter(episode=episode)
    return mine.filter(Q(slot=slot) | Q(client_id=client_id)).first()


def _store(
    episode: Episode,
    form: Form,
    attempt: Attempt,
    dangers: Sequence[Warned],
    document: str,
    user_id: int | None,
    now: datetime,
) -> CheckInResponse:
    begun = CheckInDraft.objects.filter(episode=episode, slot=attempt.slot).values_list("started_at", flat=True).first()
    return CheckInResponse.objects.create(
        episode=episode,
        slot=attempt.slot,
        questionnaire=form.key,
        version=form.version,
        client_id=attempt.client_id,
        answers=dict(attempt.answers),
        dangers=[{"question": one.link_id, "level": one.level} for one in dangers],
        channel=attempt.channel,
        document=document,
        answered_at=believed(attempt.answered_at, now),
        received_at=now,
        seconds=max(0, int((now - begun).total_seconds())) if begun else None,
        user_id=user_id,
        by_words=attempt.by_words[:200],
    )


def believed(answered_at: datetime, now: datetime) -> datetime:
    """When the person answered, by their clock where it can be right; else now."""
    return answered_at if now - OFFLINE_AT_MOST <= answered_at <= now + CLOCK_MAY_BE_AHEAD else now


def _warn_of_what_is_new(
    held: CheckInResponse, episode: Episode, form: Form, attempt: Attempt, actor: Actor, now: datetime
) -> None:
    """What a second attempt says beyond the first is not stored; a danger in it is not lost all the same."""
    if held.client_id == attempt.client_id and held.answers == dict(attempt.answers):
        return
    known = {(one["question"], one["level"]) for one in held.dangers}
    new = [one for one in _dangers(form, attempt.answers) if (one.link_id, one.level) not in known]
    if not new:
        return
    with transaction.atomic():
        warn(episode=episode, form=form, warned=new, now=now)
        held.dangers = [*held.dangers, *({"question": one.link_id, "level": one.level} for one in new)]
        held.save(update_fields=["dangers"])
        audit.record(
            actor=actor,
            now=now,
            action="check_in_warning",
            patient_ids=[episode.patient_id],
            entity=f"Episode/{episode.key}/{held.slot}",
            detail={"late": True, "questions": [one.link_id for one in new]},
        )


def _note(response: CheckInResponse, actor: Actor, now: datetime) -> None:
    audit.record(
        actor=actor,
        now=now,
        action="check_in",
        patient_ids=[response.episode.patient_id],
        entity=f"QuestionnaireResponse/{response.document}",
        detail={"slot": response.slot, "channel": response.channel},
    )


def drop_old_drafts(*, now: datetime) -> int:
    """Forget what was begun and not sent within DRAFT_KEPT; returns how many."""
    return CheckInDraft.objects.filter(updated_at__lt=now - DRAFT_KEPT).delete()[0]
