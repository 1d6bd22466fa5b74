"""Server-sent events: open pages learn that something changed, and ask for it themselves.

An event holds no patient data, only which episode changed. What may be told is looked up anew every few seconds, and
the stream ends when the session or any relationship has ended; the browser then asks again, with what is left.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.views.decorators.http import require_GET

from recovery.selectors.live import Change, missed_by, newest_event_id, visible_changes_after, visible_in_session
from recovery.views import door
from recovery.views.hub import Hub, Listener, hub
from recovery.views.relay import Relay

LOOK_EVERY_SECONDS = 3.0
HEARTBEAT_SECONDS = 15.0
RETRY_MS = 2_000
NEEDS_ASGI = "Live updates need an ASGI server; this page asks /live/poll instead."


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who holds the stream open, by session: enough to ask again whether they still may."""

    user_id: int
    session_key: str

    def may_see(self) -> frozenset[int] | None:
        """Episode ids visible now; None when the session or the account has ended."""
        return visible_in_session(self.user_id, self.session_key, door.clock())

    def missed(self, after: int) -> list[Change]:
        return missed_by(self.user_id, after, door.clock())


async def live(request: HttpRequest) -> HttpResponseBase:
    if not isinstance(request, ASGIRequest):
        return HttpResponse(NEEDS_ASGI, status=501, content_type="text/plain")
    user = await request.auser()
    visitor = Visitor(user.pk or 0, request.session.session_key or "")
    response = StreamingHttpResponse(stream(visitor, resume_point(request)), content_type="text/event-stream")
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"
    return response


@require_GET
def poll(request: HttpRequest) -> HttpResponse:
    """The same by asking: for servers and proxies that cannot stream. Without `after`: where to begin."""
    after = resume_point(request)
    if after is None:
        return JsonResponse({"last": newest_event_id(), "events": []})
    newest = newest_event_id()
    found = visible_changes_after(door.person(request), after, door.clock())
    return JsonResponse({"last": max(newest, after), "events": [_plain(change) for change in found]})


def resume_point(request: HttpRequest) -> int | None:
    """Where the page was: Last-Event-ID of a broken stream, else `after` of the page; None when neither is a number."""
    given = request.headers.get("Last-Event-ID") or request.GET.get("after", "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 19 else None


async def stream(visitor: Visitor, after: int | None) -> AsyncIterator[bytes]:
    """Event-stream text until the visitor leaves, may no longer see what they saw, or is too slow."""
    shared = hub()
    listener = await shared.join()
    try:
        yield f"retry: {RETRY_MS}\n\n".encode()
        allowed = await shared.in_database(visitor.may_see)
        if allowed is None:
            return
        start = after if after is not None else await shared.in_database(newest_event_id)
        relay = Relay(allowed, start)
        missed = await shared.in_database(lambda: visitor.missed(start))
        for text in _texts(relay.take(missed), relay):
            yield text
        async for text in _follow(visitor, relay, listener, shared):
            yield text
    finally:
        await shared.leave(listener)


async def _follow(visitor: Visitor, relay: Relay, listener: Listener, shared: Hub) -> AsyncIterator[bytes]:
    look_at = time.monotonic() + LOOK_EVERY_SECONDS
    beat_at = time.monotonic() + HEARTBEAT_SECONDS
    while True:
        for change in await _next(listener, look_at - time.monotonic()):
            if change is None:
                return
            for text in _texts(relay.take([change]), relay):
                yield text
        if time.monotonic() >= beat_at:
            beat_at += HEARTBEAT_SECONDS
            yield b": still here\n\n"
        if time.monotonic() >= look_at:
            allowed = await shared.in_database(visitor.may_see)
            if allowed is None or relay.allowed - allowed:
                return
            for text in _texts(relay.renew(allowed), relay):
                yield text
            look_at = time.monotonic() + LOOK_EVERY_SECONDS


async def _next(listener: Listener, seconds: float) -> list[Change | None]:
    """The next change, or nothing when none comes within `seconds`."""
    try:
        return [await asyncio.wait_for(listener.get(), max(seconds, 0.01))]
    except TimeoutError:
        return []


def _texts(changes: list[Change], relay: Relay) -> list[bytes]:
    """Each with the id to resume at should the connection break right after it: before those still to be sent."""
    texts = []
    for place, change in enumerate(changes):
        resume_at = min([relay.resume_at, *(later.id - 1 for later in changes[place + 1 :])])
        texts.append(f"id: {resume_at}\nevent: {change.kind}\ndata: {json.dumps(_plain(change))}\n\n".encode())
    return texts


def _plain(change: Change) -> dict[str, str]:
    return {"kind": change.kind, "episode": str(change.episode_key)}
