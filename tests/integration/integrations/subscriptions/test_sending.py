"""A message over the wire: what arrives, and answers that are none."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from integrations.subscriptions.delivery import post
from integrations.subscriptions.notifications import Message
from recovery.egress import CallFailed
from recovery.exceptions import Invalid

FINE = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


@contextmanager
def receiver(answer: Callable[[socket.socket], None]) -> Iterator[tuple[str, list[bytes]]]:
    """A server for one call; yields its address and what it was sent."""
    server, heard = socket.create_server(("127.0.0.1", 0)), list[bytes]()

    def serve() -> None:
        line, _ = server.accept()
        with line:
            heard.append(_whole(line))
            answer(line)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/hook?x=1", heard
    finally:
        thread.join(5)
        server.close()


def _whole(line: socket.socket) -> bytes:
    """A request with its body, which may come in pieces."""
    said = b""
    while b"\r\n\r\n" not in said:
        said += line.recv(65_536)
    head, _, body = said.partition(b"\r\n\r\n")
    length = next(int(one.split(b":")[1]) for one in head.split(b"\r\n") if one.lower().startswith(b"content-length"))
    while len(body) < length:
        body += line.recv(65_536)
    return head + b"\r\n\r\n" + body


def message(url: str, body: bytes = b"{}") -> Message:
    return Message(url, {"X-Key": "abc", "Content-Type": "application/fhir+json"}, body, (1,), 0.3)


def test_a_message_arrives_with_its_headers_and_body() -> None:
    with receiver(lambda line: line.sendall(FINE)) as (url, heard):
        post(message(url, b'{"resourceType":"Patient"}'))
    head, _, body = heard[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /hook?x=1 HTTP/1.1") and b"X-Key: abc" in head
    assert body == b'{"resourceType":"Patient"}'


def test_a_call_without_a_body_says_so() -> None:
    with receiver(lambda line: line.sendall(FINE)) as (url, heard):
        post(message(url, b""))
    assert b"Content-Length: 0" in heard[0] and heard[0].endswith(b"\r\n\r\n")


def _drip(line: socket.socket) -> None:
    """Each byte in time, the answer never."""
    line.sendall(b"HTTP/1.1 200 OK\r\n")
    pause = threading.Event()
    try:
        for _ in range(1_000):
            line.sendall(b"x")
            pause.wait(0.1)
    except OSError:
        return


@pytest.mark.parametrize(
    "answer",
    [
        lambda line: line.sendall(FINE.replace(b"200 OK", b"503 Busy")),
        lambda line: line.sendall(FINE.replace(b"200 OK", b"302 Found\r\nLocation: http://127.0.0.1:9/")),
        lambda line: line.sendall(b"nonsense\r\n\r\n"),
        lambda line: None,
        _drip,
    ],
    ids=["busy", "sent elsewhere", "nonsense", "hangs up", "drips"],
)
def test_what_is_no_answer_is_a_failure(answer: Any) -> None:
    with receiver(answer) as (url, _), pytest.raises(CallFailed) as caught:
        post(message(url))
    assert "127.0.0.1" not in caught.value.message


@pytest.mark.parametrize(
    "url", ["http://192.168.1.5/hook", "https://10.0.0.1/", "https://169.254.169.254/", "file:///x"]
)
def test_private_addresses_are_never_called(url: str) -> None:
    with pytest.raises(Invalid):
        post(message(url))


def test_loopback_is_called_only_where_that_was_asked_for(settings: Any) -> None:
    settings.SUBSCRIPTION_ALLOW_LOOPBACK = False
    with pytest.raises(Invalid):
        post(message("http://127.0.0.1:9/hook"))
