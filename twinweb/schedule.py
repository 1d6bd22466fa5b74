"""What beat rings, and how often. Every job finds its own work in rows, so a missed tick costs only time."""

from datetime import timedelta
from typing import Any

from celery.beat import PersistentScheduler
from celery.schedules import crontab

from twinweb import heartbeat

SWEEP_EVERY = timedelta(seconds=15)


def _entry(task: str, schedule: timedelta | crontab, *, expires: float) -> dict[str, Any]:
    """Ticks that no worker took within `expires` seconds are dropped: the next one does the same work."""
    return {"task": task, "schedule": schedule, "options": {"expires": expires}}


SCHEDULE = {
    # Rings again for all work that is owed and unclaimed: what makes a lost message harmless.
    "sweep": _entry("recovery.sweep", SWEEP_EVERY, expires=30),
    # Backtests wait for the trainer; one whose worker was killed is taken up again.
    "backtests": _entry("recovery.backtest", timedelta(seconds=30), expires=30),
    # Subscriptions: what was asked for, retries, heartbeats. New events ring by themselves.
    "deliver-events": _entry("recovery.deliver_events", timedelta(seconds=5), expires=5),
    "thin-events": _entry("recovery.deliver_thinned", crontab(minute="35"), expires=3600),
    # Escalates what nobody has taken, and sends messages whose bell was lost or whose time has come.
    "deliver-alerts": _entry("recovery.deliver_alerts", timedelta(seconds=10), expires=20),
    "deliver-reminders": _entry("recovery.deliver_reminders", timedelta(seconds=60), expires=60),
    # Wearables that patients connected: each account is asked every half minute (or as its maker is described).
    "ask-makers": _entry("recovery.ask_makers", timedelta(seconds=10), expires=10),
    "seal-audit": _entry("recovery.seal_audit", timedelta(seconds=60), expires=60),
    "make-partitions": _entry("recovery.make_partitions", crontab(hour="2", minute="10"), expires=6 * 3600),
    "prove-twins": _entry("recovery.prove_twins", crontab(hour="3", minute="5"), expires=6 * 3600),
    # A training goes on a few steps at a time; one whose worker was killed is taken up again when its claim ran out.
    "train-models": _entry("recovery.train_models", timedelta(seconds=20), expires=20),
    "train-shadows": _entry("recovery.train_shadows", timedelta(minutes=5), expires=300),
    "train-report": _entry("recovery.train_report", crontab(hour="4", minute="20"), expires=6 * 3600),
    # Exports go on a slice at a time; what has expired is cleared away.
    "exports": _entry("recovery.export", timedelta(seconds=20), expires=20),
    "clear-exports": _entry("recovery.export_clear", crontab(minute="40"), expires=3600),
    "thin-history": _entry("recovery.thin_history", crontab(minute="25"), expires=3600),
}


class BeatingScheduler(PersistentScheduler):
    """Keeps its last run times in a file, and leaves a heartbeat at each tick so that health can see it."""

    def tick(self, *args: Any, **kwargs: Any) -> float:
        heartbeat.leave("beat")
        return float(super().tick(*args, **kwargs))
