"""What the integrator's page says: a card for every way in and out and one for every part, each with the next step."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings

from integrations.console.wording import Bar, bars, bars_said, span, when
from recovery import signs
from recovery.selectors import deliveries, pipes, traffic
from recovery.selectors.deliveries import SubscriptionHealth
from recovery.selectors.pipes import PauseSeen
from recovery.selectors.traffic import Failure, SystemSeen

EXPIRES_SOON = timedelta(days=14)
MLLP_SILENT_S = 20.0
BACKUP_LATE_S = 25 * 3600.0
STATES = {"red": "act", "amber": "review", "green": "on_track", "grey": "no_data"}
ORDER = ("red", "amber", "green", "grey")
# What to do about a part of the product, by name.
REMEDIES = {
    "database": "Start the database, or free its disk; pages come back by themselves.",
    "migrations": "Run manage.py migrate with this release.",
    "worker": "Start the worker (manage.py up does). What is owed waits in rows and is done then.",
    "beat": "Start beat (manage.py up does). Until then lost messages are not rung for again.",
    "sweep": "No sweep came through: look at beat, the broker and the worker, in this order.",
    "owed_work": "Work waits: look whether the worker is alive, then at its log.",
    "broker": "Start the broker. Nothing is lost meanwhile: what is owed stands in rows.",
    "disk": "Free space where the data lies.",
}
LABELS = {"owed_work": "Owed work", "migrations": "Database version"}


@dataclass(frozen=True, slots=True)
class Card:
    """One way in or out. `next_step`: what a person does now, or that there is nothing to do."""

    key: str
    title: str
    direction: str
    badge: str
    word: str
    next_step: str
    facts: list[tuple[str, str]] = field(default_factory=list)
    bars: list[Bar] = field(default_factory=list)
    bars_said: str = ""
    pause: PauseSeen | None = None
    can_pause: bool = False
    can_test: bool = False
    link: str = ""
    link_label: str = ""
    replay: str = ""  # FHIR id of the subscription whose events can be sent again

    @property
    def state(self) -> str:
        return STATES[self.badge]


@dataclass(frozen=True, slots=True)
class PartLine:
    name: str
    badge: str
    word: str
    figures: str
    next_step: str

    @property
    def state(self) -> str:
        return STATES[self.badge]


@dataclass(frozen=True, slots=True)
class Status:
    cards: list[Card]
    parts: list[PartLine]
    at: str

    @property
    def needing(self) -> list[tuple[str, str]]:
        """(place on the page, name) of what is red."""
        ways = [(one.key, one.title) for one in self.cards if one.badge == "red"]
        return [*(("parts-title", one.name) for one in self.parts if one.badge == "red"), *ways]

    @property
    def red(self) -> int:
        return sum(one.badge == "red" for one in self.cards) + sum(one.badge == "red" for one in self.parts)


def status(now: datetime, zone: ZoneInfo) -> Status:
    paused = pipes.pauses()
    seen = signs.parts()
    is_working = all(one.ok for one in seen if one.name in ("worker", "broker"))
    cards = [
        *(_system(one, now, zone) for one in traffic.systems(now)),
        *_hl7(now, zone, paused.get("hl7v2")),
        *(_subscription(one, now, zone) for one in deliveries.subscriptions_health(now=now)),
        _exports(now, zone, paused.get("exports"), is_working),
        _cds(now, zone),
        *_channels(now, zone),
    ]
    cards.sort(key=lambda one: ORDER.index(one.badge))
    return Status(cards, _parts(seen, now, zone), now.astimezone(zone).strftime("%H:%M:%S"))


# ---- ways in and out ---


def _system(one: SystemSeen, now: datetime, zone: ZoneInfo) -> Card:
    badge, word, step = "green", "in use", "Nothing to do."
    if one.expires_at is not None and one.expires_at <= now:
        badge, word, step = "red", "expired", "Issue a new token or new keys, and give them to its maker."
    elif one.last_used_at is None:
        badge, word, step = "grey", "never used", "Give its maker the address of the door and what it signs in with."
    elif one.failures:
        badge, word = "amber", "refused lately"
        step = "Look at the cause below; the sender's log has the whole answer (OperationOutcome)."
    elif one.expires_at is not None and one.expires_at <= now + EXPIRES_SOON:
        badge, word, step = "amber", "expires soon", "Issue a new token before it ends."
    facts = [
        ("Last heard of", when(one.last_used_at, now, zone)),
        ("Last delivery", when(one.last_delivery_at, now, zone)),
        *_failed(one.failure, now, zone, one.failures),
        ("Its token ends", when(one.expires_at, now, zone) if one.expires_at else "when it is revoked"),
    ]
    said = bars_said(one.delivered, "delivery", "deliveries")
    return Card(
        f"system-{one.row_id}",
        one.name,
        "in and out, FHIR",
        badge,
        word,
        step,
        facts,
        bars(one.delivered),
        said,
        can_test=True,
        link=f"/connections/{one.row_id}/",
        link_label="What it may do",
    )


def _failed(failure: Failure | None, now: datetime, zone: ZoneInfo, number: int = 0) -> list[tuple[str, str]]:
    if failure is None:
        return [("Last failure", "none")]
    times = f"; {number} in 24 h" if number else ""
    return [("Last failure", f"{when(failure.at, now, zone)}: {failure.cause}{times}")]


def _hl7(now: datetime, zone: ZoneInfo, pause: PauseSeen | None) -> Iterable[Card]:
    seen = traffic.letters(now)
    if not settings.MLLP_PORT and not seen.known:
        return
    age = signs.age_of("mllp")
    is_alive = age is not None and age <= MLLP_SILENT_S
    badge, word, step = "green", "listening", "Nothing to do."
    if settings.MLLP_PORT and not is_alive:
        badge, word, step = "red", "not running", "Start manage.py mllp (manage.py up does, where MLLP_PORT is set)."
    elif pause is not None:
        badge, word, step = "amber", "paused", "Resume it when you are done: senders keep their messages so long."
    elif seen.dead:
        badge, word = "red", f"{seen.dead} dead letter{'s' if seen.dead > 1 else ''}"
        step = "Read why each was refused below, mend the cause, and retry it."
    elif not settings.MLLP_PORT:
        badge, word, step = "grey", "not offered", "Set MLLP_PORT to take messages."
    facts = [
        ("Last success", when(seen.last_taken_at, now, zone)),
        *_failed(seen.failure, now, zone),
        ("Dead letters", str(seen.dead)),
        ("Oldest waiting", when(seen.oldest_dead_at, now, zone) if seen.dead else "none"),
        ("Listens on", f"port {settings.MLLP_PORT}{', TLS' if settings.MLLP_TLS_CERT else ', without TLS'}"),
    ]
    yield Card(
        "hl7v2",
        "HL7 v2 messages",
        "in, MLLP",
        badge,
        word,
        step,
        facts,
        bars(seen.taken),
        bars_said(seen.taken, "message taken", "messages taken"),
        pause,
        can_pause=True,
        can_test=bool(settings.MLLP_PORT),
        link="#letters" if seen.dead else "",
        link_label="Dead letters",
    )


def _subscription(one: SubscriptionHealth, now: datetime, zone: ZoneInfo) -> Card:
    steps = {
        "red": "Mend the receiver, then send again what was given up.",
        "amber": "It is being tried again by itself; look at the receiver if this lasts.",
        "green": "Nothing to do.",
    }
    word = f"{one.dead} given up" if one.dead else one.status
    retry = [("Next try", when(one.next_try_at, now, zone))] if one.next_try_at else []
    failure = [("Last failure", "none")]
    if one.last_failure_at:
        failure = [("Last failure", f"{when(one.last_failure_at, now, zone)}: {one.last_failure}")]
    facts = [
        ("To", one.where),
        ("About", one.about),
        ("Last success", when(one.last_success_at, now, zone)),
        *failure,
        *retry,
        ("Waiting", str(one.waiting)),
        ("Oldest waiting", when(one.oldest_waiting_at, now, zone) if one.oldest_waiting_at else "none"),
        ("Given up", str(one.dead)),
    ]
    title = f"Subscription of {one.owner}" if one.owner else "Subscription"
    is_off = one.status == "off"
    step = "Switch it on when its receiver is ready." if is_off else one.error or steps[one.badge]
    return Card(
        f"subscription-{one.fhir_id}",
        title,
        "out, REST hook",
        "grey" if is_off else one.badge,
        word,
        step,
        facts,
        can_pause=True,
        pause=PauseSeen("", one.since, "", "") if is_off else None,
        replay=one.fhir_id,
    )


def _exports(now: datetime, zone: ZoneInfo, pause: PauseSeen | None, is_working: bool) -> Card:
    seen = traffic.exports(now)
    badge, word, step = "green", "ready", "Nothing to do."
    if pause is not None:
        badge, word, step = "amber", "paused", "Resume it when you are done: exports wait so long."
    elif seen.open and not is_working:
        badge, word, step = "red", f"{seen.open} waiting", "Start the worker: exports go on where they were."
    elif seen.open:
        word, step = f"{seen.open} under way", "Nothing to do: the asker sees its progress."
    elif seen.failure is not None and (seen.last_done_at is None or seen.failure.at > seen.last_done_at):
        badge, word, step = "amber", "the last one failed", "Mend the cause below; the asker has to ask again."
    facts = [
        ("Last success", when(seen.last_done_at, now, zone)),
        *_failed(seen.failure, now, zone),
        ("Waiting or running", str(seen.open)),
        ("Oldest waiting", when(seen.oldest_open_at, now, zone) if seen.open else "none"),
    ]
    said = bars_said(seen.asked, "export asked for", "exports asked for")
    return Card(
        "exports", "Bulk exports", "out, FHIR", badge, word, step, facts, bars(seen.asked), said, pause, can_pause=True
    )


def _cds(now: datetime, zone: ZoneInfo) -> Card:
    seen = traffic.cards(now)
    badge, word = ("green", "in use") if seen.known else ("grey", "never asked")
    step = "Nothing to do." if seen.known else "Enter /cds-services in the EHR (docs/cds-hooks.md)."
    facts = [("Last card", when(seen.last_at, now, zone)), ("Cards in all", str(seen.known))]
    said = bars_said(seen.shown, "card shown", "cards shown")
    return Card("cds", "CDS cards", "out, CDS Hooks", badge, word, step, facts, bars(seen.shown), said)


def _channels(now: datetime, zone: ZoneInfo) -> Iterable[Card]:
    for one in traffic.channels(now):
        facts = [("Last delivery", when(one.last_at, now, zone))]
        said = bars_said(one.delivered, "delivery", "deliveries")
        key = f"channel-{one.name}"
        yield Card(
            key,
            f"Channel {one.name}",
            "in",
            "green",
            "seen this week",
            "Nothing to do.",
            facts,
            bars(one.delivered),
            said,
        )


# ---- parts of the product ---


def _parts(seen: Sequence[signs.Sign], now: datetime, zone: ZoneInfo) -> list[PartLine]:
    lines = [_backups(one) if one.name == "backups" else _part(one) for one in seen]
    offset = traffic.clock_offset(now)
    if offset is not None:
        is_off = abs(offset) > 2
        step = "Set both clocks by NTP: readings are dated by ours." if is_off else "Nothing to do."
        word = "off" if is_off else "right"
        figures = f"the database's is {offset:+.1f} s from ours"
        lines.append(PartLine("Clock", "red" if is_off else "green", word, figures, step))
    else:
        figures = "one machine, one clock"
        lines.append(PartLine("Clock", "green", "right", figures, "Nothing to do."))
    lines.append(_codes())
    lines += _second_factor()
    return sorted(lines, key=lambda one: ORDER.index(one.badge))


def _part(one: signs.Sign) -> PartLine:
    name = LABELS.get(one.name, one.name.capitalize())
    step = "Nothing to do." if one.ok else REMEDIES.get(one.name, "Look at the log.")
    return PartLine(name, "green" if one.ok else "red", "working" if one.ok else "not working", _figures(one), step)


def _figures(one: signs.Sign) -> str:
    said = one.figures
    if "age_seconds" in said:
        age = said["age_seconds"]
        return "never seen" if age is None else f"last sign {span(age)} ago"
    if "free_bytes" in said:
        return f"{said['free_bytes'] / 1e9:.1f} GB free"
    if "milliseconds" in said:
        return f"answered in {said['milliseconds']} ms"
    if "oldest_seconds" in said:
        waiting = sum(kind["open"] for kind in said.get("kinds", {}).values())
        return f"{waiting} open, the oldest for {span(said['oldest_seconds'])}" if waiting else "none open"
    if "queues" in said:
        waiting = sum(int(queue.get("waiting", 0)) for queue in said["queues"])
        return f"{waiting} messages waiting, {said.get('dead_letters', 0)} given up"
    return str(said.get("error", ""))


def _backups(one: signs.Sign) -> PartLine:
    """`backup` and `restore`: seconds since the last good one."""
    age, restored = one.figures.get("backup"), one.figures.get("restore")
    is_late = age is None or age > BACKUP_LATE_S
    word = "none yet" if age is None else f"{span(age)} old"
    figures = "restored: never tried" if restored is None else f"last restored {span(restored)} ago"
    step = "Run manage.py backup each hour (docs/production.md)." if is_late else "Nothing to do."
    if restored is None and not is_late:
        step = "Try a restore on another machine: only that shows that a backup is good."
    return PartLine("Backups", "amber" if is_late else "green", word, figures, step)


def _codes() -> PartLine:
    number = traffic.unmapped_codes()
    step = "Map them, or leave them: /fhir/ has the queue." if number else "Nothing to do."
    word = f"{number} unmapped" if number else "all mapped"
    return PartLine("Codes", "amber" if number else "green", word, "codes and units without a metric", step)


def _second_factor() -> Iterable[PartLine]:
    """Whether administrators must have one. The demonstration has synthetic patients only and asks nobody."""
    if settings.DEMO:
        return
    is_asked = "administrator" in settings.MFA_REQUIRED_ROLES
    word = "required" if is_asked else "not required"
    figures = "of administrators" if is_asked else "a stolen password is enough to sign in as an administrator"
    step = "Nothing to do." if is_asked else "Set MFA_REQUIRED_ROLES=administrator (docs/production.md), then restart."
    yield PartLine("Second factor", "green" if is_asked else "amber", word, figures, step)
