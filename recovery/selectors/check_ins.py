"""Check-ins as pages and reminders read them: what is asked when, what was begun, what was sent."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import QuerySet

from recovery.check_ins import schedule
from recovery.check_ins.asking import WALKING_AID, aid_is_due, choose
from recovery.check_ins.forms import Form, Question, read_form, shipped
from recovery.check_ins.schedule import Slot
from recovery.exact_json import loads
from recovery.exceptions import Invalid, NotFound
from recovery.models import CheckInDraft, CheckInResponse, Document, Episode, Finding
from recovery.selectors.careteam import FOLLOWED
from recovery.selectors.pathways import pathway_of
from recovery.selectors.snapshot import Said
from recovery.twin.gait_aid import AIDS, COUNTED

logger = logging.getLogger(__name__)

EXTRA = "extra"
EXTRA_FORM = "daily"
REPLACEABLE = frozenset({"qor15"})  # instruments whose words belong to others
DRAFT_KEPT = timedelta(hours=24)
LAST_ONES = 60
# A measure that has no reading of the last day is worth asking for, though less than what the twin names [G].
UNREAD_AFTER_H, NEVER_READ = 24.0, 0.01
# Steps come a day at a time: a count older than this is no longer being made [G].
STEPS_COUNT_FOR_H = 72.0
LOOK_BACK = timedelta(days=8)


@dataclass(frozen=True, slots=True)
class Response:
    """One sent check-in. `answers`: link id -> answer; `dangers`: {question, level}."""

    slot: str
    questionnaire: str
    client_id: UUID
    answers: Mapping[str, Any]
    dangers: tuple[Mapping[str, str], ...]
    channel: str
    answered_at: datetime
    received_at: datetime
    by_words: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """A check-in that is open and not answered: what a reminder may be sent for."""

    episode_id: int
    patient_id: int
    user_id: int | None
    slot: Slot
    zone: str


def zone_of(episode: Episode) -> ZoneInfo:
    return schedule.zone_of(episode.time_zone, settings.HOSPITAL_TIME_ZONE)


def episode_of(patient_id: int) -> Episode:
    """The newest followed episode of the patient, else the newest at all. Raises NotFound."""
    mine = Episode.objects.filter(patient_id=patient_id, patient__deleted_at__isnull=True)
    found = list(mine.select_related("patient", "team", "pathway"))
    if not found:
        raise NotFound("There is no recovery to show for you here. Please ask your care team.")
    return max(found, key=_newness)


def _newness(one: Episode) -> tuple[bool, float, int]:
    return one.status in FOLLOWED, one.surgery_end.timestamp() if one.surgery_end else 0.0, one.pk


def form_of(key: str) -> Form | None:
    """The form of that key: shipped with the product, else the hospital's own Questionnaire of that id.

    The text of a shipped instrument gives way to the hospital's copy of it that says `experimental: false` (it was
    compared with the published form) and asks under the same link ids, so that it is scored alike.
    """
    own = shipped(key)
    if own is None:
        return _hospitals(key)
    copy = _hospitals(key, checked=True) if key in REPLACEABLE else None
    is_alike = copy is not None and [one.link_id for one in copy.questions] == [one.link_id for one in own.questions]
    if copy is not None and not is_alike:
        logger.warning("the hospital's copy of %s asks under other link ids, so ours is asked", key)
    return replace(copy, score=own.score) if copy is not None and is_alike else own


def _hospitals(key: str, *, checked: bool = False) -> Form | None:
    """The Questionnaire that the hospital gave, where it is active and can be asked."""
    row = Document.objects.filter(type="Questionnaire", fhir_id=key, deleted=False).first()
    if row is None:
        return None
    content = loads(row.content)
    if content.get("status") != "active" or (checked and content.get("experimental") is not False):
        return None
    try:
        return read_form(key, content)
    except (Invalid, KeyError, StopIteration, TypeError, AttributeError):
        logger.exception("questionnaire %s cannot be asked", key)
        return None


def is_published(form: Form) -> bool:
    """Whether the form that answers refer to can be read at our FHIR door, in this version."""
    row = Document.objects.filter(type="Questionnaire", fhir_id=form.key, deleted=False).first()
    return row is not None and loads(row.content).get("version", "") == form.version


def slots_of(episode: Episode) -> tuple[Slot, ...]:
    """Every time at which the episode's pathway asks something; none before the operation or once it is over."""
    if episode.surgery_end is None or episode.status not in FOLLOWED:
        return ()
    return schedule.slots(pathway_of(episode).plan.check_ins, episode.surgery_end, zone_of(episode))


