"""The embedded broker: what is put is delivered, in order, once while its holder lives, and never lost."""

import os
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import kombu
import pytest

from twinweb.broker import ALIAS, file, register, store
from twinweb.broker.file import BrokerFileRefused
from twinweb.broker.store import Store

ROOT = Path(__file__).resolve().parents[3]


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def queue(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    opened = Store(tmp_path / "broker.sqlite3", lease=60, clock=clock)
    yield opened
    opened.close()


# ---- the store ------------------------------------------------------------


def test_messages_come_in_the_order_they_were_put(queue: Store) -> None:
    for number in range(20):
        queue.put("ingest", f"tag-{number}", str(number))
    taken = [queue.take("ingest") for _ in range(20)]
    assert [message.payload for message in taken if message] == [str(number) for number in range(20)]
    assert queue.take("ingest") is None


def test_a_leased_message_is_not_given_again_until_its_lease_ends(queue: Store, clock: Clock) -> None:
    queue.put("ingest", "a", "payload")
    first = queue.take("ingest")
    clock.now += 59
    assert first is not None and first.attempt == 1
    assert queue.take("ingest") is None
    clock.now += 2
    again = queue.take("ingest")
    assert again is not None and again.attempt == 2


def test_a_renewed_lease_keeps_long_work_from_running_twice(queue: Store, clock: Clock) -> None:
    queue.put("training", "a", "payload")
    queue.take("training")
    for _ in range(5):
        clock.now += 50
        queue.renew(["a"])
    assert queue.take("training") is None


def test_a_clock_put_back_hides_no_message(queue: Store, clock: Clock) -> None:
    queue.put("ingest", "in work", "x")
    queue.take("ingest")
    clock.now -= 7200
    queue.put("ingest", "fresh", "y")
    clock.now -= 7200
    payloads = {message.payload for _ in range(2) if (message := queue.take("ingest"))}
    assert payloads == {"x", "y"}


def test_an_acknowledged_message_is_gone(queue: Store, clock: Clock) -> None:
    queue.put("ingest", "a", "payload")
    queue.take("ingest")
    queue.acknowledge("a")
    clock.now += 3600
    assert queue.take("ingest") is None
    assert queue.size("ingest") == 0


def test_a_message_tried_five_times_is_buried_and_the_next_one_is_delivered(queue: Store) -> None:
    queue.put("ingest", "poison", "poison")
    queue.put("ingest", "good", "good")
    for _ in range(store.MAX_ATTEMPTS):
        taken = queue.take("ingest")
        assert taken is not None and taken.payload == "poison"
        queue.release("poison")
    after = queue.take("ingest")
    assert after is not None and after.payload == "good"
    assert queue.dead_letters() == 1


def test_an_orderly_stop_is_not_charged_as_an_attempt(queue: Store) -> None:
    queue.put("ingest", "a", "payload")
    for _ in range(store.MAX_ATTEMPTS * 2):
        taken = queue.take("ingest")
        assert taken is not None and taken.attempt == 1
        queue.release("a", refund=True)
    assert queue.dead_letters() == 0


def test_only_the_newest_dead_letters_are_kept(queue: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "DEAD_LETTERS_KEPT", 2)
    monkeypatch.setattr(store, "MAX_ATTEMPTS", 0)
    for number in range(5):
        queue.put("ingest", str(number), str(number))
        assert queue.take("ingest") is None
    assert queue.dead_letters() == 2


def test_the_depth_counts_waiting_and_in_work_and_the_oldest_age(queue: Store, clock: Clock) -> None:
    queue.put("ingest", "a", "1")
    clock.now += 30
    queue.put("ingest", "b", "2")
    queue.take("ingest")
    (depth,) = queue.depths()
    assert (depth.queue, depth.waiting, depth.in_work, depth.oldest_age) == ("ingest", 1, 1, 30.0)


def test_two_consumers_never_get_the_same_message(tmp_path: Path) -> None:
    path = tmp_path / "broker.sqlite3"
    filler = Store(path)
    for number in range(400):
        filler.put("ingest", str(number), str(number))

    def drain(_: int) -> list[str]:
        mine = Store(path)
        payloads = []
        while (taken := mine.take("ingest")) is not None:
            payloads.append(taken.payload)
        mine.close()
        return payloads

    with ThreadPoolExecutor(4) as pool:
        shares = list(pool.map(drain, range(4)))
    filler.close()
    assert sorted(int(payload) for share in shares for payload in share) == list(range(400))


# ---- the file ------------------------------------------------------------


def test_the_file_is_private_to_its_owner(queue: Store) -> None:
    queue.put("ingest", "a", "payload")
    modes = {stat.S_IMODE(path.stat().st_mode) for path in queue.path.parent.glob("broker.sqlite3*")}
    assert modes == {0o600}


def test_a_file_of_another_host_is_refused_with_advice(queue: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    queue.put("ingest", "a", "payload")
    monkeypatch.setattr(socket, "gethostname", lambda: "other-host")
    elsewhere = Store(queue.path)
    with pytest.raises(BrokerFileRefused, match=file.TAKE_OVER):
        elsewhere.size("ingest")


def test_a_file_of_a_host_that_is_gone_can_be_taken_over(queue: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    queue.put("ingest", "a", "payload")
    monkeypatch.setattr(socket, "gethostname", lambda: "new-host")
    monkeypatch.setenv(file.TAKE_OVER, "1")
    taken_over = Store(queue.path)
    assert taken_over.size("ingest") == 1
    monkeypatch.delenv(file.TAKE_OVER)
    taken_over.close()
    assert taken_over.size("ingest") == 1
    taken_over.close()


def test_a_file_of_a_newer_release_is_refused(tmp_path: Path) -> None:
    newer = sqlite3.connect(tmp_path / "broker.sqlite3")
    newer.execute(f"pragma user_version = {len(file.MIGRATIONS) + 1}")
    newer.close()
    with pytest.raises(BrokerFileRefused, match="version"):
        Store(tmp_path / "broker.sqlite3").size("ingest")


def test_eight_first_starts_at_once_all_succeed(tmp_path: Path) -> None:
    code = "import sys; from twinweb.broker.store import Store; Store(sys.argv[1]).put('q', sys.argv[2], 'x')"
    path = tmp_path / "broker.sqlite3"
    starts = [subprocess.Popen([sys.executable, "-c", code, str(path), str(number)], cwd=ROOT) for number in range(8)]
    assert [start.wait(timeout=60) for start in starts] == [0] * 8
    counted = Store(path)
    assert counted.size("q") == 8
    counted.close()


# ---- the transport ------------------------------------------------------------


def _connection(path: Path, **options: Any) -> kombu.Connection:
    register()
    transport_options = {"path": str(path / "broker.sqlite3"), "polling_interval": 0.01, **options}
    return kombu.Connection(f"{ALIAS}://", transport_options=transport_options)


def test_queues_are_drained_in_the_order_of_priority(tmp_path: Path) -> None:
    with _connection(tmp_path, queue_order=["ingest", "twin", "training"]) as connection:
        channel = connection.channel()
        queues = [kombu.Queue(name, channel=channel, routing_key=name) for name in ("training", "twin", "ingest")]
        producer = connection.Producer()
        for declared in queues:
            declared.declare()
            producer.publish({"to": declared.name}, routing_key=declared.name)
        got: list[str] = []
        with kombu.Consumer(channel, queues, callbacks=[lambda body, message: got.append(body["to"])]):
            for _ in queues:
                connection.drain_events(timeout=2)
    assert got == ["ingest", "twin", "training"]


def test_the_prefetch_limit_holds_messages_back(tmp_path: Path) -> None:
    with _connection(tmp_path) as connection:
        channel = connection.channel()
        declared = kombu.Queue("ingest", channel=channel, routing_key="ingest")
        declared.declare()
        for number in range(3):
            connection.Producer().publish({"n": number}, routing_key="ingest")
        messages: list[Any] = []
        consumer = kombu.Consumer(channel, [declared], callbacks=[lambda body, message: messages.append(message)])
        consumer.qos(prefetch_count=1)
        with consumer:
            connection.drain_events(timeout=2)
            with pytest.raises(socket.timeout):
                connection.drain_events(timeout=0.1)
            messages[0].ack()
            connection.drain_events(timeout=2)
    assert [message.payload["n"] for message in messages] == [0, 1]


def test_a_polling_consumer_renews_the_lease_of_work_that_outlasts_it(tmp_path: Path) -> None:
    with _connection(tmp_path, visibility_timeout=1.0) as connection:
        channel = connection.channel()
        declared = kombu.Queue("ingest", channel=channel, routing_key="ingest")
        declared.declare()
        connection.Producer().publish({}, routing_key="ingest")
        got: list[Any] = []
        with kombu.Consumer(channel, [declared], callbacks=[lambda body, message: got.append(message)]):
            connection.drain_events(timeout=2)
            with pytest.raises(socket.timeout):
                connection.drain_events(timeout=2.5)
            got[0].ack()
    assert len(got) == 1


def test_a_closed_connection_gives_its_messages_back_at_once(tmp_path: Path) -> None:
    with _connection(tmp_path) as first:
        declared = kombu.Queue("ingest", channel=first.channel(), routing_key="ingest")
        declared.declare()
        first.Producer().publish({"n": 1}, routing_key="ingest")
        assert declared.get() is not None
    with _connection(tmp_path) as second:
        message = kombu.Queue("ingest", channel=second.channel(), routing_key="ingest").get()
        assert message is not None and message.payload == {"n": 1}
        message.ack()


# ---- workers ------------------------------------------------------------


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LEDGER_DIR", str(tmp_path))
    sys.modules.pop("tests.integration.twinweb.ledger_app", None)
    return tmp_path


def _start_worker() -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "celery", "-A", "tests.integration.twinweb.ledger_app:app", "worker"]
    options = ["--pool", "threads", "--concurrency", "4", "--without-gossip", "--without-mingle"]
    return subprocess.Popen(
        [*command, *options, "--without-heartbeat", "--loglevel", "CRITICAL"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _counts(directory: Path) -> Counter[str]:
    path = directory / "ledger.txt"
    return Counter(path.read_text().splitlines()) if path.exists() else Counter()


def _wait_for(condition: Any, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        threading.Event().wait(0.05)


def _stop(worker: subprocess.Popen[bytes]) -> None:
    worker.send_signal(signal.SIGKILL)
    worker.wait()


def _ended(directory: Path) -> int:
    return sum(1 for line in _counts(directory) if line.startswith("end "))


@pytest.mark.faults
def test_killing_a_worker_with_200_tasks_loses_none(ledger: Path) -> None:
    from tests.integration.twinweb.ledger_app import app

    for number in range(200):
        app.send_task("work", kwargs={"number": number})
    worker = _start_worker()
    try:
        _wait_for(lambda: _ended(ledger) >= 60, 20)
        _stop(worker)
        assert _ended(ledger) < 200
        worker = _start_worker()
        _wait_for(lambda: _ended(ledger) == 200, 20)
    finally:
        _stop(worker)
    counts = _counts(ledger)
    assert all(counts[f"end {number}"] >= 1 for number in range(200))
    twice = sum(1 for number in range(200) if counts[f"end {number}"] > 1)
    assert twice <= 4, "no more than the kill's concurrency may run twice"


@pytest.mark.faults
def test_a_task_that_kills_its_worker_ends_in_the_dead_letters_and_its_neighbours_run(ledger: Path) -> None:
    from tests.integration.twinweb.ledger_app import app

    app.send_task("poison")
    deaths = 0
    worker = _start_worker()
    dead = Store(ledger / "broker.sqlite3", lease=3)
    try:
        while dead.dead_letters() == 0 and deaths <= store.MAX_ATTEMPTS:
            _wait_for(lambda: worker.poll() is not None or dead.dead_letters() == 1, 20)  # noqa: B023
            if worker.poll() is not None:
                deaths += 1
                worker = _start_worker()
        app.send_task("work", kwargs={"number": 1})
        _wait_for(lambda: _ended(ledger) == 1, 20)
    finally:
        _stop(worker)
        dead.close()
    assert _counts(ledger)["start poison"] == store.MAX_ATTEMPTS == deaths


@pytest.mark.faults
def test_sigterm_returns_unfinished_tasks_or_finishes_them(ledger: Path) -> None:
    from tests.integration.twinweb.ledger_app import app

    for number in range(8):
        app.send_task("work", kwargs={"number": number, "seconds": 1.0})
    worker = _start_worker()
    _wait_for(lambda: sum(_counts(ledger).values()) >= 1, 20)
    worker.terminate()
    assert worker.wait(timeout=20) == 0
    left = Store(ledger / "broker.sqlite3", lease=3)
    assert left.size("ledger") + _ended(ledger) == 8
    assert all(depth.in_work == 0 for depth in left.depths())
    left.close()
