"""Where Celery's autodiscovery looks."""

from recovery.jobs.tasks import make_partitions, refresh_twins, seal_audit, sweep, thin_history

__all__ = ["make_partitions", "refresh_twins", "seal_audit", "sweep", "thin_history"]
