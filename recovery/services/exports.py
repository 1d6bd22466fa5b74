"""Bulk exports as jobs: asking for one, going on with it slice by slice, ending it, and clearing it away.

The row is the truth and the broker a doorbell, as for all work. A slice takes the row up, moves `position` forward at
each checkpoint, and lets it go; one whose worker was killed is taken up at its last checkpoint when its claim runs out.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from celery import current_app
from django.db import transaction
from django.db.models import F, Q, QuerySet

from recovery import audit, export_files
from recovery.audit import Actor
from recovery.exceptions import Conflict, NotFound
from recovery.models import Export, ExportMember, Patient
from recovery.selectors.pipes import is_paused

logger = logging.getLogger(__name__)

TASK, QUEUE = "recovery.export", "alerts"
PIPE = "exports"
CLAIM_FOR = timedelta(seconds=60)
"""Renewed at every checkpoint, so that a kill is healed within a minute."""
LIFETIME = timedelta(hours=24)
MOST_OPEN = 2  # of one system
MOST_OPEN_IN_ALL = 8
MOST_IN_VAIN = 5  # slices without a checkpoint, after which it has failed
LEAST_FREE = 2 << 30  # bytes that the disk keeps for the wards
OPEN = (Export.Status.QUEUED, Export.Status.RUNNING)


class TooMany(Conflict):
    """This system, or all together, have as many exports under way as there may be (HTTP 429)."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked. `wanted`: in the door's words. `members`: FHIR ids of patients, None for all there are."""

    kind: str
    request: str
    base: str
    wanted: Mapping[str, Any]
    group: str = ""
    members: Sequence[str] | None = None


@dataclass(frozen=True, slots=True)
class Slice:
    """An export taken up: `attempt` tells this taking from another one of the same row."""

    row_id: int
    key: UUID
    kind: str
    scopes: str
    base: str
    wanted: Mapping[str, Any]
    transaction_time: datetime
    attempt: int
    position: dict[str, Any] = field(default_factory=dict)
    output: list[dict[str, Any]] = field(default_factory=list)


def ask(*, wish: Wish, actor: Actor, now: datetime) -> UUID:
    """Ask for an export of what stands at `now`; returns its key. Raises TooMany, Conflict (no room on the disk)."""
    asker = _asker(actor)
    clear_expired(now=now)
    with transaction.atomic():
        _check_quota(asker)
        row = Export.objects.create(
            kind=wish.kind,
            group=wish.group,
            connection_id=asker,
            scopes=actor.scopes,
            request=wish.request,
            base=wish.base,
            wanted=dict(wish.wanted),
            transaction_time=now,
            created_at=now,
            words="Waiting for a worker.",
        )
        if wish.members is not None:
            _keep_members(row, wish.members)
        detail = {"kind": wish.kind, "group": wish.group, **wish.wanted}
        audit.record(actor=actor, now=now, action="export_asked", entity=f"Export/{row.key}", detail=detail)
        transaction.on_commit(ring)
    return row.key


def _asker(actor: Actor) -> int:
    """Raises NotFound for one who is no connected system: exports are for systems."""
    if actor.kind != "connection" or actor.id is None:
        raise NotFound("There is no such export.")
    return actor.id


def _check_quota(asker: int) -> None:
    rows = Export.objects.filter(status__in=OPEN)
    if rows.filter(connection_id=asker).count() >= MOST_OPEN:
        raise TooMany(f"{MOST_OPEN} of your exports are under way: wait for one, or cancel one (DELETE its status).")
    if rows.count() >= MOST_OPEN_IN_ALL:
        raise TooMany(f"{MOST_OPEN_IN_ALL} exports are under way already: try again later.")
    if export_files.free_bytes() < LEAST_FREE:
        raise Conflict("The disk for exports is almost full: tell the operator, or try again when exports expired.")


def _keep_members(row: Export, fhir_ids: Sequence[str]) -> None:
    for start in range(0, len(fhir_ids), 500):
        known = Patient.objects.filter(fhir_id__in=fhir_ids[start : start + 500], deleted_at__isnull=True)
        members = [ExportMember(export=row, patient_id=pk) for pk in known.values_list("pk", flat=True)]
        ExportMember.objects.bulk_create(members, ignore_conflicts=True)


def ring() -> None:
    """Wake a worker. A bell that cannot be rung is no error: beat rings again."""
    try:
        current_app.send_task(TASK, queue=QUEUE, retry=False, expires=60)
    except Exception as error:
        logger.warning("doorbell not rung, beat will ring again: %s", type(error).__name__)


