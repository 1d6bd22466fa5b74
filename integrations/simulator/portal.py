"""The demo's patient in the portal: a question to the team and its answer, consents, a helper asked, a reading typed in.

All synthetic, said by the demo itself, through the services that the pages use; done again, it changes nothing.
"""

from datetime import datetime, timedelta
from uuid import NAMESPACE_URL, uuid5

from integrations.simulator.cast import PATIENT_WHO_SIGNS_IN
from integrations.simulator.ward import Ward
from recovery.audit import Actor
from recovery.selectors.fhir_store import patient_row_id
from recovery.selectors.portal_people import grants_of
from recovery.services import consents, grants, messaging, sources
from recovery.services.messaging import Author

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


def fill_portal(ward: Ward, *, actor: Actor) -> None:
    patient_id = patient_row_id(PATIENT_WHO_SIGNS_IN)
    if patient_id is None:  # a small ward without her
        return
    now = ward.anchor
    _talk(patient_id, actor, now)
    consents.decide(
        patient_id=patient_id, choices=SAID, said_by=PATIENT_WORDS, actor=actor, now=now - timedelta(days=1)
    )
    if not grants_of(patient_id, now):
        grants.invite_caregiver(
            patient_id=patient_id,
            called="Chidi",
            relation="son",
            scopes=["see", "write"],
            actor=actor,
            now=now - timedelta(hours=6),
        )
    at = now - timedelta(hours=3)
    sources.report_reading(patient_id=patient_id, kind="temperature", text="36.9", at=at, actor=actor, now=now)


def _talk(patient_id: int, actor: Actor, now: datetime) -> None:
    patient = messaging.author_named("patient", PATIENT_WORDS, from_team=False)
    nurse = messaging.author_named("nurse", NURSE_WORDS, from_team=True)
    threads = {}
    for number, (hours, subject, from_team, words) in enumerate(TALK):
        author: Author = nurse if from_team else patient
        at = now - timedelta(hours=hours)
        if from_team:
            messaging.mark_read(thread_key=threads[subject], by_team=True, words=NURSE_WORDS, actor=actor, now=at)
        sent = messaging.send_message(
            patient_id=patient_id,
            thread_key=threads.get(subject),
            subject=subject,
            text=words,
            key=uuid5(NAMESPACE_URL, f"twinweb:demo:{now.isoformat()}:{number}"),
            author=author,
            actor=actor,
            now=at,
        )
        threads[subject] = sent.thread.key
