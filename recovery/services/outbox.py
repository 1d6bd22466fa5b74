"""What subscriptions may want to know of, written in the transaction of its cause.

While nobody subscribes to a type, a change of it costs a look at a memory of this process. The memory is at most a
second old, and a subscription becomes active only some seconds after it was asked for (`subscriptions.SETTLES_IN`): so
that every process knows of it by then.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from recovery import queue
from recovery.models import Alert, ChangeEvent, Episode, Subscription, ToldRisk
from recovery.services.intake import NumberReading, PacketReading

KIND = "events"
KNOWN_FOR = timedelta(seconds=1)
RISK_CHANGE = "https://twinweb.example/SubscriptionTopic/risk-change"
ALERT_RAISED = "https://twinweb.example/SubscriptionTopic/alert-raised"
# A probability that has moved by so many percentage points is told anew [G: this project's choice].
RISK_MOVED = 5.0


@dataclass(frozen=True, slots=True)
class Watch:
    """What a reading must at least have for one subscription: a patient among these (None: any), and for each group of
    texts one that stands in the template of its series."""

    patients: frozenset[str] | None
    texts: tuple[tuple[str, ...], ...]

    def may_hold(self, patient: str, template: str) -> bool:
        if self.patients is not None and patient not in self.patients:
            return False
        return all(any(text in template for text in group) for group in self.texts)


Watched = Mapping[str, tuple[Watch, ...]]


class _Memory:
    """What is watched, by type or topic, and when that was looked up."""

    at: datetime | None = None
    watched: Watched = {}


def forget() -> None:
    """A subscription has changed: this process looks anew at once."""
    _Memory.at = None


def watched(now: datetime) -> Watched:
    if _Memory.at is None or not _Memory.at <= now < _Memory.at + KNOWN_FOR:
        _Memory.watched = _look()
        _Memory.at = now
    return _Memory.watched


def _look() -> Watched:
    found: dict[str, list[Watch]] = {}
    rows = Subscription.objects.exclude(status=Subscription.Status.OFF).values_list("topic", "type", "watch")
    for topic, type_name, watch in rows:
        found.setdefault(topic or type_name, []).append(_watch(watch))
    return {name: tuple(watches) for name, watches in found.items()}


def _watch(said: Mapping[str, Any]) -> Watch:
    patients = said.get("patients")
    texts = tuple(tuple(group) for group in said.get("texts", ()))
    return Watch(None if patients is None else frozenset(patients), texts)


# ---- what others send ---


def note_document(*, type_name: str, fhir_id: str, version: int, patient_id: int | None, now: datetime) -> None:
    """A document was created or changed; the caller holds the transaction."""
    if type_name in watched(now):
        _write([ChangeEvent(at=now, type=type_name, fhir_id=fhir_id, version=version, patient_id=patient_id)])


def note_readings(
    new: Iterable[tuple[NumberReading | PacketReading, str, int]],
    now: datetime,
) -> None:
    """Readings that are new: (reading, its id, row id of its patient)."""
    watches = watched(now).get("Observation", ())
    if not watches:
        return
    wanted: dict[Any, bool] = {}
    events = []
    for reading, fhir_id, patient_id in new:
        key = reading.series
        if key not in wanted:
            wanted[key] = any(watch.may_hold(key.patient, key.template) for watch in watches)
        if wanted[key]:
            events.append(ChangeEvent(at=now, type="Observation", fhir_id=fhir_id, patient_id=patient_id))
    _write(events)


# ---- what we conclude ---


def note_risks(*, episode: Episode, risks: Sequence[Mapping[str, Any]], now: datetime) -> None:
    """A snapshot was stored. Its risks are told of when they say something else than those told of last."""
    held = watched(now)
    if "RiskAssessment" not in held and RISK_CHANGE not in held:
        return
    told = ToldRisk.objects.select_for_update().filter(episode=episode).first()
    before: Mapping[str, Any] = told.said if told else {}
    said = {f"{one.get('outcome')}/{one.get('horizon_h')}": _percent(one.get("probability")) for one in risks}
    mark = hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
    if mark == before.get("mark"):
        return
    topics = [""]
    if moved(before.get("told"), said):
        topics.append(RISK_CHANGE)
    after = {"mark": mark, "told": said if len(topics) > 1 else before.get("told")}
    ToldRisk.objects.update_or_create(episode=episode, defaults={"at": now, "said": after})
    _conclude("RiskAssessment", str(episode.key), _ms(now), episode.patient_id, topics, now)


def _percent(probability: Any) -> float | None:
    return None if probability is None else round(float(probability) * 100, 2)


def moved(before: Mapping[str, float | None] | None, after: Mapping[str, float | None]) -> bool:
    """Whether a risk has come or gone, is estimated or no longer, or lies RISK_MOVED percentage points elsewhere."""
    if before is None or before.keys() != after.keys():
        return True
    return any(_differs(before[name], after[name]) for name in after)


def _differs(before: float | None, after: float | None) -> bool:
    if before is None or after is None:
        return before is not after
    return abs(after - before) >= RISK_MOVED


def note_alert(*, alert: Alert, now: datetime) -> None:
    """An alert was raised, told again, or somebody acted on it. A further hit alone is not told."""
    number, patient_id = alert.version + alert.hits - 1, alert.episode.patient_id
    _conclude("Flag", str(alert.key), number, patient_id, [""], now)
    is_open = alert.status == Alert.Status.OPEN
    _conclude("DetectedIssue", str(alert.key), number, patient_id, ["", ALERT_RAISED] if is_open else [""], now)


def _conclude(
    type_name: str, fhir_id: str, version: int, patient_id: int, topics: Iterable[str], now: datetime
) -> None:
    held = watched(now)
    _write(
        [
            ChangeEvent(at=now, type=type_name, fhir_id=fhir_id, version=version, patient_id=patient_id, topic=topic)
            for topic in topics
            if (topic or type_name) in held
        ]
    )


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _write(events: Sequence[ChangeEvent]) -> None:
    if events:
        ChangeEvent.objects.bulk_create(events, batch_size=500)
        transaction.on_commit(lambda: queue.ring(KIND))
