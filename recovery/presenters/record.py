"""Who has used a patient's data, in plain words."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from zoneinfo import ZoneInfo

from django.utils import dateformat
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from recovery.presenters.portal_people import relation_words
from recovery.presenters.portal_words import day
from recovery.presenters.readings import harmless
from recovery.selectors.record import ModelUse, OwnReading, Use

ROLE_WORDS = {
    "clinician": gettext_lazy("Care team"),
    "lead": gettext_lazy("Care team, ward lead"),
    "administrator": gettext_lazy("Administrator"),
    "patient": gettext_lazy("You"),
    "caregiver": gettext_lazy("Your helper"),
    "connection": gettext_lazy("Connected system"),
    "system": gettext_lazy("This service itself"),
    "user": gettext_lazy("Somebody who signed in"),
}
# What the trail calls it -> what it was. Actions that mean the same to a patient share their words.
ACTION_WORDS = {
    **dict.fromkeys(
        ("view_patient", "view_patient_live", "view_now", "view_figure"), gettext_lazy("looked at your recovery page")
    ),
    **dict.fromkeys(("view_board", "view_alerts"), gettext_lazy("saw you on the list of patients")),
    **dict.fromkeys(("view_readings", "view_reading"), gettext_lazy("looked at your readings")),
    "view_what_if": gettext_lazy("looked at what might change your recovery"),
    "export_readings": gettext_lazy("downloaded your readings"),
    **dict.fromkeys(
        (
            *("read", "vread", "history", "search", "lastn", "history-instance"),
            *("view_alert", "view_answers", "view_photo"),
        ),
        gettext_lazy("read parts of your record"),
    ),
    **dict.fromkeys(
        ("everything", "summary", "export", "export_summary", "export_board", "export_handover"),
        gettext_lazy("took a copy of your record"),
    ),
    **dict.fromkeys(
        ("ingest", "create", "update", "patch", "delete", "send_summary", "send_handover"),
        gettext_lazy("sent readings or parts of your record"),
    ),
    **dict.fromkeys(
        (
            "view_own_page",
            "view_people",
            "view_consent",
            "view_record",
            "view_messages",
            "view_devices",
            "view_settings",
            "view_check_in",
        ),
        gettext_lazy("looked at these pages"),
    ),
    "consent": gettext_lazy("changed what you allow"),
    **dict.fromkeys(
        ("device_connect_begun", "device_connect_failed", "device_connected"), gettext_lazy("connected a watch")
    ),
    **dict.fromkeys(("device_disconnected", "source_erased"), gettext_lazy("disconnected a watch")),
    **dict.fromkeys(
        ("device_revoked", "device_expired"), gettext_lazy("noticed that a watch may not be asked any more")
    ),
    "record_taken": gettext_lazy("took your record along"),
    "message_sent": gettext_lazy("wrote a message"),
    **dict.fromkeys(("view_thread", "messages_read"), gettext_lazy("read messages")),
    "caregiver_invited": gettext_lazy("made a link for a helper"),
    "caregiver_accepted": gettext_lazy("started to help"),
    "caregiver_changed": gettext_lazy("changed what a helper may do"),
    "caregiver_ended": gettext_lazy("stopped sharing with a helper"),
    "caregiver_refused": gettext_lazy("gave a wrong date of birth for a helper's link"),
    **dict.fromkeys(("erasure_asked", "erasure_taken_back"), gettext_lazy("asked about erasing your data")),
    **dict.fromkeys(("erasure_held", "erasure_done"), gettext_lazy("answered your wish to erase your data")),
    "entrust": gettext_lazy("entrusted you to a team"),
    "give_patient_access": gettext_lazy("gave you access to these pages"),
    "twin_refresh": gettext_lazy("worked out how you are doing"),
}


@dataclass(frozen=True, slots=True)
class UseLine:
    who: str
    role: str
    words: str
    times: str
    refused: bool


@dataclass(frozen=True, slots=True)
class UseDay:
    day: str
    lines: tuple[UseLine, ...]


@dataclass(frozen=True, slots=True)
class ModelLine:
    name: str
    words: str


def use_days(uses: Iterable[Use]) -> tuple[UseDay, ...]:
    """By day, the newest first; what means the same of one person is one line."""
    return tuple(
        UseDay(dateformat.format(at, "l j F Y"), _lines(list(rows)))
        for at, rows in groupby(uses, key=lambda one: one.day)
    )


def _lines(uses: list[Use]) -> tuple[UseLine, ...]:
    counted: dict[tuple[str, str, str, str, bool], int] = {}
    for one in uses:
        key = (one.role, one.name, one.place, _words(one), one.refused)
        counted[key] = counted.get(key, 0) + one.times
    return tuple(
        UseLine(
            who=_("You") if role == "patient" else name,
            role=_role(role, place),
            words=words,
            times=ngettext("%(n)d time", "%(n)d times", n) % {"n": n} if n > 1 else "",
            refused=refused,
        )
        for (role, name, place, words, refused), n in counted.items()
    )


def _words(one: Use) -> str:
    known = ACTION_WORDS.get(one.action)
    return str(known) if known else _("used your record (%(action)s)") % {"action": one.action.replace("_", " ")}


def _role(role: str, place: str) -> str:
    if role == "patient":
        return ""
    shown = relation_words(place) if role == "caregiver" else place
    return ", ".join(part for part in (str(ROLE_WORDS.get(role, role)), shown) if part)


def model_lines(uses: Iterable[ModelUse], zone: ZoneInfo) -> tuple[ModelLine, ...]:
    return tuple(
        ModelLine(
            name=one.version,
            words=_model_words(one, day(one.first, zone), day(one.last, zone)),
        )
        for one in uses
    )


def _model_words(one: ModelUse, first: str, last: str) -> str:
    if first == last:
        words = ngettext(
            "worked out how you are doing %(n)d time, on %(last)s",
            "worked out how you are doing %(n)d times, on %(last)s",
            one.times,
        )
    else:
        words = _("worked out how you are doing %(n)d times, from %(first)s to %(last)s")
    return words % {"n": one.times, "first": first, "last": last}


CSV_HEADER = ("time (UTC)", "measure", "value", "unit", "source", "received (UTC)", "sealed by your consent")


def csv_line(one: OwnReading) -> tuple[str, ...]:
    value = f"{one.value:.6f}".rstrip("0").rstrip(".")
    texts = (harmless(text) for text in (one.measure, one.unit, one.source))
    measure, unit, source = texts
    sealed = "yes" if one.sealed else "no"
    return (one.at.isoformat(), measure, value, unit, source, one.received_at.isoformat(), sealed)
