"""Subscriptions in service: from the document that asks for one to its row, its status, and what is owed to it.

The row and the document say the same status; every change of it is a new version of the document.
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction
from django.db.models import Q

from recovery import audit, queue
from recovery.audit import Actor
from recovery.exact_json import dumps, loads
from recovery.exceptions import Conflict, Forbidden, Invalid, NotFound
from recovery.models import Batch, Document, DocumentIndex, DocumentVersion, Subscription, SubscriptionEvent
from recovery.sealing import seal, unseal
from recovery.services import outbox
from recovery.services.documents import instant
from recovery.services.intake import MASKED, SubscriptionFacts

TYPE = "Subscription"
PRODUCT = Actor.system("subscriptions")
# Longer than any process may go on not knowing of it (outbox.KNOWN_FOR), with room for a slow commit.
SETTLES_IN = timedelta(seconds=3)
KEPT_FOR = timedelta(days=30)
REQUESTED, ACTIVE, ERROR, OFF = (
    Subscription.Status.REQUESTED,
    Subscription.Status.ACTIVE,
    Subscription.Status.ERROR,
    Subscription.Status.OFF,
)


def follow(*, fhir_id: str, facts: SubscriptionFacts, batch: Batch, now: datetime) -> None:
    """A Subscription was written: from now on it is as it says. The caller holds the transaction.

    It is activated anew, and keeps what is owed to it. Raises Forbidden where it is another system's.
    """
    row = (
        Subscription.objects.select_for_update(of=("self",))
        .select_related("connection")
        .filter(fhir_id=fhir_id)
        .first()
    )
    _check_owner(row, batch)
    held = _held_headers(row, facts, batch) if row else []
    said = {
        "connection_id": batch.connection_id,
        "topic": facts.topic,
        "type": facts.type,
        "criteria": facts.criteria,
        "watch": dict(facts.watch),
        "endpoint": facts.endpoint,
        "payload": facts.payload,
        "content": facts.content,
        "headers": seal(_headers(facts.headers, held)),
        "heartbeat_s": facts.heartbeat_s,
        "timeout_s": facts.timeout_s,
        "most_events": facts.most_events,
        "ends_at": facts.ends_at,
        "status": REQUESTED if facts.is_on else OFF,
        "error": "",
        "changed_at": now,
        "failures": 0,
        "not_before": None,
    }
    Subscription.objects.update_or_create(fhir_id=fhir_id, defaults=said)
    _changed()


def _check_owner(row: Subscription | None, batch: Batch) -> None:
    """A subscription is its system's alone, as long as that may still come here."""
    owner = row.connection if row is not None else None
    if owner is not None and owner.revoked_at is None and owner.pk != batch.connection_id:
        raise Forbidden("This subscription belongs to another connected system.", field=TYPE)


def _held_headers(row: Subscription, facts: SubscriptionFacts, batch: Batch) -> list[str]:
    """The headers that may be kept: a secret that was given for one receiver is never sent to another, nor used by
    another system than the one that gave it."""
    same = urlsplit(row.endpoint)[:2] == urlsplit(facts.endpoint)[:2] and row.connection_id == batch.connection_id
    return list(json.loads(unseal(row.headers) or "[]")) if same else []


def _headers(lines: tuple[str, ...], held: list[str]) -> str:
    """The lines as JSON; where a value is masked, the one that was held under that name. Raises Invalid without one."""
    known = {_name(line): line for line in held}
    kept = [known.get(_name(line), "") if line.partition(":")[2].strip() == MASKED else line for line in lines]
    if not all(kept):
        raise Invalid("Give the headers again: they are kept for one receiver only.", field="Subscription.channel")
    return json.dumps(kept) if kept else ""


def _name(line: str) -> str:
    return line.partition(":")[0].strip().lower()


def headers_of(sealed: str) -> dict[str, str]:
    """Name -> value of the headers that a receiver asked for. Raises Conflict when they cannot be opened."""
    lines = json.loads(unseal(sealed) or "[]")
    return {line.partition(":")[0].strip(): line.partition(":")[2].strip() for line in lines}


