"""Delivering: what happened is matched, subscriptions are taken into service, events are sent, one at a time to each.

Receivers are called side by side, so that a slow one keeps nobody waiting but itself; what is written down is written
by the one thread that holds the leases.
"""

import logging
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.conf import settings

from integrations.fhir import shelves
from integrations.fhir.routes import ROUTES
from integrations.subscriptions import notifications
from integrations.subscriptions.matching import judge_at, version_of
from integrations.subscriptions.notifications import Event, Message
from integrations.subscriptions.rights import reach_of, reason_to_refuse
from recovery import egress, queue
from recovery.exceptions import Conflict, Invalid, RecoveryError
from recovery.selectors.deliveries import Told
from recovery.services import deliveries, outbox, subscriptions
from recovery.services.deliveries import Lease

logger = logging.getLogger(__name__)

RECEIVERS_AT_ONCE, READ_AHEAD = 8, 50
WORK_FOR = timedelta(seconds=10)
# A receiver that does not answer the handshake: 5 tries are a little over two minutes.
HANDSHAKE_TRIES = 5
GONE = "What it is about is not held here any more, or may not be read any more."

Clock = Callable[[], datetime]
# Sends one message; raises RecoveryError with the cause when it did not arrive.
Send = Callable[[Message], None]


def post(message: Message) -> None:
    """Raises CallFailed or Invalid with a cause that names neither address nor secret."""
    destination = egress.check_url_may_be_called(message.url, allow_loopback=settings.SUBSCRIPTION_ALLOW_LOOPBACK)
    timeout = message.timeout_s or egress.TIMEOUT_S
    answer = egress.call(destination, body=message.body, headers=_with_length(message), timeout=timeout)
    if not 200 <= answer.status < 300:
        raise egress.CallFailed(f"The receiver answered {answer.status}.")


def _with_length(message: Message) -> Mapping[str, str]:
    """A POST without a body says so (RFC 9110, 8.6)."""
    return message.headers if message.body else {**message.headers, "Content-Length": "0"}


def deliver_owed(*, clock: Clock, send: Send = post, chance: random.Random | None = None) -> int:
    """Everything that is due now, for WORK_FOR at most; returns how many messages arrived."""
    stop_at = clock() + WORK_FOR
    subscriptions.end_those_due(now=clock())
    while deliveries.match_changes(judge=judge_at(clock())) == deliveries.MATCHED_AT_ONCE:
        if clock() >= stop_at - WORK_FOR / 2:  # the rest of the time is for sending
            break
    round_ = _Round(clock, send, chance or random.Random())
    arrived, is_more = 0, True
    with _pool() as pool:
        while is_more and clock() < stop_at:
            leases = deliveries.lease(limit=RECEIVERS_AT_ONCE, now=clock())
            is_more = bool(leases)
            arrived += round_.serve(leases, stop_at, pool)
    if is_more:
        queue.ring(outbox.KIND)
    return arrived


@contextmanager
def _pool() -> Iterator[ThreadPoolExecutor]:
    pool = ThreadPoolExecutor(RECEIVERS_AT_ONCE, thread_name_prefix="receiver")
    try:
        yield pool
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


