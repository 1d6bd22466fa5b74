"""One demo ward in time: the cast placed around the moment of seeding, and the file that remembers that moment.

Everything but passwords and that moment follows from the seed, so the seeding can be repeated after a crash and the
live simulator can go on from it without asking the database.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from integrations.simulator.cast import CAST, OPERATIONS, Member

WARD_FILE = "demo-ward.json"
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Ward:
    """The demo ward of one seeding. `anchor`: the whole hour (UTC) at which it was seeded.

    patients: how many of the cast, from the first on. finished: the whole past has been taken in.
    """

    seed: int
    anchor: datetime
    zone: str = "UTC"
    patients: int = len(CAST)
    finished: bool = False

    @property
    def members(self) -> Sequence[Member]:
        return CAST[: self.patients]

    @property
    def has_volunteer(self) -> bool:
        """The real record belongs to the whole ward, not to a small one for tests."""
        return self.patients == len(CAST)

    def surgery_end(self, member: Member) -> datetime:
        """The last time before the anchor that the local clock showed `ended_at`, `day` days further back."""
        local = self.anchor.astimezone(ZoneInfo(self.zone))
        hour, minute = member.ended_at
        end = local.replace(hour=hour, minute=minute).astimezone(UTC)
        return (end if end <= self.anchor else end - DAY) - member.day * DAY

    def zero(self, member: Member) -> datetime:
        """The whole hour from which the member's hours are counted: devices keep to the clock, surgeons do not."""
        return self.surgery_end(member).replace(minute=0, second=0, microsecond=0)

    def stopped_at(self, member: Member) -> datetime | None:
        """When the member's watch fell silent, if it has."""
        return None if member.stopped_hours_ago is None else self.anchor - timedelta(hours=member.stopped_hours_ago)


def number_of(member: Member) -> int:
    """The member's own number, which goes into every random seed of theirs."""
    return int(member.key.rpartition("-")[2])


def surgery_start(ward: Ward, member: Member) -> datetime:
    return ward.surgery_end(member) - timedelta(hours=OPERATIONS[member.operation].hours)


def begin(directory: Path, now: datetime, *, seed: int, zone: str, patients: int | None = None) -> Ward:
    """The ward remembered in `directory`, or a new one anchored at `now`, remembered before anything is stored."""
    held = remembered(directory)
    wanted = len(CAST) if patients is None else patients
    if held is not None and (held.seed, held.patients) == (seed, wanted):
        return held
    anchor = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    ward = Ward(seed, anchor, zone, wanted)
    _remember(directory, ward)
    return ward


def finish(directory: Path, ward: Ward) -> Ward:
    """Remember that the whole past has been taken in."""
    done = replace(ward, finished=True)
    _remember(directory, done)
    return done


def remembered(directory: Path) -> Ward | None:
    """The ward seeded in this data directory, or None."""
    try:
        said = json.loads((directory / WARD_FILE).read_text())
        return Ward(**said | {"anchor": datetime.fromisoformat(said["anchor"])})
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def _remember(directory: Path, ward: Ward) -> None:
    write_private(directory / WARD_FILE, json.dumps(asdict(ward) | {"anchor": ward.anchor.isoformat()}))


def write_private(path: Path, text: str) -> None:
    """Write a whole file that only its owner may read; a reader sees the old one or the new one."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text)
    draft.replace(path)