def end(*, fhir_id: str, batch: Batch, now: datetime) -> None:
    """The Subscription was deleted: nothing more is sent. How much was still owed is in the audit trail.

    Raises Forbidden where it is another system's.
    """
    row = Subscription.objects.select_related("connection").filter(fhir_id=fhir_id).first()
    if row is None:
        return
    _check_owner(row, batch)
    owed = row.events.exclude(status=SubscriptionEvent.Status.SENT).count()
    row.delete()
    _changed()
    audit.record(
        actor=PRODUCT,
        now=now,
        action="subscription_ended",
        entity=f"{TYPE}/{fhir_id}",
        detail={"owed": owed, "batch": batch.pk},
    )


def _changed() -> None:
    outbox.forget()
    transaction.on_commit(outbox.forget)
    transaction.on_commit(lambda: queue.ring(outbox.KIND))


# ---- status ---


def activate(*, fhir_id: str, seen: datetime, now: datetime) -> bool:
    """It answered, or needs no answer: it is served. False when it has been changed since `seen` (its changed_at)."""
    with transaction.atomic():
        row = _locked(fhir_id)
        if row is None or row.status != REQUESTED or row.changed_at != seen:
            return False
        _switch(row, ACTIVE, "", now)
        row.failures, row.not_before, row.last_success_at = 0, None, now
        row.save(update_fields=["failures", "not_before", "last_success_at"])
    return True


def stop_with_error(*, fhir_id: str, error: str, now: datetime, actor: Actor = PRODUCT) -> None:
    """It cannot be served, and says so: status error, with the reason in Subscription.error."""
    with transaction.atomic():
        row = _locked(fhir_id)
        if row is not None and row.status in (REQUESTED, ACTIVE):
            _switch(row, ERROR, error, now, actor)


def resume(*, fhir_id: str, actor: Actor, now: datetime) -> None:
    """Have it activated anew: what is owed to it is then sent, in order. Raises NotFound."""
    with transaction.atomic():
        row = _locked(fhir_id)
        if row is None:
            raise NotFound("There is no such subscription.")
        _switch(row, REQUESTED, "", now, actor)
        row.failures, row.not_before, row.last_failure = 0, None, ""
        row.save(update_fields=["failures", "not_before", "last_failure"])


def switch_off(*, fhir_id: str, actor: Actor, now: datetime, reason: str = "") -> None:
    """Nothing is sent and nothing new is kept for it until it is resumed. Raises NotFound."""
    with transaction.atomic():
        row = _locked(fhir_id)
        if row is None:
            raise NotFound("There is no such subscription.")
        _switch(row, OFF, reason, now, actor)


def end_those_due(*, now: datetime) -> int:
    """Subscription.end has come: off. Returns how many."""
    due = Subscription.objects.filter(ends_at__lte=now).exclude(status=OFF).values_list("fhir_id", flat=True)
    for fhir_id in list(due):
        switch_off(fhir_id=fhir_id, actor=PRODUCT, now=now)
    return len(due)


def _locked(fhir_id: str) -> Subscription | None:
    return Subscription.objects.select_for_update().filter(fhir_id=fhir_id).first()


def _switch(row: Subscription, status: str, error: str, now: datetime, actor: Actor = PRODUCT) -> None:
    row.status, row.error, row.changed_at = status, error[:300], now
    row.save(update_fields=["status", "error", "changed_at"])
    document = Document.objects.select_for_update().filter(type=TYPE, fhir_id=row.fhir_id, deleted=False).first()
    if document is not None:
        _say(document, status, row.error, now)
    audit.record(
        actor=actor,
        now=now,
        action=f"subscription_{status}",
        entity=f"{TYPE}/{row.fhir_id}",
        detail={"error": row.error} if row.error else {},
    )
    _changed()


