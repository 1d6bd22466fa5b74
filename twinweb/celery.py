"""The Celery application. The database row is the truth; a message only says "look" (design section 9).

Messages are JSON with row ids. A task is acknowledged after it ran, because a worker may be killed at any time,
so every task must stand being run twice. Results are not kept: what a job found is in its rows.
"""

import os
import pkgutil
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "twinweb.settings")

from django.conf import settings
from kombu import Queue

from twinweb.broker import ALIAS, register
from twinweb.doorbell import DoorbellCelery
from twinweb.schedule import SCHEDULE
from twinweb.worker import install

QUEUES = ("ingest", "twin", "alerts", "training")  # in the order in which a worker empties them
# What is not named goes to `twin`. Housekeeping is last of the live queues, never behind hours of training.
ROUTES = {
    "recovery.sweep": "ingest",
    "recovery.deliver*": "alerts",
    "recovery.ask_makers": "alerts",
    "recovery.seal_audit": "alerts",
    "recovery.make_partitions": "alerts",
    "recovery.thin_history": "alerts",
    "recovery.export*": "alerts",
    "recovery.train*": "training",
    "recovery.backtest*": "training",
}
TASK_TIME_LIMIT = 240  # s; below the visibility timeout, or Redis hands out a long task again while it runs
VISIBILITY_TIMEOUT = 300  # s
EMBEDDED_LEASE = 60  # s; the embedded broker renews it while the worker lives, so a kill is healed within it
DOORBELL_TIMEOUT = 0.3  # s for each socket operation; a publish makes at most two before it gives up
WORKER_SOCKET_TIMEOUT = 15  # s; a worker has nobody waiting, and must notice a connection that died silently


def embedded_broker(data: Path) -> dict[str, Any]:
    """Broker settings without any server: one file in the data directory."""
    return {
        "broker_url": f"{ALIAS}://localhost",  # kombu warns without a host; nothing listens
        "broker_transport_options": {
            "path": str(data / "broker.sqlite3"),
            "visibility_timeout": EMBEDDED_LEASE,
            "queue_order": QUEUES,
            "polling_interval": 0.1,
        },
    }


def redis_broker(url: str, *, socket_timeout: float = DOORBELL_TIMEOUT) -> dict[str, Any]:
    """Broker settings for Redis.

    With kombu's defaults a killed worker's tasks stay hidden for an hour, and abandoned ones are looked for only
    every 100 s; with these they were back within the visibility timeout plus 5 s. `max_retries` 0 and the short
    socket timeouts keep a dead Redis from holding a request.
    """
    return {
        "broker_url": url,
        "broker_transport_options": {
            "visibility_timeout": VISIBILITY_TIMEOUT,
            "unacked_restore_interval": 5,
            "unacked_restore_throttle": 1,
            "queue_order_strategy": "priority",
            "socket_timeout": socket_timeout,
            "socket_connect_timeout": socket_timeout,
            "socket_keepalive": True,
            "retry_on_timeout": False,
            "max_retries": 0,
        },
    }


def job_modules() -> list[str]:
    """Every module of the job packages, so that a new file of tasks needs no list to be kept."""
    names = []
    for package in ("recovery.jobs", "integrations.jobs"):
        if find_spec(package) is None:
            continue
        names.append(package)
        paths = import_module(package).__path__
        names += [f"{package}.{module.name}" for module in pkgutil.iter_modules(paths)]
    return names


register()
if settings.REDIS_URL:
    # Loaded now, once and before gunicorn forks: it takes a third of a second, which the first request would wait.
    import_module("kombu.transport.redis")
app = DoorbellCelery("twinweb")
app.conf.update(
    redis_broker(settings.REDIS_URL) if settings.REDIS_URL else embedded_broker(settings.DATA_DIR),
    accept_content=["json"],
    task_serializer="json",
    result_serializer="json",
    task_ignore_result=True,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_time_limit=TASK_TIME_LIMIT,
    task_publish_retry=False,
    task_queues=[Queue(name, routing_key=name) for name in QUEUES],
    task_default_queue="twin",
    task_default_routing_key="twin",
    task_create_missing_queues=False,
    task_routes={name: {"queue": queue} for name, queue in ROUTES.items()},
    worker_prefetch_multiplier=1,
    worker_enable_remote_control=False,
    worker_hijack_root_logger=False,
    worker_redirect_stdouts=False,
    worker_send_task_events=False,
    worker_soft_shutdown_timeout=0,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    enable_utc=True,
    timezone="UTC",
    beat_schedule=SCHEDULE,
    beat_scheduler="twinweb.schedule:BeatingScheduler",
    beat_schedule_filename=str(settings.DATA_DIR / "beat-schedule"),
    beat_max_loop_interval=5,
)
app.autodiscover_tasks(job_modules, related_name=None)
install(app)
