"""Conversations as both sides read them."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery

from recovery.exceptions import NotFound
from recovery.models import CaregiverGrant, Episode, HelperReading, Message, Thread, User
from recovery.permissions import visible_patients
from recovery.selectors.check_ins import zone_of
from recovery.selectors.pathways import pathway_of
from recovery.watch import after_minutes

PAGE_ROWS = 50


@dataclass(frozen=True, slots=True)
class MessageSeen:
    """`read_at`, `read_by`: of the other side; of the team's messages the patient's own. `helpers`: who of those who
    help the patient has read it, and when."""

    key: UUID
    from_team: bool
    author: str
    text: str
    sent_at: datetime
    read_at: datetime | None
    read_by: str
    helpers: tuple[tuple[str, datetime], ...] = ()


@dataclass(frozen=True, slots=True)
class ThreadSeen:
    """`unread`: messages of the other side. `waiting_since`: the team has not answered since. `episode`: for a link."""

    key: UUID
    patient_id: int
    patient: str
    episode: UUID | None
    subject: str
    last_at: datetime
    last_words: str
    last_from_team: bool
    unread: int
    waiting_since: datetime | None
    answer_by: datetime | None
    messages: tuple[MessageSeen, ...] = ()


@dataclass(frozen=True, slots=True)
class Inbox:
    threads: tuple[ThreadSeen, ...]
    waiting: int
    view: str


def answer_by(patient_id: int, since: datetime) -> datetime:
    """When an answer can be expected: so many minutes of the pathway's watch hours after `since`."""
    episode = _newest_episode(patient_id)
    minutes = settings.MESSAGE_REPLY_MINUTES
    if episode is None:
        return after_minutes(since, minutes, (), ZoneInfo(settings.HOSPITAL_TIME_ZONE))
    return after_minutes(since, minutes, pathway_of(episode).plan.watch_hours, zone_of(episode))


def _newest_episode(patient_id: int) -> Episode | None:
    rows = Episode.objects.filter(patient_id=patient_id).select_related("pathway")
    return rows.order_by("-surgery_end", "-pk").first()


def threads_of(patient_id: int, *, for_team: bool, helper: User | None = None) -> tuple[ThreadSeen, ...]:
    """Every conversation of a patient, the newest word first. `helper`: what is unread is so for this person."""
    rows = _counted(Thread.objects.filter(patient_id=patient_id), for_team).order_by("-last_at", "-pk")
    seen = tuple(_seen(row) for row in rows[:PAGE_ROWS])
    if helper is None:
        return seen
    new = dict(_unread_by(helper, patient_id).values_list("thread__key").annotate(Count("pk")))
    return tuple(replace(one, unread=new.get(one.key, 0)) for one in seen)


def thread_of(patient_id: int, key: UUID, *, for_team: bool) -> ThreadSeen:
    """One conversation whole. Raises NotFound."""
    return _whole(_counted(Thread.objects.filter(patient_id=patient_id, key=key), for_team).first())


def _whole(row: Thread | None) -> ThreadSeen:
    if row is None:
        raise NotFound("There is no such conversation.")
    rows = row.messages.order_by("sent_at", "pk").prefetch_related("helper_readings")
    return replace(_seen(row), messages=tuple(map(_message, rows)))


def _message(one: Message) -> MessageSeen:
    helpers = sorted(((by.words, by.read_at) for by in one.helper_readings.all()), key=lambda by: by[1])
    return MessageSeen(
        key=one.key,
        from_team=one.from_team,
        author=one.author_words,
        text=one.text,
        sent_at=one.sent_at,
        read_at=one.read_at,
        read_by=one.read_by_words,
        helpers=tuple(helpers),
    )


def inbox(user: User, now: datetime, view: str = "") -> Inbox:
    """The team's conversations that wait for an answer, the longest first; view "all": every one, the newest first."""
    mine = Thread.objects.filter(patient__in=visible_patients(user, now))
    waiting = mine.filter(waiting_since__isnull=False)
    every = view == "all"
    rows = _counted(mine, True).order_by("-last_at") if every else _counted(waiting, True).order_by("waiting_since")
    return Inbox(tuple(_seen(row) for row in rows[:PAGE_ROWS]), waiting.count(), "all" if every else "waiting")


def staff_thread(user: User, key: UUID, now: datetime) -> ThreadSeen:
    """One conversation of a patient of theirs. Raises NotFound."""
    return _whole(_counted(Thread.objects.filter(key=key, patient__in=visible_patients(user, now)), True).first())


def waiting_for(user: User, now: datetime) -> int:
    return Thread.objects.filter(patient__in=visible_patients(user, now), waiting_since__isnull=False).count()


def unread_of(patient_id: int, helper: User | None = None) -> int:
    """Messages of the team that the patient has not opened; with `helper`, that this helper has not."""
    if helper is not None:
        return _unread_by(helper, patient_id).count()
    return Message.objects.filter(thread__patient_id=patient_id, from_team=True, read_at__isnull=True).count()


def _unread_by(helper: User, patient_id: int) -> QuerySet[Message]:
    """What this helper has not opened of what the team wrote since they came in, or what nobody has read before."""
    grants = CaregiverGrant.objects.filter(user=helper, patient_id=patient_id, ended_at__isnull=True)
    since = grants.order_by("accepted_at").values("accepted_at")[:1]
    news = Q(sent_at__gte=Subquery(since)) | Q(read_at__isnull=True)
    rows = Message.objects.filter(news, thread__patient_id=patient_id, from_team=True)
    return rows.exclude(pk__in=HelperReading.objects.filter(user=helper).values("message"))


def _counted(rows: QuerySet[Thread], for_team: bool) -> QuerySet[Thread]:
    newest = Message.objects.filter(thread=OuterRef("pk")).order_by("-sent_at", "-pk")
    episode = Episode.objects.filter(patient=OuterRef("patient")).order_by("-surgery_end", "-pk")
    other_side = Q(messages__from_team=not for_team, messages__read_at__isnull=True)
    return rows.select_related("patient").annotate(
        unread=Count("messages", filter=other_side),
        last_words=Subquery(newest.values("text")[:1]),
        last_from_team=Subquery(newest.values("from_team")[:1]),
        episode_key=Subquery(episode.values("key")[:1]),
    )


def _seen(row: Thread) -> ThreadSeen:
    said = vars(row)
    return ThreadSeen(
        key=row.key,
        patient_id=row.patient_id,
        patient=row.patient.name,
        episode=said["episode_key"],
        subject=row.subject,
        last_at=row.last_at,
        last_words=said["last_words"] or "",
        last_from_team=bool(said["last_from_team"]),
        unread=said["unread"],
        waiting_since=row.waiting_since,
        answer_by=answer_by(row.patient_id, row.waiting_since) if row.waiting_since else None,
    )