def _say(document: Document, status: str, error: str, now: datetime) -> None:
    """A new version of the document with its status and error; everything else stays as it was sent."""
    content = loads(document.content)
    if content.get("status") == status and content.get("error", "") == error:
        return
    DocumentVersion.objects.create(
        document=document,
        version=document.version,
        content=document.content,
        updated_at=document.updated_at,
        batch=document.batch,
    )
    document.version += 1
    document.updated_at = now
    document.content = dumps(_with_status(content, status, error, document.version, now))
    document.save(update_fields=["version", "updated_at", "content"])
    DocumentIndex.objects.filter(document=document, param="status").update(value=status)


def _with_status(content: Mapping[str, Any], status: str, error: str, version: int, now: datetime) -> dict[str, Any]:
    meta = {**content.get("meta", {}), "versionId": str(version), "lastUpdated": instant(now)}
    said = {key: value for key, value in content.items() if key != "error"}
    return {**said, "meta": meta, "status": status, **({"error": error} if error else {})}


# ---- what has been given up or waits ---


def replay(
    *, fhir_id: str, actor: Actor, now: datetime, numbers: tuple[int, ...] | None = None, since: int | None = None
) -> int:
    """Send again: these event numbers, or all from number `since` on, or (neither) all that was given up.

    They go out in order of number, before what came later. Returns how many. A subscription in error is activated
    anew; raises Conflict when it is off, NotFound when there is none.
    """
    with transaction.atomic():
        row = _locked(fhir_id)
        if row is None:
            raise NotFound("There is no such subscription.")
        if row.status == OFF:
            raise Conflict("The subscription is off: switch it on first.")
        wanted = _wanted(numbers, since)
        fresh = {"status": SubscriptionEvent.Status.WAITING, "attempts": 0, "sent_at": None, "cause": ""}
        count = row.events.filter(wanted).update(**fresh)
        audit.record(
            actor=actor, now=now, action="subscription_replay", entity=f"{TYPE}/{fhir_id}", detail={"events": count}
        )
        if row.status == ERROR:
            resume(fhir_id=fhir_id, actor=actor, now=now)
        else:
            Subscription.objects.filter(pk=row.pk).update(not_before=None, failures=0)
            transaction.on_commit(lambda: queue.ring(outbox.KIND))
    return count


def _wanted(numbers: tuple[int, ...] | None, since: int | None) -> Q:
    if numbers is not None:
        return Q(number__in=numbers)
    if since is not None:
        return Q(number__gte=since)
    return Q(status=SubscriptionEvent.Status.DEAD)


def discard(*, fhir_id: str, numbers: tuple[int, ...], reason: str, actor: Actor, now: datetime) -> int:
    """Somebody has judged that these given-up events need not arrive. Raises Invalid without a reason."""
    if not reason.strip():
        raise Invalid("Say why it need not arrive.", field="reason")
    rows = SubscriptionEvent.objects.filter(subscription__fhir_id=fhir_id, number__in=numbers)
    with transaction.atomic():
        count = rows.filter(status=SubscriptionEvent.Status.DEAD).delete()[0]
        audit.record(
            actor=actor,
            now=now,
            action="subscription_discard",
            entity=f"{TYPE}/{fhir_id}",
            detail={"events": list(numbers), "reason": reason.strip()[:300]},
        )
    return count


def thin(*, now: datetime) -> int:
    """Drop events that arrived, and those of subscriptions out of service, after KEPT_FOR; returns how many."""
    old = SubscriptionEvent.objects.filter(at__lt=now - KEPT_FOR)
    sent = old.filter(status=SubscriptionEvent.Status.SENT)
    unwanted = old.filter(subscription__status__in=[OFF, ERROR]).exclude(status=SubscriptionEvent.Status.SENT)
    lost = unwanted.count()
    if lost:
        audit.record(actor=PRODUCT, now=now, action="subscription_thinned", entity=TYPE, detail={"events": lost})
    return sent.delete()[0] + unwanted.delete()[0]
