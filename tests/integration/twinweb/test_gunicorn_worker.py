"""An orderly stop ends event streams at once and lets ordinary requests finish."""

import asyncio
from typing import Any

from twinweb.gunicorn_worker import STREAMS, EndingStreams

END = {"type": "http.response.body", "body": b"", "more_body": False}


async def _client_that_stays() -> dict[str, Any]:
    await asyncio.Event().wait()
    raise AssertionError("never")


def _streaming(departures: list[str]) -> Any:
    """An application as Django is one: it streams until it hears that the client has left."""

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"data: 1\n\n", "more_body": True})
        departures.append((await receive())["type"])

    return application


def _run(path: str, *, stop: bool) -> tuple[list[str], list[dict[str, Any]], bool]:
    """Departures heard, messages sent, and whether the request had to be cut off."""
    departures: list[str] = []
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def serve() -> bool:
        streams = EndingStreams(_streaming(departures))
        request = asyncio.ensure_future(streams({"type": "http", "path": path}, _client_that_stays, send))
        await asyncio.sleep(0)
        if stop:
            streams.end()
        _, pending = await asyncio.wait({request}, timeout=0.2)
        for task in pending:
            task.cancel()
        await asyncio.gather(request, return_exceptions=True)
        return bool(pending)

    cut = asyncio.run(serve())
    return departures, sent, cut


def test_a_stop_ends_an_open_stream_with_a_whole_response() -> None:
    departures, sent, cut = _run(STREAMS, stop=True)
    assert departures == ["http.disconnect"] and sent[-1] == END and not cut


def test_without_a_stop_a_stream_stays_open() -> None:
    departures, sent, cut = _run(STREAMS, stop=False)
    assert departures == [] and END not in sent and cut


def test_a_stop_leaves_ordinary_requests_alone() -> None:
    departures, sent, cut = _run("/fhir/Observation", stop=True)
    assert departures == [] and END not in sent and cut
