"""Nobody has it: deadlines, the ladder of an alert as rows, and the sweep that climbs it.

The clock runs in the pathway's watch hours. A step is taken in the transaction that writes whom it told, so two workers
tell once and a crash tells nobody halfway; messages are deliveries of their own (services.delivering).
"""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import Max

from recovery.models import Alert, AlertTransition, EscalationStep, LiveEvent, User
from recovery.pathway_plan import ESCALATE_TO, Plan, Step
from recovery.selectors.pathways import pathway_of
from recovery.services import rosters, telling
from recovery.watch import after_minutes

WAITING, TOLD, OFF = EscalationStep.Status.WAITING, EscalationStep.Status.TOLD, EscalationStep.Status.OFF
# Minutes of watch hours until somebody should have it. High: the ladder's first step (ux.md section 3: 15 min); half a
# morning and a day for the others [G: this project's choice, 4 h and 10 h].
ANSWER_WITHIN = {"medium": 240, "low": 600}
HIGH_WITHOUT_LADDER = 15
STEPS_A_SWEEP = 200


def deadline(alert: Alert, now: datetime) -> datetime:
    """By when somebody should have the alert that opens `now`."""
    plan = _plan(alert)
    first = plan.escalation[0].after_minutes if plan.escalation else HIGH_WITHOUT_LADDER
    minutes = first if alert.severity == "high" else ANSWER_WITHIN.get(alert.severity, ANSWER_WITHIN["low"])
    return after_minutes(now, minutes, plan.watch_hours, _zone())


def ladder_of(severity: str, plan: Plan) -> Sequence[Step]:
    """High: the pathway's ladder. Medium: its first step, at the deadline. Low: none, it waits on the list."""
    if severity == "high":
        return plan.escalation
    if severity == "medium" and plan.escalation:
        return (Step(ANSWER_WITHIN["medium"], plan.escalation[0].to),)
    return ()


def follow(alert: Alert, before: str, step: AlertTransition | None, now: datetime) -> None:
    """Start the ladder of an alert that has opened; stop that of one that somebody has, or that waits or is closed."""
    if alert.status == Alert.Status.OPEN and before != Alert.Status.OPEN:
        start(alert, now)
    elif alert.status != Alert.Status.OPEN:
        stop(alert, step, now)


def start(alert: Alert, now: datetime) -> None:
    """Rows for each step of the ladder, due counted from `now`."""
    plan = _plan(alert)
    ladder = ladder_of(alert.severity, plan)
    number = (alert.escalations.aggregate(last=Max("round"))["last"] or 0) + 1
    EscalationStep.objects.bulk_create(
        EscalationStep(
            alert=alert,
            round=number,
            number=place,
            to=one.to,
            due_at=after_minutes(now, one.after_minutes, plan.watch_hours, _zone()),
        )
        for place, one in enumerate(ladder, start=1)
    )


def restart(alert: Alert, now: datetime) -> None:
    """A graver alert climbs the ladder of what it is now."""
    stop(alert, None, now)
    start(alert, now)


def stop(alert: Alert, step: AlertTransition | None, now: datetime) -> None:
    alert.escalations.filter(status=WAITING).update(status=OFF, done_at=now, ended_by=step)


def resume(alert: Alert, undone: AlertTransition, now: datetime) -> None:
    """Undo: the steps which `undone` made needless wait again, at the times they had."""
    if alert.status == Alert.Status.OPEN:
        alert.escalations.filter(status=OFF, ended_by=undone).update(status=WAITING, done_at=None, ended_by=None)
    else:
        stop(alert, None, now)


def next_step(alert: Alert, now: datetime) -> EscalationStep:
    """The first step that waits; one more, a level higher than the last, where none does."""
    waiting = alert.escalations.filter(status=WAITING).order_by("due_at", "pk").first()
    if waiting is not None:
        return waiting
    last = alert.escalations.order_by("-round", "-number").first()
    higher = list(ESCALATE_TO)
    place = higher.index(last.to) + 1 if last and last.status == TOLD else 1
    return EscalationStep(
        alert=alert,
        round=last.round if last else 1,
        number=last.number + 1 if last else 1,
        to=higher[min(place, len(higher) - 1)],
        due_at=now,
    )


def take(step: EscalationStep, alert: Alert, now: datetime) -> str:
    """Tell the people of one step, and say in its row and in the answer who they are. The alert is locked."""
    people, words = rosters.people_for(alert.episode.team, step.to, now)
    step.status, step.done_at, step.told = TOLD, now, words[:300]
    step.save()
    telling.tell(alert, "escalated", people, now, urgent=True)
    telling.call_hooks(alert, "escalated", now)
    return words


def due_steps(now: datetime, limit: int = STEPS_A_SWEEP) -> list[int]:
    """Ids of steps whose time has come, oldest first."""
    found = EscalationStep.objects.filter(status=WAITING, due_at__lte=now).order_by("due_at", "pk")
    return list(found.values_list("pk", flat=True)[:limit])


def escalate_due(*, now: datetime) -> int:
    """Climb every ladder whose next step is due; returns how many steps were taken."""
    return sum(_take_one(pk, now) for pk in due_steps(now))


def _take_one(pk: int, now: datetime) -> bool:
    """Exactly one worker wins the conditional UPDATE; whatever was done in between makes the step needless."""
    with transaction.atomic():
        step = EscalationStep.objects.filter(pk=pk, status=WAITING).first()
        if step is None:
            return False
        locked = Alert.objects.select_for_update(of=("self",)).select_related("episode__team", "episode__pathway")
        alert = locked.get(pk=step.alert_id)
        if not EscalationStep.objects.filter(pk=pk, status=WAITING).update(status=TOLD, done_at=now):
            return False
        if alert.status != Alert.Status.OPEN:
            EscalationStep.objects.filter(pk=pk).update(status=OFF)
            return False
        words = take(step, alert, now)
        AlertTransition.objects.create(
            alert=alert,
            at=now,
            action="escalate",
            from_status=alert.status,
            to_status=alert.status,
            actor_name="twinweb",
            reason=f"Nobody had it by its deadline. {words}"[:300],
        )
        LiveEvent.objects.create(at=now, kind="alert", episode_id=alert.episode_id, team_id=alert.episode.team_id)
    return True


def people_first_told(alert: Alert, now: datetime) -> list[User]:
    """Who hears of a new alert: the first on call; without one, the whole team."""
    return rosters.people_for(alert.episode.team, "on_call_first", now)[0]


def _plan(alert: Alert) -> Plan:
    return pathway_of(alert.episode).plan


def _zone() -> ZoneInfo:
    return ZoneInfo(settings.HOSPITAL_TIME_ZONE)