def slot_named(episode: Episode, name: str, now: datetime) -> Slot:
    """The slot of that name. Raises NotFound for one that the pathway does not have or that has not opened yet.

    One that has closed still counts while it is being answered offline; an extra one can be opened at any time.
    """
    if name.startswith(f"{EXTRA}-") and name[len(EXTRA) + 1 :].isalnum() and episode.status in FOLLOWED:
        return Slot(name, EXTRA_FORM, day_of(episode, now), now, now + DRAFT_KEPT)
    found = next((one for one in slots_of(episode) if one.name == name), None)
    if found is None or found.opens > now:
        raise NotFound("There is no such check-in now.")
    return found


def day_of(episode: Episode, now: datetime) -> int:
    """Calendar days since the operation, where the patient lives."""
    if episode.surgery_end is None:
        return 0
    zone = zone_of(episode)
    return (now.astimezone(zone).date() - episode.surgery_end.astimezone(zone).date()).days


def answered_slots(episode_id: int) -> frozenset[str]:
    return frozenset(CheckInResponse.objects.filter(episode_id=episode_id).values_list("slot", flat=True))


def open_now(episode: Episode, language: str, now: datetime) -> tuple[Slot, ...]:
    """What is asked now and not answered, in forms that speak the person's language, the most urgent first."""
    return tuple(
        one
        for one in schedule.open_slots(slots_of(episode), answered_slots(episode.pk), now)
        if (form := form_of(one.questionnaire)) is not None and speaks(form, language)
    )


def speaks(form: Form, language: str) -> bool:
    """An instrument is asked in the languages in which it was given to us, never in one of our making."""
    return language.split("-")[0] in form.languages


def asked_of(form: Form, slot: Slot, episode: Episode, said: Said | None) -> tuple[str, ...]:
    """Link ids of the questions for this person today (see check_ins.asking)."""
    worth = {one.metric: one.forecast + one.risk for one in said.advice} if said else {}
    unread = {one.link_id: NEVER_READ for one in form.questions if one.ask == "informative" and _is_unread(one, said)}
    worths = {**unread, **worth, **_aid(form, slot, episode, said)}
    return choose(form, day=slot.day, worth=worths, procedure=episode.procedure)


def _aid(form: Form, slot: Slot, episode: Episode, said: Said | None) -> Mapping[str, float]:
    """What knowing the walking aid is worth: the share of the steps that the twin would misread at worst. Nothing where
    no steps are counted, or where it was told within the week, by the patient or by the hospital."""
    steps = said.metrics.get(COUNTED) if said else None
    if form.question(WALKING_AID) is None or steps is None or (steps.hours_since or 0.0) > STEPS_COUNT_FOR_H:
        return {}
    due = aid_is_due(episode.procedure, _aids_told(slot, episode))
    return {WALKING_AID: AIDS["frame"].missed} if due else {}


