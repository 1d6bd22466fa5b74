"""kombu's virtual transport over the broker file.

Queues are drained in the order of the `queue_order` option, so an ingest backlog goes before training. Direct
exchanges only: workers run without gossip, mingle and remote control, which need fanout.

Transport options: `path` (required), `visibility_timeout` (lease, s), `queue_order`, `polling_interval` (s),
`synchronous`.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from queue import Empty
from typing import Any

from kombu.transport import virtual
from kombu.utils.json import dumps, loads

from twinweb.broker.store import Store

RENEWALS_PER_LEASE = 3


class QoS(virtual.QoS):
    """Keeps what was delivered and not acknowledged; the file keeps the messages themselves."""

    def ack(self, delivery_tag: str) -> None:
        self.channel.store.acknowledge(delivery_tag)
        super().ack(delivery_tag)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        if requeue:
            self.channel.store.release(delivery_tag)
        else:
            self.channel.store.acknowledge(delivery_tag)
        self._quick_ack(delivery_tag)

    def in_work(self) -> list[str]:
        """Tags delivered and neither acknowledged nor rejected; pool threads acknowledge meanwhile."""
        return [tag for tag in list(self._delivered) if tag not in self._dirty]

    def restore_unacked(self) -> list[tuple[BaseException, Any]]:
        """An orderly stop: give everything in work back without charging an attempt."""
        self._flush()
        for tag in list(self._delivered):
            self.channel.store.release(tag, refund=True)
        self._delivered.clear()
        return []


class Channel(virtual.Channel):
    """One consumer or publisher; the store is shared by the channels of a connection."""

    QoS = QoS
    do_restore = True

    def __init__(self, connection: Any, **kwargs: Any) -> None:
        super().__init__(connection, **kwargs)
        options = connection.client.transport_options
        self.store: Store = connection.store
        self._order = {name: place for place, name in enumerate(options.get("queue_order", ()))}
        self._unacknowledged_queues: set[str] = set()
        self._renew_at = 0.0

    def basic_consume(self, queue: str, no_ack: bool, *args: Any, **kwargs: Any) -> Any:
        if no_ack:
            self._unacknowledged_queues.add(queue)
        return super().basic_consume(queue, no_ack, *args, **kwargs)

    def basic_get(self, queue: str, no_ack: bool = False, **kwargs: Any) -> Any:
        message = super().basic_get(queue, no_ack=no_ack, **kwargs)
        if message is not None and no_ack:
            self.store.acknowledge(message.delivery_tag)
        return message

    def drain_events(self, timeout: float | None = None, callback: Callable[..., Any] | None = None) -> Any:
        self._renew_leases()
        return super().drain_events(timeout=timeout, callback=callback)

    def _poll(self, cycle: Any, callback: Callable[..., Any], timeout: float | None = None) -> None:
        """Deliver one message of the first queue that has one, in the order of priority."""
        for queue in sorted(self._active_queues, key=self._place):
            try:
                return self._get_and_deliver(queue, callback)
            except Empty:
                continue
        raise Empty

    def _place(self, queue: str) -> int:
        return self._order.get(queue, len(self._order))

    def _renew_leases(self) -> None:
        """A message in work stays leased for as long as its holder polls, so long work is not run twice."""
        now = time.monotonic()
        if now < self._renew_at:
            return
        self._renew_at = now + self.store.lease / RENEWALS_PER_LEASE
        tags = self.qos.in_work()
        if tags:
            self.store.renew(tags)

    def _put(self, queue: str, message: dict[str, Any], **kwargs: Any) -> None:
        self.store.put(queue, message["properties"]["delivery_tag"], dumps(message))

    def _get(self, queue: str, timeout: float | None = None) -> dict[str, Any]:
        taken = self.store.take(queue, keep=queue not in self._unacknowledged_queues)
        if taken is None:
            raise Empty
        message: dict[str, Any] = loads(taken.payload)
        message["properties"]["delivery_info"]["redelivered"] = taken.attempt > 1
        return message

    def _size(self, queue: str) -> int:
        return self.store.size(queue)

    def _purge(self, queue: str) -> int:
        return self.store.purge(queue)


class Transport(virtual.Transport):
    """`sqlitelite://` with the file in the `path` option."""

    Channel = Channel
    driver_type = "sql"
    driver_name = "sqlitelite"
    polling_interval = 0.1
    connection_errors = (sqlite3.OperationalError,)
    implements = virtual.Transport.implements.extend(
        asynchronous=False, exchange_type=frozenset(["direct", "topic"]), heartbeats=False
    )

    def __init__(self, client: Any, **kwargs: Any) -> None:
        super().__init__(client, **kwargs)
        options = client.transport_options
        self.store = Store(
            options["path"],
            lease=options.get("visibility_timeout", 60.0),
            synchronous=options.get("synchronous", "NORMAL"),
        )

    def driver_version(self) -> str:
        return sqlite3.sqlite_version

    def close_connection(self, connection: Any) -> None:
        super().close_connection(connection)
        self.store.close()