class _Round:
    """One passage over leased subscriptions: each is sent its next message until it has none, fails, or time is up."""

    def __init__(self, clock: Clock, send: Send, chance: random.Random) -> None:
        self._clock, self._send, self._chance = clock, send, chance
        # What was read ahead of the events that wait, by subscription; nobody else sends them while the lease runs.
        self._ahead: dict[int, list[Told]] = {}

    def serve(self, leases: Sequence[Lease], stop_at: datetime, pool: ThreadPoolExecutor) -> int:
        arrived, busy = 0, list(leases)
        self._ahead.clear()
        while busy:
            tries = [(lease, message) for lease in busy if (message := self._guarded_next(lease)) is not None]
            waiting = [(lease, message, pool.submit(self._send, message)) for lease, message in tries]
            done = [lease for lease, message, future in waiting if self._note(lease, message, future)]
            arrived += len(done)
            # What has had its one message (a handshake) is looked at anew by the next lease.
            again = [lease for lease in done if lease.receiver.status == "active" and self._clock() < stop_at]
            for lease in busy:
                if lease not in again:
                    deliveries.release(lease)
            busy = again
        return arrived

    def _guarded_next(self, lease: Lease) -> Message | None:
        """A subscription that cannot be prepared fails by itself."""
        try:
            return self._next(lease)
        except Exception as error:
            logger.exception("a notification could not be prepared")
            self._fail(lease, (), f"It could not be prepared ({type(error).__name__}).")
            return None

    def _next(self, lease: Lease) -> Message | None:
        receiver, now = lease.receiver, self._clock()
        if not deliveries.is_current(lease):
            return None
        refusal = reason_to_refuse(receiver, reach_of(receiver, now))
        if refusal:
            subscriptions.stop_with_error(fhir_id=receiver.fhir_id, error=refusal, now=now)
            return None
        try:
            headers = subscriptions.headers_of(receiver.headers)
        except Conflict as error:
            subscriptions.stop_with_error(fhir_id=receiver.fhir_id, error=f"Its headers: {error.message}", now=now)
            return None
        if receiver.status == "requested":
            return self._first(lease, headers)
        events = self._events(lease)
        if not events:
            return self._heartbeat(lease, headers)
        if receiver.topic:
            return notifications.of_topic(receiver, "event-notification", events, headers, now)
        return notifications.of_event(receiver, events[0], headers)

    def _first(self, lease: Lease, headers: Mapping[str, str]) -> Message | None:
        """The handshake of a topic; by criteria there is none, only the question whether it may be called at all."""
        receiver, now = lease.receiver, self._clock()
        try:
            egress.check_url_may_be_called(receiver.endpoint, allow_loopback=settings.SUBSCRIPTION_ALLOW_LOOPBACK)
        except Invalid as error:
            subscriptions.stop_with_error(fhir_id=receiver.fhir_id, error=error.message, now=now)
            return None
        if receiver.topic:
            return notifications.of_topic(receiver, "handshake", (), headers, now)
        subscriptions.activate(fhir_id=receiver.fhir_id, seen=receiver.changed_at, now=now)
        queue.ring(outbox.KIND)
        return None

    def _heartbeat(self, lease: Lease, headers: Mapping[str, str]) -> Message | None:
        receiver, now = lease.receiver, self._clock()
        if not (receiver.topic and deliveries.is_quiet(lease, now)):
            return None
        return notifications.of_topic(receiver, "heartbeat", (), headers, now)

    def _events(self, lease: Lease) -> list[Event]:
        """The next events with what they are about; those of which nothing is left are given up one by one."""
        receiver, found = lease.receiver, list[Event]()
        reach = reach_of(receiver, self._clock())
        for told in self._told(lease):
            entry = version_of(told.type, told.fhir_id, told.version)
            if entry is None or not shelves.is_open(ROUTES[told.type], entry, reach, "read"):
                deliveries.given_up(lease, told.number, cause=GONE, now=self._clock())
                continue
            found.append(Event(told, entry))
        return found

    def _told(self, lease: Lease) -> list[Told]:
        most = lease.receiver.most_events
        ahead = self._ahead.get(lease.receiver.row_id) or deliveries.waiting_for(lease, max(READ_AHEAD, most))
        self._ahead[lease.receiver.row_id] = ahead[most:]
        return ahead[:most]

    # ---- what became of it ---

    def _note(self, lease: Lease, message: Message, future: "Future[None]") -> bool:
        """Whether it arrived, and was written down under the lease that it was sent under."""
        try:
            future.result()
        except RecoveryError as error:
            self._fail(lease, message.numbers, error.message)
            return False
        except Exception as error:
            logger.exception("a notification could not be sent")
            self._fail(lease, message.numbers, f"It could not be sent ({type(error).__name__}).")
            return False
        receiver, now = lease.receiver, self._clock()
        if not deliveries.arrived(lease, message.numbers, now=now):
            return False
        if receiver.status == "requested":
            subscriptions.activate(fhir_id=receiver.fhir_id, seen=receiver.changed_at, now=now)
        return True

    def _fail(self, lease: Lease, numbers: tuple[int, ...], cause: str) -> None:
        most = HANDSHAKE_TRIES if lease.receiver.status == "requested" else deliveries.MOST_TRIES
        deliveries.failed(lease, numbers, cause=cause, now=self._clock(), chance=self._chance, most_tries=most)