def _aids_told(slot: Slot, episode: Episode) -> list[tuple[int, object]]:
    """(calendar days before the slot, answer) of what was said of late about walking aids, by anybody."""
    since, zone = slot.opens - LOOK_BACK, zone_of(episode)
    sent = CheckInResponse.objects.filter(episode=episode, answered_at__gte=since, answers__has_key=WALKING_AID)
    rows = [(at, answers[WALKING_AID]) for at, answers in sent.values_list("answered_at", "answers")]
    known = Finding.objects.filter(patient_id=episode.patient_id, key__startswith="gait_aid", onset_at__gte=since)
    rows += [(at, key) for at, key in known.values_list("onset_at", "key") if at is not None]
    today = slot.opens.astimezone(zone).date()
    return [((today - at.astimezone(zone).date()).days, answer) for at, answer in rows]


def _is_unread(question: Question, said: Said | None) -> bool:
    """Whether nobody knows this measure now: a watch that reads it spares the question."""
    metric = said.metrics.get(question.link_id) if said else None
    return metric is None or metric.hours_since is None or metric.hours_since > UNREAD_AFTER_H


def draft_of(episode: Episode, slot: str, now: datetime) -> CheckInDraft | None:
    """What was begun within the time that drafts are kept."""
    return CheckInDraft.objects.filter(episode=episode, slot=slot, updated_at__gte=now - DRAFT_KEPT).first()


def response_of(episode: Episode, slot: str) -> Response | None:
    row = CheckInResponse.objects.filter(episode=episode, slot=slot).first()
    return _response(row) if row else None


def responses_of(episode: Episode) -> tuple[Response, ...]:
    """The last ones sent, newest first."""
    rows = CheckInResponse.objects.filter(episode=episode).order_by("-answered_at", "-pk")
    return tuple(_response(row) for row in rows[:LAST_ONES])


def _response(row: CheckInResponse) -> Response:
    return Response(
        slot=row.slot,
        questionnaire=row.questionnaire,
        client_id=row.client_id,
        answers=row.answers,
        dangers=tuple(row.dangers),
        channel=row.channel,
        answered_at=row.answered_at,
        received_at=row.received_at,
        by_words=row.by_words,
    )


def waiting(now: datetime, patients: QuerySet[Any, Any] | None = None) -> tuple[Waiting, ...]:
    """Every open check-in that nobody has answered, of `patients` (row ids) or all, who can sign in. 3 queries."""
    rows = (
        Episode.objects.filter(status__in=FOLLOWED, surgery_end__isnull=False, patient__deleted_at__isnull=True)
        .filter(patient__user__is_active=True, patient__died_at__isnull=True)
        .select_related("patient", "pathway")
    )
    episodes = list(rows if patients is None else rows.filter(patient__in=patients))
    answered = _answered([one.pk for one in episodes])
    return tuple(one for episode in episodes for one in _waiting(episode, answered.get(episode.pk, ()), now))


def _answered(ids: Sequence[int]) -> dict[int, set[str]]:
    found: dict[int, set[str]] = {}
    for episode_id, slot in CheckInResponse.objects.filter(episode_id__in=ids).values_list("episode_id", "slot"):
        found.setdefault(episode_id, set()).add(slot)
    return found


def _waiting(episode: Episode, answered: Iterable[str], now: datetime) -> Iterable[Waiting]:
    for slot in schedule.open_slots(slots_of(episode), answered, now):
        yield Waiting(episode.pk, episode.patient_id, episode.patient.user_id, slot, zone_of(episode).key)


def photo_of(patient_id: int, fhir_id: str) -> Mapping[str, Any]:
    """The Media document of a photo. Raises NotFound for one that is another patient's or was taken back."""
    row = Document.objects.filter(type="Media", fhir_id=fhir_id, patient_id=patient_id, deleted=False).first()
    if row is None:
        raise NotFound("There is no such photo.")
    return dict(loads(row.content))


def episode_of_fhir(fhir_id: str) -> Episode:
    """As `episode_of`, by the id of the Patient document. Raises NotFound."""
    found = Episode.objects.filter(patient__fhir_id=fhir_id).values_list("patient_id", flat=True).first()
    if found is None:
        raise NotFound("There is no such patient.")
    return episode_of(found)
