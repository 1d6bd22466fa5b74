"""gunicorn's ASGI worker, with one manner added: told to stop, it ends the event streams at once.

A stream never ends by itself, so that an orderly stop would wait its whole grace period for every open page and then
kill. Ordinary requests are left to finish. A page whose stream ended asks again by itself.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from gunicorn.workers.gasgi import ASGIWorker

STREAMS = "/live/"  # the one path that answers with a stream
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]


class EndingStreams:
    """Wraps an ASGI application; `end` makes every open stream believe that its client has left."""

    def __init__(self, application: Application) -> None:
        self.application = application
        self._ended = asyncio.Event()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == STREAMS:
            await self._stream(scope, receive, send)
        else:
            await self.application(scope, receive, send)

    def end(self) -> None:
        self._ended.set()

    async def _stream(self, scope: Message, receive: Receive, send: Send) -> None:
        last: Message = {}

        async def sent(message: Message) -> None:
            last.update(message)
            await send(message)

        await self.application(scope, lambda: self._receive(receive), sent)
        if self._ended.is_set() and last.get("type") and not _complete(last):
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _receive(self, receive: Receive) -> Message:
        """What the client sends next, or its departure once the streams have to end."""
        message, ended = asyncio.ensure_future(receive()), asyncio.ensure_future(self._ended.wait())
        try:
            await asyncio.wait({message, ended}, return_when=asyncio.FIRST_COMPLETED)
            return message.result() if message.done() else {"type": "http.disconnect"}
        finally:
            message.cancel()
            ended.cancel()


def _complete(last: Message) -> bool:
    """Was this the last message of a response?"""
    return last["type"] == "http.response.body" and not last.get("more_body", False)


class Worker(ASGIWorker):
    """The worker class behind WEB_CLASS=asgi."""

    asgi: Any

    def load_wsgi(self) -> None:
        super().load_wsgi()
        self.asgi = EndingStreams(self.asgi)

    def handle_exit_signal(self) -> None:
        super().handle_exit_signal()
        self.asgi.end()
