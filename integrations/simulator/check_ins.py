"""What the demo's patient answered so far, her goals, and what the hospital planned for her.

All of it is made up, through the same services and the same door as real answers; today's check-in is left to do.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from integrations.simulator.resources import ORIGIN_TAG, written
from recovery.audit import Actor
from recovery.check_ins.forms import SHIPPED, shipped, shipped_text
from recovery.check_ins.schedule import Slot
from recovery.check_ins.told import Telling, resources
from recovery.exact_json import loads
from recovery.exceptions import NotFound
from recovery.ports import ports
from recovery.selectors import check_ins as found
from recovery.services import check_ins, portal
from recovery.services.check_ins import Attempt
from recovery.services.ingestion import deliver

CHANNEL = "demo"
ANSWERED_FOR = timedelta(days=4)
AFTER_OPENING = timedelta(minutes=42)
BY = "Amara Okafor (synthetic)"
GOALS = (("Walk to the shop on my own", 4), ("Sleep through the night", 6))
PLAN = "Walk a little in every hour that you are awake. Lift the leg on a cushion when you rest."
AMBULATORY = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB", "display": "ambulatory"}


def answer_between(*, patient: str, begin: datetime, end: datetime, actor: Actor) -> int:
    """Send the daily check-ins that she answered in begin <= t < end; returns how many were new."""
    try:
        episode = found.episode_of_fhir(patient)
    except NotFound:
        return 0
    daily = [one for one in found.slots_of(episode) if one.questionnaire == "daily"]
    return sum(_send(episode, one, patient, actor) for one in daily if begin <= one.opens + AFTER_OPENING < end)


def arrange(*, patient: str, actor: Actor, now: datetime) -> None:
    """Her goals, and what the hospital planned. Done again, it changes nothing."""
    try:
        episode = found.episode_of_fhir(patient)
    except NotFound:
        return
    delivery = ports().delivery_of([*_forms(), *_planned(patient, now)], CHANNEL)
    deliver(delivery=delivery, actor=actor, now=now, atomic=True)
    for text, closeness in GOALS:
        goal = portal.add_goal(episode=episode, text=text, actor=actor, now=now)
        portal.rate_goal(episode=episode, key=goal.key, closeness=closeness, actor=actor, now=now)


def _send(episode: Any, slot: Slot, patient: str, actor: Actor) -> bool:
    """One day's answers: pain that eases by the day, a dry wound, an ordinary temperature."""
    form = shipped("daily")
    assert form is not None  # noqa: S101  (it comes with the product)
    at, client_id = slot.opens + AFTER_OPENING, uuid5(NAMESPACE_URL, f"demo/{patient}/{slot.name}")
    answers = {"alarm": ["none"], "pain": max(2, 6 - slot.day // 2), "wound": "dry", "temperature": 36.9}
    answers |= {"mobility": "house"}
    telling = Telling(form, answers, client_id, patient, at, "en", BY)
    sent = check_ins.send(
        episode=episode,
        form=form,
        attempt=Attempt(slot.name, client_id, answers, at, CHANNEL, BY),
        delivery=ports().delivery_of(resources(telling), CHANNEL),
        document=str(client_id),
        actor=actor,
        user_id=None,
        now=at,
    )
    return sent.is_new


def _forms() -> list[dict[str, Any]]:
    return [dict(loads(shipped_text(key))) for key in SHIPPED]


def _planned(patient: str, now: datetime) -> list[dict[str, Any]]:
    """A visit in a week and a care plan, as a hospital's system would send them; both say that they are made up."""
    subject, meta = {"reference": f"Patient/{patient}"}, {"tag": [ORIGIN_TAG]}
    at = (now + timedelta(days=7)).replace(hour=9, minute=30, second=0, microsecond=0)
    visit = {
        "resourceType": "Encounter",
        "id": f"{patient}-check",
        "meta": meta,
        "status": "planned",
        "class": AMBULATORY,
        "type": [{"text": "Wound check at the clinic (synthetic)"}],
        "subject": subject,
        "period": {"start": written(at)},
    }
    plan = {
        "resourceType": "CarePlan",
        "id": f"{patient}-plan",
        "meta": meta,
        "status": "active",
        "intent": "plan",
        "title": "Walking (synthetic)",
        "description": PLAN,
        "subject": subject,
        "author": {"display": "the demo's made-up hospital"},
    }
    return [visit, plan]
