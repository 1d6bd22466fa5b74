"""One reading in words: where it comes from, what the twin did with it, and who judged it."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from recovery.presenters import wording
from recovery.presenters.patient import Banner, banner
from recovery.presenters.readings import decision_words, notes_by_hour
from recovery.selectors.allergies import Allergies
from recovery.selectors.people import Operation, Person
from recovery.selectors.reading import DeviceSeen, MarkSeen, ReadingSeen
from recovery.selectors.snapshot import Said
from recovery.twin.clocks import hours_ahead
from recovery.twin.metrics import METRICS

NO_DEVICE = DeviceSeen("", "", "", "", "")
REASONS = (
    "Movement or a loose sensor",
    "Device not worn by this patient",
    "Typing or transmission error",
    "Device fault",
    "Does not fit what was seen at the bedside",
)
# Batch.channel as people say it; an unknown one is shown as it is.
CHANNELS = {
    "fhir": "FHIR interface",
    "import": "import of a file",
    "hl7v2": "HL7 v2 message",
    "portal": "patient's own page",
    "simulator": "simulator (synthetic)",
    "mark": "undo of a mark",
}


@dataclass(frozen=True, slots=True)
class ReadingView:
    """`facts`: (name, words) in the order in which one asks. `standing`: the mark that stands, in words, or blank."""

    banner: Banner
    label: str
    value: str
    at: str
    facts: tuple[tuple[str, str], ...]
    standing: str
    past: tuple[str, ...]
    reasons: tuple[str, ...]
    message: str


def reading_view(
    seen: ReadingSeen,
    said: Said | None,
    person: Person,
    operation: Operation,
    allergies: Allergies,
    *,
    message: str = "",
    now: datetime,
    zone: ZoneInfo,
) -> ReadingView:
    kind = METRICS[seen.metric]
    return ReadingView(
        banner=banner(person, operation, said, now, allergies),
        label=kind.label,
        value=wording.quantity(seen.value, seen.metric, kind.unit),
        at=wording.clock(seen.at, zone),
        facts=tuple((name, words) for name, words in _facts(seen, said, now, zone) if words),
        standing=_standing(seen.mark, zone) if seen.mark else "",
        past=tuple(_undone(mark, zone) for mark in seen.marks if mark.undone_at is not None),
        reasons=REASONS,
        message=message,
    )


def _facts(seen: ReadingSeen, said: Said | None, now: datetime, zone: ZoneInfo) -> list[tuple[str, str]]:
    delivery, device = seen.delivery, seen.device or NO_DEVICE
    return [
        ("Measured", f"{wording.clock(seen.at, zone)}, {wording.recovery_day(seen.hour)}{_span(seen)}"),
        ("Value as sent", f"{seen.sent:.{max(seen.sent_digits, 0)}f} {seen.sent_unit}, code {seen.code}"),
        (
            "Device",
            " · ".join(part for part in (device.name, device.manufacturer, device.kind) if part) if device else "",
        ),
        ("Device number", (device.udi or device.fhir_id) if device else ""),
        ("Source", seen.source or "not named"),
        ("Trust", wording.TIERS.get(seen.tier, seen.tier)),
        ("In the twin", _gate(seen, said, now)),
        ("Received", f"{wording.clock(delivery.received_at, zone)}, {_delay(seen, delivery.received_at)}"),
        ("Delivery", f"No. {delivery.number}, {CHANNELS.get(delivery.channel, delivery.channel)}, {_held(seen)}"),
        ("Connection", delivery.connection or "none named: an import, or this product itself"),
        ("Observation", seen.document),
    ]


def _span(seen: ReadingSeen) -> str:
    return f", over {wording.lasting(seen.span_h)}" if seen.span_h else ""


def _delay(seen: ReadingSeen, received_at: datetime) -> str:
    hours = (received_at - seen.at).total_seconds() / 3600.0
    if hours < -1.0 / 60.0:
        return f"{wording.lasting(-hours)} before the time that it bears: check the device clock"
    return f"{wording.lasting(hours)} after it was measured"


def _held(seen: ReadingSeen) -> str:
    delivery = seen.delivery
    parts = [wording.plural(delivery.readings, "reading")] if delivery.readings else []
    parts += [wording.plural(delivery.documents, "document")] if delivery.documents else []
    return " and ".join(parts) or "nothing else in it"


def _gate(seen: ReadingSeen, said: Said | None, now: datetime) -> str:
    """What became of it. The snapshot keeps the newest remarks only, so an older reading is spoken of by the rules."""
    if seen.mark is not None:
        return "Taken out: marked as wrong"
    if ahead := hours_ahead(seen.at.timestamp() * 1000.0, now.timestamp() * 1000.0):
        return wording.held_out_until(ahead)
    low, high = METRICS[seen.metric].plausible
    if not low <= seen.value <= high:
        return f"Rejected: outside the plausible range {low:g} to {high:g}"
    notes = notes_by_hour(said.metrics.get(seen.metric) if said else None)
    return decision_words(notes.get(int(seen.hour // 1)))


def _standing(mark: MarkSeen, zone: ZoneInfo) -> str:
    return f"Marked as wrong by {mark.marked_by} on {wording.clock(mark.marked_at, zone)}: {mark.reason}"


def _undone(mark: MarkSeen, zone: ZoneInfo) -> str:
    undone = f"undone by {mark.undone_by} on {wording.clock(mark.undone_at, zone)}"
    return f"Marked as wrong by {mark.marked_by} on {wording.clock(mark.marked_at, zone)} ({mark.reason}); {undone}"