def take_up(*, now: datetime) -> Slice | None:
    """Claim the open export that had the fewest slices; exactly one worker wins it. None when there is none, or an
    administrator has paused exports."""
    if is_paused(PIPE):
        return None
    for row in _open(now).order_by("attempts", "created_at", "pk")[:MOST_OPEN_IN_ALL]:
        mine = _open(now).filter(pk=row.pk, attempts=row.attempts)
        if not mine.update(status=Export.Status.RUNNING, attempts=F("attempts") + 1, claimed_until=now + CLAIM_FOR):
            continue
        taken = _slice(row, row.attempts + 1)
        if taken.attempt - int(taken.position.get("attempt", 0)) <= MOST_IN_VAIN:
            return taken
        fail(taken=taken, why=f"Its worker was killed {MOST_IN_VAIN} times at one place (out of memory?).", now=now)
    return None


def _open(now: datetime) -> QuerySet[Export]:
    unclaimed = Q(claimed_until__isnull=True) | Q(claimed_until__lte=now)
    return Export.objects.filter(unclaimed, status__in=OPEN)


def _slice(row: Export, attempt: int) -> Slice:
    return Slice(
        row.pk,
        row.key,
        row.kind,
        row.scopes,
        row.base,
        row.wanted,
        row.transaction_time,
        attempt,
        dict(row.position),
        list(row.output),
    )


def checkpoint(*, taken: Slice, progress: int, words: str, written: int, now: datetime) -> bool:
    """Keep `taken.position` and `taken.output`, renew the claim. False: stop, it was cancelled or is another's now."""
    taken.position["attempt"] = taken.attempt
    said = {"position": taken.position, "output": taken.output, "written": written}
    return _store(taken, progress=min(progress, 100), words=words[:500], claimed_until=now + CLAIM_FOR, **said)


def let_go(*, taken: Slice) -> bool:
    """The slice is over and the export is not: whoever comes next goes on at the last checkpoint."""
    return _store(taken, claimed_until=None)


def finish(*, taken: Slice, now: datetime) -> bool:
    """All files are written. Each patient whose record was told has a row of the trail."""
    with transaction.atomic():
        ended = {"ended_at": now, "expires_at": now + LIFETIME, "claimed_until": None}
        won = _store(taken, status=Export.Status.DONE, progress=100, words="Done.", output=taken.output, **ended)
        if won:
            row = Export.objects.select_related("connection").get(pk=taken.row_id)
            detail = {"files": len(taken.output), "resources": sum(one["count"] for one in taken.output)}
            actor = Actor("connection", row.connection_id, row.connection.name, "", row.scopes)
            audit.record(
                actor=actor,
                now=now,
                action="export",
                patient_ids=_told(row) or (None,),
                entity=f"Export/{row.key}",
                detail=detail,
            )
    return won


def _told(row: Export) -> list[int]:
    if row.members.exists() or row.kind == Export.Kind.GROUP:
        return list(row.members.order_by("patient_id").values_list("patient_id", flat=True))
    return list(Patient.objects.filter(deleted_at__isnull=True).order_by("pk").values_list("pk", flat=True))


def fail(*, taken: Slice, why: str, now: datetime) -> bool:
    with transaction.atomic():
        ended = {"ended_at": now, "expires_at": now + LIFETIME, "claimed_until": None}
        won = _store(taken, status=Export.Status.FAILED, words=why[:500], **ended)
        if won:
            detail = {"why": why[:200]}
            audit.record(
                actor=Actor.system("export"),
                now=now,
                action="export",
                entity=f"Export/{taken.key}",
                outcome="failed",
                detail=detail,
            )
            transaction.on_commit(lambda: export_files.remove(taken.key))
    return won


def _store(taken: Slice, **said: Any) -> bool:
    mine = Export.objects.filter(pk=taken.row_id, status=Export.Status.RUNNING, attempts=taken.attempt)
    return bool(mine.update(**said))


def is_cancelled(*, taken: Slice) -> bool:
    return not Export.objects.filter(pk=taken.row_id).exclude(status=Export.Status.CANCELLED).exists()


def cancel(*, key: UUID, actor: Actor, now: datetime) -> None:
    """Stop an export, or drop one that has ended; its files go. Raises NotFound for one that is not this system's."""
    with transaction.atomic():
        row = Export.objects.select_for_update().filter(key=key, connection_id=_asker(actor)).first()
        if row is None or row.status == Export.Status.CANCELLED:
            raise NotFound("There is no such export.")
        Export.objects.filter(pk=row.pk).update(
            status=Export.Status.CANCELLED, ended_at=now, claimed_until=None, words="Cancelled.", output=[]
        )
        audit.record(actor=actor, now=now, action="export_cancelled", entity=f"Export/{key}")
        transaction.on_commit(lambda: export_files.remove(key))


def clear_expired(*, now: datetime) -> int:
    """Remove the files of exports whose time is over, and their rows a week later; returns how many lost files."""
    gone = 0
    for row in Export.objects.filter(expires_at__lte=now).exclude(status=Export.Status.CANCELLED):
        export_files.remove(row.key)
        Export.objects.filter(pk=row.pk).update(
            status=Export.Status.CANCELLED, ended_at=now, output=[], words="Expired: its files were removed."
        )
        gone += 1
    Export.objects.filter(status=Export.Status.CANCELLED, ended_at__lte=now - timedelta(days=7)).delete()
    return gone
