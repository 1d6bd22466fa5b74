"""Taking in what a door delivers: one transaction, one receipt, and the work that follows from it owed.

The order inside the transaction: documents (so that patients exist), then series, samples and packets, then the audit
rows, then the work owed for the twins that changed. A 2xx may be sent only after `deliver` has returned.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import F

from recovery import audit, queue
from recovery.audit import Actor
from recovery.exceptions import Conflict, RecoveryError
from recovery.models import Batch, UnmappedCode
from recovery.models.streams_sql import insert_batch
from recovery.services import documents, outbox, projected, promotion, references, repeats, streams, subscriptions
from recovery.services.changes import Changes
from recovery.services.documents import StoredDocument
from recovery.services.intake import Delivery, DocumentWrite, Outcome, Receipt, SubscriptionFacts, Unmapped


class PromiseBroken(Conflict):
    """An item got another id than the one under which others refer to it: it was held already, or somebody was first.

    Nothing was stored; sent again with `fhir_id` in the references, it is.
    """

    def __init__(self, index: int, fhir_id: str) -> None:
        super().__init__("Others were writing the same at the same time; send it again.")
        self.index = index
        self.fhir_id = fhir_id


class DeliveryRefused(RecoveryError):
    """An atomic delivery held an item that was refused: nothing of it was stored."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.reason, field=outcome.field)
        self.outcome = outcome


def deliver(*, delivery: Delivery, actor: Actor, now: datetime, atomic: bool) -> Receipt:
    """Store a delivery and owe the work that follows from it.

    atomic: all or nothing, raises DeliveryRefused at the first refused item. Otherwise each item succeeds or is
    refused by itself. Sending the same delivery again stores nothing and answers `unchanged` for each item.
    Raises PromiseBroken, having stored nothing, where a promised id could not be given.
    """
    with transaction.atomic():
        batch = _opened(delivery, actor, now)
        changes = Changes()
        _store_documents(delivery, batch, now, changes, atomic)
        streams.store(delivery.readings, delivery.packets, batch, now, changes, delivery.stands)
        _tell_again(delivery, batch, now, changes, atomic)
        if atomic:
            _refuse_all_if_one_is_refused(changes)
        _keep_promises(delivery, changes)
        repeats.count(changes, batch)
        _list_unmapped((*delivery.unmapped, *changes.unmapped), now)
        patients, detail = sorted(changes.touched), {"channel": delivery.channel, "items": len(changes.outcomes)}
        trail = audit.statement(actor, now, "ingest", patients or (None,), f"Batch/{batch.pk}", detail=detail)
        queue.owe_twins(dirty=changes.dirty, now=now, first=[trail])  # last: it holds what others wait for
    return Receipt(batch.pk, changes.outcomes)


def _opened(delivery: Delivery, actor: Actor, now: datetime) -> Batch:
    batch = Batch(
        connection_id=actor.id if actor.kind == "connection" else None,
        channel=delivery.channel,
        received_at=now,
        readings=len(delivery.readings) + len(delivery.packets),
        documents=len(delivery.documents),
    )
    said = batch.connection_id, batch.channel, now, batch.readings, batch.documents
    batch.pk = insert_batch(*said)
    return batch


def _in_order_of_dependence(writes: Sequence[DocumentWrite]) -> list[DocumentWrite]:
    """Deletes first (FHIR R4 http#trules), then patients before what points at them; otherwise as sent."""
    return sorted(writes, key=lambda write: (write.method != "delete", write.type != "Patient"))


def _store_documents(delivery: Delivery, batch: Batch, now: datetime, changes: Changes, atomic: bool) -> None:
    """Each document once what it refers to is here; those that wait for something that never comes are refused."""
    missing = references.absent_from(delivery, atomic=atomic)
    waiting = _in_order_of_dependence(delivery.documents)
    while ready := [write for write in waiting if missing.isdisjoint(write.references)]:
        waiting = [write for write in waiting if not missing.isdisjoint(write.references)]
        for write in ready:
            _store_document(write, batch, now, changes, atomic)
            if write.method != "delete" and changes.outcomes[write.index].status != "refused":
                missing.discard((write.type, write.fhir_id or ""))
    for write in waiting:
        _refuse(write, references.refusal(write.references, missing), changes, atomic)


