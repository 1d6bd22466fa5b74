"""Backtests as jobs: asking for one, taking it up, telling how far it is, ending it, and clearing it away.

The row is the truth and the broker a doorbell, as for all work (`recovery.queue`); the job is known here by its task
name alone. One that was asked for is run by whoever comes first; a worker that is killed leaves a row that is open
again when its claim runs out, and one that was begun `MOST_ATTEMPTS` times in vain has failed.
"""

import logging
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO, Protocol
from uuid import UUID

from celery import current_app
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet

from recovery import audit
from recovery.audit import Actor
from recovery.backtest_files import UPLOAD_NAME, export_folder, files_of
from recovery.exceptions import Conflict, Invalid, NotFound
from recovery.models import Backtest, User
from recovery.permissions import check_user_can_administer

logger = logging.getLogger(__name__)

TASK, QUEUE = "recovery.backtest", "training"
CLAIM_FOR = timedelta(seconds=60)
"""Renewed every few seconds while the run lives, so that a kill is noticed within a minute."""
MOST_ATTEMPTS = 2
MOST_WAITING = 5
MOST_FILES = 200
OPEN = (Backtest.Status.QUEUED, Backtest.Status.RUNNING)


class Upload(Protocol):
    """What a form hands over: a name and its content in pieces."""

    name: str | None

    def chunks(self) -> Iterable[bytes]: ...


@dataclass(frozen=True, slots=True)
class Order:
    """A run taken up: `attempt` tells it from an earlier taking of the same row."""

    key: UUID
    cohort: Path
    out: Path
    folds: int
    attempt: int


def ask_for_folder(*, folder: str, folds: int, user: User, actor: Actor, now: datetime) -> Backtest:
    """Ask for a replay of an export below the allowed root. Raises Invalid for any other place."""
    check_user_can_administer(user)
    found = export_folder(folder)
    if found is None:
        said = f"{folder!r} is no export below the allowed folder." if folder else "Choose a folder or files."
        raise Invalid(said, field="folder")
    return _ask(found.name, folder, folds, user, actor, now)


def ask_for_files(*, files: Iterable[Upload], folds: int, user: User, actor: Actor, now: datetime) -> Backtest:
    """Ask for a replay of uploaded NDJSON files or zip archives of them. Raises Invalid naming one that is neither."""
    check_user_can_administer(user)
    given = list(files)
    if not given or len(given) > MOST_FILES:
        raise Invalid(f"Choose between 1 and {MOST_FILES} files.", field="files")
    for one in given:
        if not UPLOAD_NAME.fullmatch(one.name or ""):
            raise Invalid(
                f"{one.name}: give NDJSON files (Patient.ndjson, .ndjson.gz) or a .zip of them.", field="files"
            )
    label = str(given[0].name) if len(given) == 1 else f"{len(given)} uploaded files"
    with transaction.atomic():
        run = _ask(label, "", folds, user, actor, now)
        try:
            _keep(given, files_of(run.key).uploaded)
        except OSError as error:
            shutil.rmtree(files_of(run.key).root, ignore_errors=True)
            raise Conflict(f"The files could not be kept: {error.strerror}.") from error
    return run


def _keep(given: Iterable[Upload], folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True)
    for one in given:
        with (folder / str(one.name)).open("xb") as file:
            _copy(one, file)


def _copy(upload: Upload, file: BinaryIO) -> None:
    for chunk in upload.chunks():
        file.write(chunk)


def _ask(label: str, folder: str, folds: int, user: User, actor: Actor, now: datetime) -> Backtest:
    if Backtest.objects.filter(status=Backtest.Status.QUEUED).count() >= MOST_WAITING:
        raise Conflict(f"{MOST_WAITING} backtests are waiting already; wait for one or cancel one.")
    if folds not in (0, *range(2, 11)):
        raise Invalid("Give 2 to 10 folds, or none.", field="folds")
    with transaction.atomic():
        run = Backtest.objects.create(
            label=label[:120],
            folder=folder,
            folds=folds,
            asked_by=user,
            asked_name=user.get_full_name() or user.get_username(),
            created_at=now,
            words="Waiting for a worker.",
        )
        _note("backtest_asked", run, actor, now)
        transaction.on_commit(ring)
    return run


def ring() -> None:
    """Wake a worker. A bell that cannot be rung is no error: beat rings again."""
    try:
        current_app.send_task(TASK, queue=QUEUE, retry=False, expires=60)
    except Exception as error:
        logger.warning("doorbell not rung, beat will ring again: %s", type(error).__name__)


def take_up(*, now: datetime) -> Order | None:
    """Claim the oldest run that is open; exactly one worker wins it. None when there is none."""
    _give_up(now)
    for run in _open(now).order_by("created_at", "pk")[:MOST_WAITING]:
        mine = _open(now).filter(pk=run.pk, attempts=run.attempts)
        won = mine.update(
            status=Backtest.Status.RUNNING,
            attempts=F("attempts") + 1,
            claimed_until=now + CLAIM_FOR,
            started_at=now,
            progress=0,
            words="Starting." if run.attempts == 0 else "Its worker was killed; starting again.",
        )
        if won:
            run.attempts += 1
            return _order(run)
    return None


