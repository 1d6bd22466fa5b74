"""Live changes for one open page: which may be told now, which wait, and where to resume after a break.

A change of an episode that is not known to be visible waits for the next look at the person's relationships (every few
seconds) rather than being dropped: the episode may have been entrusted to them a moment ago. The number sent with each
change is the point before which everything has been decided, so a page that comes back misses nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from recovery.selectors.live import Change


@dataclass(slots=True)
class Relay:
    """`allowed`: episode ids this person may see, as last looked up. `seen`: the newest id taken so far."""

    allowed: frozenset[int]
    seen: int
    waiting: dict[int, Change] = field(default_factory=dict)

    @property
    def resume_at(self) -> int:
        """Every change up to this id has been told or withheld for good."""
        return min(self.waiting) - 1 if self.waiting else self.seen

    def take(self, changes: Iterable[Change]) -> list[Change]:
        """The changes that may be told at once; the others wait."""
        told = []
        for change in changes:
            self.seen = max(self.seen, change.id)
            if change.episode_id in self.allowed:
                told.append(change)
            else:
                self.waiting[change.id] = change
        return told

    def renew(self, allowed: frozenset[int]) -> list[Change]:
        """After a new look: waiting changes that are visible now. The rest are not this person's, for good."""
        self.allowed = allowed
        told = [change for change in self.waiting.values() if change.episode_id in allowed]
        self.waiting.clear()
        return told
