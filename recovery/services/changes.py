"""What one delivery has changed so far."""

from collections import Counter
from dataclasses import dataclass, field

from recovery.services.intake import NumberReading, Outcome, PacketReading, Unmapped


@dataclass(slots=True)
class Changes:
    """The answer to each item, and from when each patient's readings are new.

    `dirty`: patient id -> earliest new reading in ms; None: facts of the patient changed, everything is new.
    `touched`: every patient of whom something was brought, for the audit. `retold`: readings held already that were
    taken back since or stand under another id, with the id under which they were sent now. `repeated`: series row id ->
    readings that were held already and are dropped; `resaid`: ids of Observations sent again word for word.
    """

    outcomes: dict[int, Outcome] = field(default_factory=dict)
    dirty: dict[int, int | None] = field(default_factory=dict)
    touched: set[int] = field(default_factory=set)
    retold: list[tuple[NumberReading | PacketReading, str]] = field(default_factory=list)
    unmapped: list[Unmapped] = field(default_factory=list)
    repeated: Counter[int] = field(default_factory=Counter)
    resaid: list[str] = field(default_factory=list)

    def reading(self, patient_id: int, at_ms: int) -> None:
        known = self.dirty.get(patient_id, at_ms)
        self.dirty[patient_id] = None if known is None else min(known, at_ms)

    def facts(self, patient_id: int) -> None:
        self.dirty[patient_id] = None
