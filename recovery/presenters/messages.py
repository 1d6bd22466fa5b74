"""Conversations in words, for the patient's side (translated) and for the team."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from recovery.presenters import wording
from recovery.presenters.portal_people import in_own_words
from recovery.presenters.portal_words import moment
from recovery.selectors.messages import MessageSeen, ThreadSeen

PREVIEW = 120
# To begin with; people change the words before they send them. None of them gives medical advice.
TEMPLATES = (
    ("Seen", "Thank you for your message. We have read it."),
    ("We will call", "Thank you for telling us. One of us will call you today. Please keep your phone near you."),
    (
        "Tell us more",
        "Thank you. Please tell us a little more: since when, how bad, and what makes it better or worse?",
    ),
    ("A photo", "Please send us a photo of your wound with your next check-in."),
    ("Come in", "We would like to see you. Please call the ward to agree on a time."),
    ("Watch missing", "We get no readings from your watch. Please check that it is charged, worn and connected."),
)


@dataclass(frozen=True, slots=True)
class MessageLine:
    """`is_mine`: of the reader's own side. `state`: delivered or read, in words."""

    author: str
    text: str
    when: str
    state: str
    is_mine: bool


@dataclass(frozen=True, slots=True)
class ThreadLine:
    key: UUID
    patient: str
    episode: UUID | None
    subject: str
    preview: str
    when: str
    unread: int
    waits: str
    is_late: bool


def own_line(one: MessageSeen, zone: ZoneInfo) -> MessageLine:
    """For the patient's side. What stands here has been stored by the hospital: that is what delivered means."""
    author, when = in_own_words(one.author), moment(one.sent_at, zone)
    if one.from_team:
        return MessageLine(author, one.text, when, " · ".join(_read(who, at, zone) for who, at in one.helpers), False)
    state = _read(one.read_by, one.read_at, zone) if one.read_at else _("Delivered. Not read yet.")
    return MessageLine(author, one.text, when, state, True)


def _read(who: str, at: datetime, zone: ZoneInfo) -> str:
    return _("Read by %(who)s, %(when)s") % {"who": in_own_words(who), "when": moment(at, zone)}


def staff_line(one: MessageSeen, zone: ZoneInfo) -> MessageLine:
    when = wording.clock(one.sent_at, zone)
    if not one.from_team:
        state = f"first read by {one.read_by}, {wording.clock(one.read_at, zone)}" if one.read_at else ""
        return MessageLine(one.author, one.text, when, state, False)
    return MessageLine(one.author, one.text, when, _read_by(one, zone), True)


def _read_by(one: MessageSeen, zone: ZoneInfo) -> str:
    """Who has read what the team wrote: the patient, and by name who helps them."""
    helpers = [f"{who}, {wording.clock(at, zone)}" for who, at in one.helpers]
    if one.read_at:
        return "; ".join([f"read by {one.read_by}, {wording.clock(one.read_at, zone)}", *helpers])
    return f"not read by the patient yet; read by {'; '.join(helpers)}" if helpers else "delivered, not read yet"


def own_thread(one: ThreadSeen, zone: ZoneInfo) -> ThreadLine:
    waits = _("An answer should come by %(when)s.") % {"when": moment(one.answer_by, zone)} if one.answer_by else ""
    return _thread(one, moment(one.last_at, zone), waits, is_late=False)


def staff_thread(one: ThreadSeen, now: datetime, zone: ZoneInfo) -> ThreadLine:
    late = one.answer_by is not None and one.answer_by < now
    waits = ""
    if one.waiting_since and one.answer_by:
        promised = "answer was promised by" if late else "answer promised by"
        waits = f"waiting {_ago(one.waiting_since, now)}; {promised} {wording.clock(one.answer_by, zone)}"
    return _thread(one, wording.clock(one.last_at, zone), waits, is_late=late)


def _ago(since: datetime, now: datetime) -> str:
    return wording.lasting(max(0.0, (now - since).total_seconds() / 3600.0))


def _thread(one: ThreadSeen, when: str, waits: str, *, is_late: bool) -> ThreadLine:
    words = " ".join(one.last_words.split())
    preview = words if len(words) <= PREVIEW else f"{words[:PREVIEW].rstrip()}\N{HORIZONTAL ELLIPSIS}"
    return ThreadLine(one.key, one.patient, one.episode, one.subject, preview, when, one.unread, waits, is_late)
