"""Posting until acknowledged, against a server that fails in every way in turn."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from integrations.simulator.client import BACK_OFF_FIRST, BACK_OFF_MOST, Client

STORED = {"resourceType": "Bundle", "entry": [{"response": {"status": "201 Created"}}]}


class Server(ThreadingHTTPServer):
    """Answers with the statuses of `script`, then with 200; 0 breaks the connection off."""

    daemon_threads = True

    def __init__(self, *script: int) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.script = list(script)
        self.bodies: list[bytes] = []
        self.answer = STORED

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/fhir"


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.server.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        status = self.server.script.pop(0) if self.server.script else 200
        if status == 0:
            self.close_connection = True
            return
        said = json.dumps(self.server.answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def start() -> Iterator:
    running: list[Server] = []

    def begin(*script: int) -> Server:
        server = Server(*script)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        running.append(server)
        return server

    yield begin
    for server in running:
        server.shutdown()
        server.server_close()


class Waits(list):
    """A `wait` that does not wait; it says stop at the given turn."""

    def __init__(self, stop_at: int | None = None) -> None:
        super().__init__()
        self._stop_at = stop_at

    def __call__(self, seconds: float) -> bool:
        self.append(seconds)
        return self._stop_at is not None and len(self) >= self._stop_at


def test_the_same_body_is_sent_again_until_it_is_acknowledged(start) -> None:
    server, waits = start(500, 503, 0, 401, 429), Waits()
    client = Client(server.url, lambda: "t", waits)
    assert client.post(b'{"a": 1}')
    client.close()
    assert server.bodies == [b'{"a": 1}'] * 6
    assert client.tally.retries == 5 and client.tally.created == 1
    assert waits == [BACK_OFF_FIRST * 2**k for k in range(5)]


def test_the_back_off_has_an_end(start) -> None:
    server, waits = start(*[503] * 12), Waits()
    client = Client(server.url, lambda: "t", waits)
    assert client.post(b"{}")
    client.close()
    assert max(waits) == BACK_OFF_MOST


def test_a_body_that_is_refused_is_counted_and_not_sent_again(start) -> None:
    server = start(400)
    client = Client(server.url, lambda: "t", Waits())
    assert client.post(b"{}")
    client.close()
    assert len(server.bodies) == 1 and client.tally.refused == 1 and client.tally.retries == 0


def test_entries_are_counted_by_what_became_of_them(start) -> None:
    server = start()
    server.answer = {"entry": [{"response": {"status": said}} for said in ("201 Created", "200 OK", "422 Bad")]}
    client = Client(server.url, lambda: "t", Waits())
    assert client.post(b"{}")
    client.close()
    assert (client.tally.created, client.tally.held, client.tally.refused) == (1, 1, 1)


def test_told_to_stop_it_gives_up_and_says_that_nothing_was_acknowledged() -> None:
    client = Client("http://127.0.0.1:9/fhir", lambda: "t", Waits(stop_at=3))
    assert not client.post(b"{}")
    assert client.tally.retries == 3


@pytest.mark.parametrize("url", ["", "fhir", "ftp://host/fhir", "http:///fhir"])
def test_what_is_no_address_is_refused_at_once(url: str) -> None:
    with pytest.raises(ValueError, match="address"):
        Client(url, lambda: "t", Waits())
