"""Training as a job: a row says what was asked, how far it is and what came of it; any worker goes on from there.

One worker at a time holds a run by a claim that runs out; every step ends in one commit of what it made, so a killed
worker costs one step. Steps are short and the queue is the last that a worker empties: serving never waits for them.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import IntegrityError, OperationalError, transaction
from django.db.models import F, Q

from recovery import audit
from recovery.audit import Actor
from recovery.exceptions import Conflict, Invalid, NotFound
from recovery.models import ModelVersion, Team, TrainingPart, TrainingRun, User
from recovery.permissions import check_user_can_steward_models
from recovery.services.served_models import KINDS, POPULATION

if TYPE_CHECKING:
    from recovery.services.training_steps import Step

logger = logging.getLogger(__name__)

OPEN = ("queued", "running")
CLAIM_FOR = timedelta(seconds=300)
"""Above the longest task (time limit 240 s)."""
WORK_FOR = timedelta(seconds=20)
"""A task gives way after this long, so that an embedded worker is never held up for long."""
MOST_ATTEMPTS = 5
"""A step that failed or killed its worker this often is given up."""
LONGEST_WINDOW = timedelta(days=3660)

Clock = Callable[[], datetime]


class Refused(Exception):
    """There is not enough to learn from; the words say what is missing."""


def ask(
    *,
    kind: str,
    since: datetime,
    until: datetime,
    user: User,
    actor: Actor,
    now: datetime,
    cut_at: datetime | None = None,
    held_out: int | None = None,
    under: int | None = None,
    seed: int = 7,
) -> TrainingRun:
    """Ask for a training on operations that ended in since..until. `under`: the version of the expected courses to
    learn under, by default those in service. Raises Conflict while one of that kind is open."""
    check_user_can_steward_models(user)
    _check_window(kind, since, until, cut_at, now)
    team = None
    if held_out is not None:
        team = Team.objects.filter(pk=held_out).first()
        if team is None:
            raise Invalid("There is no such site to hold back.", field="held_out")
    courses = _courses(kind, under)
    try:
        with transaction.atomic():
            run = TrainingRun.objects.create(
                kind=kind,
                since=since,
                until=until,
                cut_at=cut_at,
                held_out=team,
                under=courses,
                seed=seed,
                words="Waiting for a worker.",
                asked_by=user,
                asked_name=user.get_username(),
                created_at=now,
                changed_at=now,
            )
            audit.record(
                actor=actor, now=now, action="training_asked", entity=f"TrainingRun/{run.pk}", detail={"kind": kind}
            )
    except IntegrityError as problem:
        raise Conflict("A training of this kind is under way; wait for it or cancel it.") from problem
    return run


def _courses(kind: str, under: int | None) -> ModelVersion | None:
    """What is learned under; None: the courses shipped with the product, or nothing (courses start from those)."""
    if kind == POPULATION:
        if under is not None:
            raise Invalid("Expected courses are learned under no others; leave that blank.", field="under")
        return None
    rows = ModelVersion.objects.filter(kind=POPULATION)
    found = rows.filter(status="active").first() if under is None else rows.filter(pk=under).first()
    if under is not None and found is None:
        raise Invalid("There are no such expected courses to learn under.", field="under")
    return found


def _check_window(kind: str, since: datetime, until: datetime, cut_at: datetime | None, now: datetime) -> None:
    if kind not in KINDS:
        raise Invalid("Choose the expected course, the risk model or the named causes.", field="kind")
    if not since < until <= now:
        raise Invalid("The window must begin before it ends, and end by now.", field="until")
    if until - since > LONGEST_WINDOW:
        raise Invalid("The window may be ten years long at most.", field="since")
    if cut_at is not None and not since < cut_at < until:
        raise Invalid("The cut must lie inside the window.", field="cut_at")


def cancel(*, run_id: int, user: User, actor: Actor, now: datetime) -> TrainingRun:
    """Ask a run to stop; its worker stops after the step in work, a run that nobody holds stops at once."""
    check_user_can_steward_models(user)
    with transaction.atomic():
        run = TrainingRun.objects.select_for_update(of=("self",)).filter(pk=run_id).first()
        if run is None:
            raise NotFound("There is no such training.")
        if run.status not in OPEN:
            raise Conflict("This training has ended already.")
        run.cancel_asked = True
        run.save(update_fields=["cancel_asked"])
        if run.claimed_until is None or run.claimed_until <= now:
            _end(run, "cancelled", f"Cancelled by {user.get_username()}.", now)
        audit.record(actor=actor, now=now, action="training_cancelled", entity=f"TrainingRun/{run.pk}")
    return run


def train_owed(*, clock: Clock) -> int:
    """Work on the oldest open run for a while; returns how many steps were made."""
    stop_at, made = clock() + WORK_FOR, 0
    run = _claim(clock())
    if run is None:
        return 0
    while run.status in OPEN:
        _step(run, clock())
        made += 1
        if clock() >= stop_at:
            break
    _let_go(run)
    return made


def has_open() -> bool:
    return TrainingRun.objects.filter(status__in=OPEN).exists()


def _claim(now: datetime) -> TrainingRun | None:
    """Take the oldest run that nobody holds, by a conditional UPDATE: exactly one worker wins it."""
    free = Q(claimed_until__isnull=True) | Q(claimed_until__lte=now)
    for run in TrainingRun.objects.filter(free, status__in=OPEN).order_by("created_at", "pk"):
        mine = TrainingRun.objects.filter(free, pk=run.pk, status__in=OPEN).update(
            claimed_until=now + CLAIM_FOR, attempts=F("attempts") + 1, status="running"
        )
        if mine == 1:
            run.refresh_from_db()
            return run
    return None


def _let_go(run: TrainingRun) -> None:
    TrainingRun.objects.filter(pk=run.pk, claimed_until=run.claimed_until).update(claimed_until=None)


def _step(run: TrainingRun, now: datetime) -> None:
    """One step and its commit. What it raises ends the run with words, or is tried again by the next task."""
    from recovery.services import training_steps  # scikit-learn and all: never loaded by a web process

    if TrainingRun.objects.filter(pk=run.pk, cancel_asked=True).exists():
        _end(run, "cancelled", "Cancelled.", now)
        return
    if run.attempts > MOST_ATTEMPTS:
        _end(run, "failed", f"Given up after {MOST_ATTEMPTS} attempts at: {run.words}"[:300], now)
        return
    try:
        done = training_steps.advance(run)
    except OperationalError:
        raise  # the database was away or busy: the claim runs out, and the step is made again
    except Refused as refused:
        _end(run, "refused", str(refused)[:300], now)
        return
    except Exception as error:
        logger.exception("a step of training %d failed", run.pk)
        failed = f"A step failed ({type(error).__name__}) after: {run.words}"
        _end(run, "failed", failed[:300], now)
        return
    _keep(run, done, now)


def _keep(run: TrainingRun, done: "Step", now: datetime) -> None:
    """Store a step, unless the claim ran out meanwhile and somebody else has the run."""
    with transaction.atomic():
        changes = {
            "state": done.state,
            "progress": done.progress,
            "words": done.words[:300],
            "changed_at": now,
            "attempts": 0,
            "claimed_until": now + CLAIM_FOR,
        }
        mine = TrainingRun.objects.filter(pk=run.pk, claimed_until=run.claimed_until).update(**changes)
        if mine != 1:
            run.status = "lost"
            return
        if done.part is not None:
            TrainingPart.objects.update_or_create(run=run, number=done.part[0], defaults={"content": done.part[1]})
        for name, value in changes.items():
            setattr(run, name, value)
        if done.made is not None:
            done.made.created_at = now
            done.made.save()
            run.version, run.figures = done.made, done.made.evaluation
            run.save(update_fields=["version", "figures"])
            _end(run, "done", done.words, now)
            system = Actor.system("training")
            entity = f"ModelVersion/{done.made.pk}"
            audit.record(actor=system, now=now, action="model_trained", entity=entity, detail={"run": run.pk})


def _end(run: TrainingRun, status: str, words: str, now: datetime) -> None:
    run.status, run.words, run.changed_at, run.claimed_until, run.state = status, words, now, None, {}
    run.progress = 100 if status == "done" else run.progress
    run.save(update_fields=["status", "words", "changed_at", "claimed_until", "state", "progress"])
    run.parts.all().delete()
