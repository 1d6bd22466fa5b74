"""One reader of live events per process, shared by all open pages.

Polling one indexed table three times a second costs the same for one page and for five hundred. The database work runs
on a thread of its own, whose connection is closed when the last page has gone.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar
from weakref import WeakKeyDictionary

from django.db import Error, close_old_connections, connections

from recovery.selectors.live import Change, changes_after, newest_event_id

logger = logging.getLogger(__name__)

EVERY_SECONDS = 0.3
AFTER_AN_ERROR_SECONDS = 2.0
# Ids are handed out before commit, so a lower id can appear after a higher one: look back this long.
LOOK_BACK_SECONDS = 10.0
MOST_A_LOOK = 5_000
MOST_WAITING = 1_000

Result = TypeVar("Result")
Listener = asyncio.Queue["Change | None"]


class Hub:
    """Listeners get each Change once, in the order in which it became visible; None tells them to come back later."""

    def __init__(self) -> None:
        self._listeners: set[Listener] = set()
        self._reader: asyncio.Task[None] | None = None
        self._thread: ThreadPoolExecutor | None = None
        self._floor = 0
        self._seen: dict[int, float] = {}

    async def join(self) -> Listener:
        listener: Listener = asyncio.Queue(MOST_WAITING)
        if self._reader is None or self._reader.done():
            self._thread = self._thread or ThreadPoolExecutor(1, thread_name_prefix="live")
            self._floor = await self.in_database(newest_event_id)
            self._seen.clear()
            self._reader = asyncio.create_task(self._read())
        self._listeners.add(listener)
        return listener

    async def leave(self, listener: Listener) -> None:
        self._listeners.discard(listener)
        if self._listeners:
            return
        reader, self._reader = self._reader, None
        thread, self._thread = self._thread, None
        if reader is not None:
            reader.cancel()
        if thread is not None:
            thread.submit(connections.close_all)
            thread.shutdown(wait=False)

    async def in_database(self, question: Callable[[], Result]) -> Result:
        """Ask the database on the hub's thread."""
        thread = self._thread = self._thread or ThreadPoolExecutor(1, thread_name_prefix="live")
        return await asyncio.get_running_loop().run_in_executor(thread, _fresh, question)

    async def _read(self) -> None:
        while True:
            try:
                found = await self.in_database(lambda: changes_after(self._floor, MOST_A_LOOK))
            except Error:
                logger.exception("live events could not be read")
                await asyncio.sleep(AFTER_AN_ERROR_SECONDS)
                continue
            self._tell(self._new_among(found, time.monotonic()))
            await asyncio.sleep(EVERY_SECONDS)

    def _new_among(self, found: list[Change], at: float) -> list[Change]:
        new = [change for change in found if change.id not in self._seen]
        self._seen.update((change.id, at) for change in new)
        settled = [number for number, when in self._seen.items() if at - when > LOOK_BACK_SECONDS]
        self._floor = max([self._floor, *settled])
        for number in settled:
            del self._seen[number]
        return new

    def _tell(self, changes: list[Change]) -> None:
        for listener in list(self._listeners):
            for change in changes:
                try:
                    listener.put_nowait(change)
                except asyncio.QueueFull:
                    self._dismiss(listener)
                    break

    def _dismiss(self, listener: Listener) -> None:
        """A page too slow to read: let it come back and resume from where it was."""
        self._listeners.discard(listener)
        listener.get_nowait()
        listener.put_nowait(None)


def _fresh(question: Callable[[], Result]) -> Result:
    close_old_connections()
    return question()


_hubs: "WeakKeyDictionary[asyncio.AbstractEventLoop, Hub]" = WeakKeyDictionary()


def hub() -> Hub:
    """The hub of the running event loop (one per process)."""
    return _hubs.setdefault(asyncio.get_running_loop(), Hub())