def _order(run: Backtest) -> Order:
    files = files_of(run.key)
    cohort = (export_folder(run.folder) or files.root / "gone") if run.folder else files.uploaded
    return Order(run.key, cohort, files.results, run.folds, run.attempts)


def _open(now: datetime) -> QuerySet[Backtest]:
    """Waiting, or running without anybody who still says so."""
    lapsed = Q(status=Backtest.Status.RUNNING, claimed_until__lte=now)
    return Backtest.objects.filter(Q(status=Backtest.Status.QUEUED) | lapsed, cancel_asked=False)


def _give_up(now: datetime) -> None:
    """Runs whose worker was killed: cancelled ones end, and so do those that were begun too often."""
    words = f"The worker was killed {MOST_ATTEMPTS} times (out of memory?). Ask again when there is more room."
    lapsed = Backtest.objects.filter(status=Backtest.Status.RUNNING, claimed_until__lte=now)
    for run in lapsed.filter(Q(cancel_asked=True) | Q(attempts__gte=MOST_ATTEMPTS)):
        order = _order(run)
        if not (run.cancel_asked and cancelled(order=order, now=now)):
            fail(order=order, why=words, now=now)


def still_at_it(*, order: Order, progress: int, words: str, now: datetime) -> bool:
    """Renew the claim and tell how far it is. False: stop, it was cancelled, deleted, or is another worker's now."""
    mine = _mine(order).filter(cancel_asked=False)
    return 1 == mine.update(claimed_until=now + CLAIM_FOR, progress=min(progress, 100), words=words[:500])


def finish(*, order: Order, figures: Mapping[str, Any], now: datetime) -> bool:
    """The result lies in its folder. False when it is no longer ours to say so."""
    return _end(order, Backtest.Status.DONE, "Done.", now, figures=dict(figures), progress=100)


def fail(*, order: Order, why: str, now: datetime) -> bool:
    return _end(order, Backtest.Status.FAILED, why, now)


def cancelled(*, order: Order, now: datetime) -> bool:
    """The run has stopped because that was asked for."""
    return bool(_mine(order).filter(cancel_asked=True).update(**_ended(Backtest.Status.CANCELLED, "Cancelled.", now)))


def _end(order: Order, status: Backtest.Status, words: str, now: datetime, **also: Any) -> bool:
    with transaction.atomic():
        won = _mine(order).update(**_ended(status, words, now), **also)
        if won:
            run = Backtest.objects.get(key=order.key)
            _note(f"backtest_{status}", run, Actor.system("backtest"), now)
    return bool(won)


def _ended(status: Backtest.Status, words: str, now: datetime) -> dict[str, Any]:
    return {"status": status, "words": words[:500], "ended_at": now, "claimed_until": None}


def _mine(order: Order) -> QuerySet[Backtest]:
    return Backtest.objects.filter(key=order.key, status=Backtest.Status.RUNNING, attempts=order.attempt)


def cancel(*, key: UUID, user: User, actor: Actor, now: datetime) -> None:
    """Stop a run. One that waits ends at once, one that runs when its worker next looks. Raises Conflict when ended."""
    check_user_can_administer(user)
    with transaction.atomic():
        run = _locked(key)
        if run.status not in OPEN:
            raise Conflict("This backtest has ended already.")
        if run.status == Backtest.Status.QUEUED:
            Backtest.objects.filter(pk=run.pk).update(**_ended(Backtest.Status.CANCELLED, "Cancelled.", now))
        else:
            Backtest.objects.filter(pk=run.pk).update(cancel_asked=True, words="Stopping.")
        _note("backtest_cancelled", run, actor, now)


def delete(*, key: UUID, user: User, actor: Actor, now: datetime) -> None:
    """Remove an ended run with its uploaded files and its result. Raises Conflict while it waits or runs."""
    check_user_can_administer(user)
    with transaction.atomic():
        run = _locked(key)
        if run.status in OPEN:
            raise Conflict("Cancel this backtest before deleting it.")
        _note("backtest_deleted", run, actor, now)
        run.delete()
        transaction.on_commit(lambda: shutil.rmtree(files_of(key).root, ignore_errors=True))


def _locked(key: UUID) -> Backtest:
    run = Backtest.objects.select_for_update().filter(key=key).first()
    if run is None:
        raise NotFound("There is no such backtest.")
    return run


def _note(action: str, run: Backtest, actor: Actor, now: datetime) -> None:
    detail = {"label": run.label, "folder": run.folder, "folds": run.folds}
    audit.record(actor=actor, now=now, action=action, entity=f"Backtest/{run.key}", detail=detail)


def upload_limit() -> int:
    """Bytes that one request may bring."""
    return int(settings.MAX_BACKTEST_UPLOAD)
