"""The live simulator's loop: the next window, posted, settled; one line of counts a minute."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from integrations.simulator import feed, resources
from integrations.simulator.cast import Member
from integrations.simulator.client import Client
from integrations.simulator.feed import Progress
from integrations.simulator.ward import Ward
from recovery.exact_json import dumps

ENTRIES_A_BODY = 200
LOOK_EVERY = 0.5  # s
TELL_EVERY = 60.0  # s


@dataclass(frozen=True, slots=True)
class Loop:
    """What the loop works on. `clock` gives the time; `wait(seconds)` pauses, and is True when it is time to stop."""

    ward: Ward
    members: Sequence[Member]
    directory: Path
    client: Client
    every: int
    clock: Callable[[], datetime]
    wait: Callable[[float], bool]
    tell: Callable[[str], None]

    def run(self) -> None:
        """Send for ever; returns when told to stop."""
        try:
            self._run()
        finally:
            self.client.close()

    def _run(self) -> None:
        progress = feed.load_progress(self.directory, self.ward)
        told = self.clock()
        while True:
            now = self.clock()
            if (now - told).total_seconds() >= TELL_EVERY:
                self.tell(self._counts(progress, now))
                told = now
            window = progress.next_window(now)
            if window is None:
                if self.wait(LOOK_EVERY):
                    return
                continue
            sent = self._send(Progress(progress.cursor, window))
            if sent is None or self.wait(0.0):
                return
            progress = sent

    def _send(self, progress: Progress) -> Progress | None:
        """Send the pending window; returns the progress after it, or None when told to stop."""
        window = progress.pending
        if window is None:
            return progress
        found = feed.readings_in(self.ward, self.members, window, self.every)
        if not found:
            return Progress(window.end)
        feed.keep_progress(self.directory, self.ward, progress)
        for start in range(0, len(found), ENTRIES_A_BODY):
            body = dumps(resources.bundle(found[start : start + ENTRIES_A_BODY])).encode()
            if not self.client.post(body):
                return None
        done = Progress(window.end)
        feed.keep_progress(self.directory, self.ward, done)
        return done

    def _counts(self, progress: Progress, now: datetime) -> str:
        behind = max(0.0, (now - progress.cursor).total_seconds())
        return json.dumps({"event": "simulate", **asdict(self.client.tally), "behind_s": round(behind, 1)})
