"""A doorbell that many may pull at once: rung by a thread of its own, at most ten times a second for each process.

Publishing a message costs a millisecond of the processor, and hundreds of deliveries a second would ring for the same
worker. A pull is answered at once when the bell has been still; else it is rung once more after the pause, and always
after the last pull, so that no work committed before a pull is left for the sweep.
"""

import atexit
import os
import threading
from collections.abc import Callable

PAUSE = 0.1  # s
AT_THE_END = 2.0  # s that a process that ends waits for a bell still to be rung


class Bell:
    """`ring` is called with a kind of work; it must not raise."""

    def __init__(self, ring: Callable[[str], None], pause: float = PAUSE) -> None:
        self._ring = ring
        self._pause = pause
        self._reset()
        os.register_at_fork(after_in_child=self._reset)
        atexit.register(self.rest)

    def _reset(self) -> None:
        """No thread: a fork takes none along."""
        self._changed = threading.Condition()
        self._wanted: set[str] = set()
        self._ringing = False
        self._thread: threading.Thread | None = None

    def pull(self, kind: str) -> None:
        """Have work of this kind rung for, soon, after what the caller has committed."""
        with self._changed:
            self._wanted.add(kind)
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, name="doorbell", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def rest(self, seconds: float = AT_THE_END) -> bool:
        """Wait until all that was pulled has been rung; False when it took longer."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._wanted and not self._ringing, seconds)

    def _serve(self) -> None:
        still = threading.Event()
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._wanted)
                kinds, self._wanted, self._ringing = sorted(self._wanted), set(), True
            for kind in kinds:
                self._ring(kind)
            with self._changed:
                self._ringing = False
                self._changed.notify_all()
            still.wait(self._pause)
