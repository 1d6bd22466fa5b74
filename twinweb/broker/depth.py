"""How full the broker is, embedded or Redis, for health and metrics."""

from dataclasses import dataclass

from django.conf import settings

from twinweb.broker.store import QueueDepth, Store


@dataclass(frozen=True)
class BrokerState:
    """The queues that hold messages, and how many messages were given up (0 on Redis, which never does)."""

    queues: list[QueueDepth]
    dead_letters: int


def broker_state() -> BrokerState:
    """Ask the broker; raises what the broker's client raises when it is away."""
    return _redis_state() if settings.REDIS_URL else _file_state()


def _file_state() -> BrokerState:
    store = Store(settings.DATA_DIR / "broker.sqlite3")
    try:
        return BrokerState(store.depths(), store.dead_letters())
    finally:
        store.close()


def _redis_state() -> BrokerState:
    """Redis keeps waiting messages in one list a queue and all that are in work in one hash; it knows no ages."""
    from twinweb.celery import QUEUES
    from twinweb.heartbeat import redis_client

    with redis_client() as client:
        depths = [QueueDepth(name, int(client.llen(name)), 0, 0.0) for name in QUEUES]
        in_work = int(client.hlen("unacked"))
    return BrokerState([*depths, QueueDepth("(any)", 0, in_work, 0.0)], 0)
