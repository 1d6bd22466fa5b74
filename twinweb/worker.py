"""What every Celery worker does besides its tasks: refuses an unsafe Redis, and leaves signs of life."""

import sys
import warnings
from typing import Any

from celery import bootsteps
from celery.platforms import SecurityWarning
from celery.signals import celeryd_init, task_postrun, worker_ready
from django.conf import settings

from twinweb import heartbeat

SWEEP = "recovery.sweep"


class Heartbeat(bootsteps.StartStopStep):
    """Leaves `<role>.heartbeat` every few seconds; the role is the worker's name before the `@`."""

    requires = {"celery.worker.components:Timer"}

    def __init__(self, worker: Any, **kwargs: Any) -> None:
        super().__init__(worker, **kwargs)
        self._entry: Any = None

    def start(self, worker: Any) -> None:
        role = worker.hostname.partition("@")[0]
        heartbeat.leave(role)
        self._entry = worker.timer.call_repeatedly(heartbeat.EVERY, heartbeat.leave, (role,))

    def stop(self, worker: Any) -> None:
        if self._entry is not None:
            self._entry.cancel()


def note_sweep(sender: Any = None, **_: Any) -> None:
    """A finished sweep shows that beat, broker and worker all live: the one sign that covers the chain."""
    if sender is not None and sender.name == SWEEP:
        heartbeat.leave("sweep")


def take_up_work(sender: Any = None, **_: Any) -> None:
    """A worker that comes up looks for owed work at once, instead of waiting for the next sweep.

    Embedded it is the only one that claims rows, so that claims left by its killed predecessor are void.
    """
    if sender is None or not sender.hostname.startswith("worker@"):
        return
    if settings.EMBEDDED and not settings.REDIS_URL:
        from recovery.queue import release_orphaned  # models are ready only now

        release_orphaned()
    sender.app.send_task(SWEEP, expires=60)


def refuse_unsafe_redis(**_: Any) -> None:
    """End the start with a sentence when Redis could lose or evict messages."""
    if not settings.REDIS_URL:
        return
    from twinweb import redis_guard  # only here: the embedded product never loads the Redis client

    errors = [finding.text for finding in redis_guard.examine(settings.REDIS_URL) if finding.fatal]
    if errors:
        sys.exit("Refusing to start: " + " ".join(errors))


def install(app: Any) -> None:
    """Add all of it to the application; called once where the application is made."""
    app.steps["worker"].add(Heartbeat)
    # Celery's page of text about root, at each start; `manage.py up` says it once, in a line.
    warnings.filterwarnings("ignore", category=SecurityWarning)
    task_postrun.connect(note_sweep, weak=False, dispatch_uid="twinweb.note_sweep")
    worker_ready.connect(take_up_work, weak=False, dispatch_uid="twinweb.take_up_work")
    celeryd_init.connect(refuse_unsafe_redis, weak=False, dispatch_uid="twinweb.refuse_unsafe_redis")
