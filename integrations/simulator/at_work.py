"""What the demo's staff did before anybody looked: alerts taken and closed with an outcome, records opened in an
emergency, one of which waits for its review.

All synthetic, through the services that the pages use, in the round in which it would have happened. What has been done
is not done again; in a ward without those patients nothing is. What is refused (an alert that a visitor has answered
meanwhile, too many emergency searches in an hour) is left out: the demonstration goes on without it.
"""

import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial

from integrations.simulator.cast import Member
from integrations.simulator.ward import Ward
from recovery.audit import Actor
from recovery.exceptions import RecoveryError
from recovery.permissions import visible_alerts
from recovery.selectors.emergencies import accesses_to_review
from recovery.selectors.who import user_named
from recovery.services import alert_acts, emergency

logger = logging.getLogger(__name__)

Act = Callable[[Ward, datetime], None]
# (hours before the anchor, patient, cause, outcome, useful); no outcome: the nurse has it, and it is open.
ANSWERED = (
    (20.0, "demo-02", "suspicion", "", None),
    (17.0, "demo-04", "deterioration", "expected_course", False),
    (16.5, "demo-03", "risk", "true_problem", True),
    (16.0, "demo-13", "deterioration", "false_alarm", False),
    (10.0, "demo-18", "risk", "true_problem", True),
    (9.0, "lifesnaps-38", "model_uncertain", "other", True),
)
NOTES = {
    "expected_course": "Seen at the bedside: in pain after physiotherapy, else well.",
    "true_problem": "Seen with the surgeon; treatment has begun.",
    "false_alarm": "Watch was loose; put on again.",
    "other": "Few readings lately; asked to wear the watch at night.",
}
REASON_SEEN = "Called to the ward for help with this patient, who could not be woken"
REASON_WAITING = "Asked by the emergency department to look at the readings"
STRANGER, REVIEWER = "nurse-c", "administrator"


def work(ward: Ward, begin: datetime, end: datetime) -> None:
    """Everything of begin <= t < end, taken in at `end`."""
    for hours, act in _acts():
        if begin <= ward.anchor - timedelta(hours=hours) < end:
            try:
                act(ward, end)
            except RecoveryError as refusal:
                logger.warning("the demo's staff were refused something: %s", refusal.message)


def _acts() -> Iterator[tuple[float, Act]]:
    for hours, patient, cause, outcome, useful in ANSWERED:
        yield hours, partial(_answer, patient, cause, outcome, useful)
    yield 22.0, partial(_open, 0, REASON_SEEN)
    yield 12.0, _review
    yield 2.0, partial(_open, 1, REASON_WAITING)


def _answer(patient: str, cause: str, outcome: str, useful: bool | None, ward: Ward, now: datetime) -> None:
    nurse = user_named("nurse")
    if nurse is None:
        return
    mine = visible_alerts(nurse, now).filter(episode__patient__fhir_id=patient, cause=cause)
    alert = mine.filter(status="open", owner__isnull=True).first()
    if alert is None:
        return
    actor = Actor.of_user(nurse)
    taken = alert_acts.acknowledge_alert(alert_key=alert.key, version=alert.version, actor=actor, now=now)
    if outcome:
        alert_acts.resolve_alert(
            alert_key=taken.key,
            version=taken.version,
            outcome=outcome,
            useful=useful,
            note=NOTES[outcome],
            actor=actor,
            now=now,
        )


def _open(number: int, reason: str, ward: Ward, now: datetime) -> None:
    """The nurse of the other ward opens the record of one whom she does not know, and closes it 25 minutes later."""
    stranger, reviewer, person = user_named(STRANGER), user_named(REVIEWER), _unknown_to_her(ward, number)
    if stranger is None or reviewer is None or person is None:
        return
    waiting, done = accesses_to_review(reviewer, now)
    if any(one.reason == reason for one in (*waiting, *done)):
        return
    actor, opened = Actor.of_user(stranger), now - timedelta(minutes=40)
    found = emergency.search(
        record_number="", family_name=person.family, birth_date=person.born, user=stranger, actor=actor, now=opened
    )
    if len(found) == 1 and not found[0].is_already_yours:
        access = emergency.open_record(ticket=found[0].ticket, reason=reason, user=stranger, actor=actor, now=opened)
        emergency.close_record(key=access.key, user=stranger, actor=actor, now=opened + timedelta(minutes=25))


def _unknown_to_her(ward: Ward, number: int) -> Member | None:
    others = [one for one in ward.members if one.team == "ward-b" and one.trouble is not None]
    return others[number] if number < len(others) else None


def _review(ward: Ward, now: datetime) -> None:
    reviewer = user_named(REVIEWER)
    if reviewer is None:
        return
    for one in accesses_to_review(reviewer, now)[0]:
        if one.reason == REASON_SEEN:
            actor, note = Actor.of_user(reviewer), "The ward confirms it: she was called."
            emergency.review(key=one.key, verdict="approved", note=note, user=reviewer, actor=actor, now=now)
