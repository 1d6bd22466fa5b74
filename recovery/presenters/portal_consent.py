"""Consents in plain words: what for, of what, since when, and what a change would mean."""

from collections.abc import Iterable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recovery.presenters.portal_people import in_own_words
from recovery.presenters.portal_words import day, moment
from recovery.selectors.consents import Decision, PastDecision, Withdrawn

TYPE_WORDS = {
    "activity": gettext_lazy("Activity and sleep"),
    "vitals": gettext_lazy("Pulse, breathing, oxygen and temperature"),
    "implant": gettext_lazy("Readings of an implant"),
    "answers": gettext_lazy("My answers and reports"),
    "records": gettext_lazy("Hospital record and blood values"),
}
PURPOSE_WORDS = {
    "care": (
        gettext_lazy("My care"),
        gettext_lazy("Your care team sees it, and the computer uses it to watch over you."),
    ),
    "improvement": (
        gettext_lazy("Making this service better"),
        gettext_lazy("This hospital checks and improves its computer models with it."),
    ),
    "research": (
        gettext_lazy("Research"),
        gettext_lazy("It may go into research, without your name. Nothing goes until you say yes."),
    ),
}
# To the team, in English like all of the staff's pages.
STAFF_WORDS = {
    "activity": "activity and sleep data",
    "vitals": "pulse, breathing, oxygen and temperature readings",
    "implant": "readings of the implant",
    "answers": "answers and reports",
    "records": "hospital records",
}


@dataclass(frozen=True, slots=True)
class Switch:
    """`name`: of the field that is sent."""

    name: str
    words: str
    allowed: bool
    switchable: bool
    since: str


@dataclass(frozen=True, slots=True)
class PurposeCard:
    key: str
    title: str
    what: str
    switches: tuple[Switch, ...]


@dataclass(frozen=True, slots=True)
class PastLine:
    when: str
    words: str
    said_by: str


def purpose_cards(decisions: Iterable[Decision], zone: ZoneInfo) -> tuple[PurposeCard, ...]:
    held = list(decisions)
    return tuple(
        PurposeCard(
            key=key,
            title=str(title),
            what=str(what),
            switches=tuple(_switch(one, zone) for one in held if one.purpose == key),
        )
        for key, (title, what) in PURPOSE_WORDS.items()
    )


def _switch(one: Decision, zone: ZoneInfo) -> Switch:
    if not one.switchable:
        since = _("Your hospital must keep this to care for you.")
    elif one.since is None:
        since = _("You have not been asked yet.")
    else:
        yes = _("You said yes on %(day)s.") if one.allowed else _("You said no on %(day)s.")
        since = yes % {"day": day(one.since, zone)}
    return Switch(
        field_name(one.purpose, one.data_type), str(TYPE_WORDS[one.data_type]), one.allowed, one.switchable, since
    )


def field_name(purpose: str, data_type: str) -> str:
    return f"{purpose}.{data_type}"


def past_lines(past: Iterable[PastDecision], zone: ZoneInfo) -> tuple[PastLine, ...]:
    return tuple(
        PastLine(
            when=moment(one.since, zone),
            words=(_("Yes: %(what)s, for %(purpose)s") if one.allowed else _("No: %(what)s, for %(purpose)s"))
            % {"what": TYPE_WORDS[one.data_type], "purpose": PURPOSE_WORDS[one.purpose][0]},
            said_by=in_own_words(one.said_by),
        )
        for one in past
    )


def staff_lines(withdrawn: Iterable[Withdrawn], zone: ZoneInfo) -> tuple[str, ...]:
    """What the team reads where a chart would be blank."""
    return tuple(
        f"The patient withdrew consent for {STAFF_WORDS[one.data_type]} on {day(one.since, zone)}:"
        f" {'what was received is kept sealed and not used' if one.sealed else 'none is shown or used'}."
        for one in withdrawn
    )
