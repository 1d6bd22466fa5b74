"""The example watch's maker on a real socket, with the faults that makers have."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from integrations.simulator.example_watch import ExampleWatch, asked_of
from twinweb.env import example_watch


class Maker(ThreadingHTTPServer):
    """`status`: what every address answers instead, 0 for the truth; `garbled`: no JSON; `later`: its clock; `body`:
    what is said instead of JSON; `more`: beside what the token endpoint says."""

    def __init__(self, path: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.watch = ExampleWatch(path)
        self.status, self.garbled, self.later = 0, False, timedelta(0)
        self.calls: list[str] = []
        self.rows: list[dict[str, Any]] | None = None
        self.body, self.more = b"", dict[str, Any]()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.later

    def provider(self, **over: Any) -> dict[str, Any]:
        here = f"http://127.0.0.1:{self.server_port}"
        urls = {f"{name}_url": f"{here}/{name}" for name in ("authorize", "token", "revoke", "readings")}
        return example_watch() | urls | over

    def say_yes(self, address: str) -> dict[str, str]:
        """What a person's browser brings back when they allowed it at `address`."""
        asked = asked_of(dict(parse_qsl(urlsplit(address).query)))
        assert asked is not None, address
        return {"code": self.watch.allow(asked, self.now()), "state": asked.state}


class _Handler(BaseHTTPRequestHandler):
    server: Maker

    def do_POST(self) -> None:
        said = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        name = self.path.strip("/")
        self._answer(name, *getattr(self.server.watch, name)(said, self.server.now()))

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        since = datetime.fromisoformat(dict(parse_qsl(parts.query))["since"])
        bearer = self.headers["Authorization"].removeprefix("Bearer ")
        status, said = self.server.watch.readings(bearer, since, self.server.now())
        if status == 200 and self.server.rows is not None:
            said = {**said, "readings": self.server.rows}
        self._answer("readings", status, said)

    def _answer(self, name: str, status: int, said: dict[str, Any]) -> None:
        self.server.calls.append(name)
        said = {**said, **self.server.more} if name == "token" else said
        body = self.server.body or (b"<html>" if self.server.garbled else json.dumps(said).encode())
        self.send_response(self.server.status or status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        pass


@contextmanager
def running_maker(path: Path) -> Iterator[Maker]:
    maker = Maker(path)
    thread = threading.Thread(target=maker.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield maker
    finally:
        maker.shutdown()
        maker.server_close()
        thread.join(5)
