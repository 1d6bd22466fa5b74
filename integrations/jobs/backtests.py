"""The job that runs backtests. `recovery` asks for it by name; what is owed lies in rows."""

from celery import shared_task
from django.utils import timezone

from integrations.backtest.jobs import run_owed

# A replay of a large hospital takes hours; a second delivery of the message meanwhile finds the row claimed.
LONGEST_S = 24 * 3600


@shared_task(name="recovery.backtest", time_limit=LONGEST_S)  # type: ignore[untyped-decorator]
def backtest() -> int:
    """Run every backtest that waits; returns how many were taken up."""
    return run_owed(clock=timezone.now)
