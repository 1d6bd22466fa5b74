"""Files and other streams under ASGI: sent piece by piece.

Django gathers a plain iterator as a whole before it sends it under ASGI, and warns: a patient's readings of a year, or
the report of a backtest, would stand in memory at once.
"""

from collections.abc import AsyncIterator, Callable, Iterator

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase

PIECE = 64 * 1024  # bytes; each costs a change of threads
GetResponse = Callable[[HttpRequest], HttpResponseBase]


class StreamMiddleware:
    """The outermost: what lies further in may look at a response as Django made it."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if isinstance(request, ASGIRequest) and isinstance(response, StreamingHttpResponse) and not response.is_async:
            response.streaming_content = pieces(iter(response))
        return response


async def pieces(parts: Iterator[bytes]) -> AsyncIterator[bytes]:
    """The parts, several small ones together, taken in the request's own thread: it holds the database connection."""
    take = sync_to_async(lambda: _some(parts), thread_sensitive=True)
    while piece := await take():
        yield piece


def _some(parts: Iterator[bytes]) -> bytes:
    found, size = [], 0
    for part in parts:
        found.append(part)
        size += len(part)
        if size >= PIECE:
            break
    return b"".join(found)
