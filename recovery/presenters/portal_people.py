"""Caregivers in words, as the patient, the caregiver and the team read them."""

import re
from dataclasses import dataclass
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from recovery.presenters.portal_words import day
from recovery.selectors.portal_people import ALL_SCOPES, GrantSeen, Subject

RELATION_WORDS = {
    "partner": pgettext_lazy("who acts", "partner"),
    "daughter": pgettext_lazy("who acts", "daughter"),
    "son": pgettext_lazy("who acts", "son"),
    "parent": pgettext_lazy("who acts", "parent"),
    "relative": pgettext_lazy("who acts", "relative"),
    "friend": pgettext_lazy("who acts", "friend"),
    "carer": pgettext_lazy("who acts", "carer"),
}
_FOR_ANOTHER = re.compile(rf"(.+) \(({'|'.join(RELATION_WORDS)})\) for (.+)")
SCOPE_WORDS = {
    "see": gettext_lazy("sees how you are doing"),
    "answer": gettext_lazy("answers check-ins for you"),
    "write": gettext_lazy("reads and writes messages"),
    "connect": gettext_lazy("looks after your devices"),
}
HELPER_WORDS = {
    "see": gettext_lazy("see how they are doing"),
    "answer": gettext_lazy("answer check-ins for them"),
    "write": gettext_lazy("read and write messages"),
    "connect": gettext_lazy("look after their devices"),
}
STATE_WORDS = {
    "open": gettext_lazy("Has a sign-in"),
    "waiting": gettext_lazy("Has not used the link yet"),
    "expired": gettext_lazy("The link was never used"),
    "ended": gettext_lazy("Stopped"),
}


@dataclass(frozen=True, slots=True)
class PersonCard:
    key: UUID
    called: str
    relation: str
    state: str
    state_words: str
    may: tuple[str, ...]
    scopes: frozenset[str]
    told: frozenset[str]
    told_words: str
    when: str

    @property
    def stands(self) -> bool:
        return self.state in ("open", "waiting")


def by_words(found: Subject) -> str:
    """English on purpose: it is kept with what was done, and the team reads it."""
    if found.is_self:
        return found.name
    return f"{found.called} ({found.relation}) for {found.name}"


def in_own_words(kept: str) -> str:
    """What `by_words` kept with something done, for a reader of the portal; anything else is a name, and stays."""
    found = _FOR_ANOTHER.fullmatch(kept)
    if found is None:
        return kept
    who, relation, patient = found.groups()
    said = {"who": who, "relation": relation_words(relation), "patient": patient}
    return _("%(who)s (%(relation)s) for %(patient)s") % said


def relation_words(relation: str) -> str:
    return str(RELATION_WORDS.get(relation, relation))


def person_card(one: GrantSeen, zone: ZoneInfo) -> PersonCard:
    return PersonCard(
        key=one.key,
        called=one.called,
        relation=relation_words(one.relation),
        state=one.state,
        state_words=str(STATE_WORDS[one.state]),
        may=tuple(str(SCOPE_WORDS[scope]) for scope in ALL_SCOPES if scope in one.scopes),
        scopes=frozenset(one.scopes),
        told=one.told,
        told_words=_told_words(one),
        when=_when(one, zone),
    )


def _told_words(one: GrantSeen) -> str:
    """What we tell them of, as far as they may do it; blank where there is nothing to tell."""
    check_ins = "check_ins" in one.told and "answer" in one.scopes
    messages = "messages" in one.told and "write" in one.scopes
    if check_ins and messages:
        return _("We tell them when a check-in waits and when the team has written.")
    if check_ins:
        return _("We tell them when a check-in waits.")
    return _("We tell them when the team has written.") if messages else ""


def _when(one: GrantSeen, zone: ZoneInfo) -> str:
    if one.ended_at is not None:
        return _("Stopped on %(day)s.") % {"day": day(one.ended_at, zone)}
    if one.state == "waiting":
        return _("The link works until %(day)s.") % {"day": day(one.link_until, zone)}
    if one.accepted_at is not None:
        seen = one.last_seen
        last = _("Last signed in on %(day)s.") % {"day": day(seen, zone)} if seen else ""
        return " ".join(part for part in (_("Since %(day)s.") % {"day": day(one.accepted_at, zone)}, last) if part)
    return ""