def _refuse(write: DocumentWrite, error: RecoveryError, changes: Changes, atomic: bool) -> None:
    refused = Outcome(write.index, "refused", write.type, "", 0, None, error.message, error.field, type(error).__name__)
    if atomic:
        raise DeliveryRefused(refused) from error
    changes.outcomes[write.index] = refused


def _store_document(write: DocumentWrite, batch: Batch, now: datetime, changes: Changes, atomic: bool) -> None:
    """Store one document; refused, it costs only itself: its savepoint rolls back."""
    try:
        with transaction.atomic():
            promotion.promote(write, batch, changes)
            stored = documents.write_document(write, batch, now)
            if write.type == "Observation" and stored.outcome.status != "unchanged":
                projected.store_projected(stored.patient_id, stored.outcome.fhir_id, write.samples, batch, changes)
            _tell_subscribers(write, stored, batch, now)
    except RecoveryError as error:
        _refuse(write, error, changes, atomic)
        return
    changes.outcomes[write.index] = stored.outcome
    if write.type == "Observation" and write.samples and stored.outcome.status == "unchanged":
        changes.resaid.append(stored.outcome.fhir_id)
    if stored.patient_id is not None:
        changes.touched.add(stored.patient_id)
        if stored.facts_changed:
            changes.facts(stored.patient_id)
    if stored.left_patient_id is not None:
        changes.touched.add(stored.left_patient_id)
        changes.facts(stored.left_patient_id)


def _tell_subscribers(write: DocumentWrite, stored: StoredDocument, batch: Batch, now: datetime) -> None:
    """What subscriptions may want to know of is written down; a Subscription itself is taken into service."""
    outcome = stored.outcome
    if outcome.status in ("created", "updated"):
        version, patient_id = outcome.version, stored.patient_id
        outbox.note_document(
            type_name=write.type, fhir_id=outcome.fhir_id, version=version, patient_id=patient_id, now=now
        )
        if isinstance(write.facts, SubscriptionFacts):
            subscriptions.follow(fhir_id=outcome.fhir_id, facts=write.facts, batch=batch, now=now)
    elif outcome.status == "deleted" and write.type == subscriptions.TYPE:
        subscriptions.end(fhir_id=outcome.fhir_id, batch=batch, now=now)


def _tell_again(delivery: Delivery, batch: Batch, now: datetime, changes: Changes, atomic: bool) -> None:
    """Readings that were taken back and are sent again, or are sent under a second id, become documents there."""
    if delivery.retell is None:
        return
    for reading, fhir_id in changes.retold:
        if reading.index in delivery.promised:  # it has an id already: `_keep_promises` says which
            continue
        standing = documents.standing("Observation", fhir_id)
        write = delivery.retell(reading, fhir_id, standing.content if standing else None)
        if write is not None:
            _store_document(write, batch, now, changes, atomic)
        elif standing is not None:
            changes.outcomes[reading.index] = documents.unchanged(standing, reading.index)


def _refuse_all_if_one_is_refused(changes: Changes) -> None:
    for outcome in changes.outcomes.values():
        if outcome.status == "refused":
            raise DeliveryRefused(outcome)


def _keep_promises(delivery: Delivery, changes: Changes) -> None:
    for index, fhir_id in delivery.promised.items():
        outcome = changes.outcomes[index]
        if outcome.status != "refused" and outcome.fhir_id != fhir_id:
            raise PromiseBroken(index, outcome.fhir_id)


def _list_unmapped(unmapped: Iterable[Unmapped], now: datetime) -> None:
    """Count each code and unit that no metric fits: listed for an administrator, never lost in silence."""
    counted: dict[tuple[str, str, str], tuple[Unmapped, int]] = {}
    for one in unmapped:
        key = (one.system[:300], one.code[:100], one.unit[:60])
        counted[key] = (one, counted.get(key, (one, 0))[1] + 1)
    for (system, code, unit), (one, readings) in sorted(counted.items()):
        row, _ = UnmappedCode.objects.get_or_create(
            system=system,
            code=code,
            unit=unit,
            defaults={"display": one.display[:300], "reason": one.reason[:200], "first_seen": now, "last_seen": now},
        )
        UnmappedCode.objects.filter(pk=row.pk).update(readings=F("readings") + readings, last_seen=now)
