"""The demo's patient in the portal: a question and its answer, consents, a helper asked, a reading typed in.

All synthetic, through the services that the pages use, in the round in which it would have happened; done again, it
changes nothing.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from uuid import NAMESPACE_URL, UUID, uuid5

from integrations.simulator.cast import PATIENT_WHO_SIGNS_IN
from integrations.simulator.ward import Ward
from recovery.audit import Actor
from recovery.selectors.fhir_store import patient_row_id
from recovery.selectors.messages import threads_of
from recovery.selectors.portal_people import grants_of
from recovery.services import consents, grants, messaging, sources

PATIENT_WORDS = "Amara Okafor"
NURSE_WORDS = "Nadia Bergström (clinician)"
# (hours before the anchor, conversation, from the team, words)
TALK = (
    (
        20.0,
        "Bruise",
        False,
        "There is a blue mark around my knee since yesterday. It does not hurt much. Is that usual?",
    ),
    (18.5, "Bruise", True, "A bruise is usual in the first week. Please tell us if it grows or the leg swells."),
    (1.5, "Shower", False, "May I take a shower with the plaster on?"),
)
SAID = {
    ("improvement", "activity"): True,
    ("improvement", "vitals"): True,
    ("research", "activity"): True,
    ("research", "vitals"): False,
}
Act = Callable[[int, Actor, datetime], object]


def take_part(ward: Ward, begin: datetime, end: datetime, *, actor: Actor) -> None:
    """What the patient and the nurse did in begin <= t < end, taken in at `end`."""
    patient_id = patient_row_id(PATIENT_WHO_SIGNS_IN)
    if patient_id is None:  # a small ward without her
        return
    for hours, act in _acts():
        if begin <= ward.anchor - timedelta(hours=hours) < end:
            act(patient_id, actor, end)


def _acts() -> Iterator[tuple[float, Act]]:
    """(hours before the anchor, what was done), in order."""
    yield 22.0, _say
    for number, (hours, subject, from_team, words) in enumerate(TALK):
        yield hours, partial(_write, number, subject, from_team, words)
    yield 1.2, _ask_helper
    yield 1.0, _type_in


def _say(patient_id: int, actor: Actor, now: datetime) -> None:
    consents.decide(patient_id=patient_id, choices=SAID, said_by=PATIENT_WORDS, actor=actor, now=now)


def _write(
    number: int, subject: str, from_team: bool, words: str, patient_id: int, actor: Actor, now: datetime
) -> None:
    username, called = ("nurse", NURSE_WORDS) if from_team else ("patient", PATIENT_WORDS)
    thread = _thread(patient_id, subject)
    if from_team and thread is not None:
        messaging.mark_read(thread_key=thread, by_team=True, words=NURSE_WORDS, actor=actor, now=now)
    messaging.send_message(
        patient_id=patient_id,
        thread_key=thread,
        subject=subject,
        text=words,
        key=uuid5(NAMESPACE_URL, f"twinweb:demo:{patient_id}:{number}"),
        author=messaging.author_named(username, called, from_team=from_team),
        actor=actor,
        now=now,
    )


def _thread(patient_id: int, subject: str) -> UUID | None:
    return next((one.key for one in threads_of(patient_id, for_team=True) if one.subject == subject), None)


def _ask_helper(patient_id: int, actor: Actor, now: datetime) -> None:
    if not grants_of(patient_id, now):
        grants.invite_caregiver(
            patient_id=patient_id, called="Chidi", relation="son", scopes=["see", "write"], actor=actor, now=now
        )


def _type_in(patient_id: int, actor: Actor, now: datetime) -> None:
    at = now - timedelta(hours=1)
    sources.report_reading(patient_id=patient_id, kind="temperature", text="36.9", at=at, actor=actor, now=now)
