"""CDS cards: which EHRs may sign for themselves, what was shown to whom, and what came of it."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from recovery import audit
from recovery.audit import Actor
from recovery.exceptions import Invalid, NotFound
from recovery.models import Alert, Card, Connection, SpentToken, TrustedEhr

OUTCOMES = ("accepted", "overridden")
# Override reasons that judge the alert itself; the others say nothing about it.
NOT_USEFUL = frozenset(("expected-course", "false-alarm", "device-problem"))


@dataclass(frozen=True, slots=True)
class NewCard:
    """A card about to be shown. `alert`: key of the alert that it is about, if it is about one."""

    key: UUID
    indicator: str
    alert: UUID | None = None


@dataclass(frozen=True, slots=True)
class Feedback:
    card: UUID
    outcome: str
    at: datetime | None = None
    reason: str = ""
    comment: str = ""


def trust_ehr(
    *, connection: str, issuer: str, actor: Actor, now: datetime, jwks: Mapping[str, Any] | None = None, url: str = ""
) -> None:
    """Let the connected system of that name call with JWTs that `issuer` signs. Raises NotFound, Invalid."""
    row = Connection.objects.filter(name=connection, revoked_at__isnull=True).first()
    if row is None:
        raise NotFound("There is no connected system of that name: issue it a token first.")
    if not issuer.startswith("https://") or len(issuer) > 300:
        raise Invalid("The issuer is an https address, as the EHR writes it in iss.", field="issuer")
    if bool(jwks) == bool(url):
        raise Invalid("Give its public keys, or the address where they are, not both.", field="jwks")
    known = TrustedEhr.objects.filter(issuer=issuer).exclude(connection=row)
    if known.exists():
        raise Invalid("That issuer signs for another connected system.", field="issuer")
    said = {"connection": row, "jwks": dict(jwks or {}), "jwks_url": url}
    with transaction.atomic():
        TrustedEhr.objects.update_or_create(issuer=issuer, defaults=said, create_defaults={**said, "created_at": now})
        audit.record(actor=actor, now=now, action="trust_ehr", entity=f"Connection/{row.pk}", detail={"issuer": issuer})


def spend_token(*, ehr_id: int, jti: str, expires_at: datetime, now: datetime) -> bool:
    """False when this jti was used before. Those that have run out are cleared away."""
    mark = hashlib.sha256(jti.encode()).hexdigest()
    SpentToken.objects.filter(expires_at__lt=now).delete()
    try:
        with transaction.atomic():
            SpentToken.objects.create(ehr_id=ehr_id, jti=mark, expires_at=expires_at)
    except IntegrityError:
        return False
    return True


def show_cards(
    *,
    service: str,
    cards: Sequence[NewCard],
    episode_id: int | None,
    patient_id: int | None,
    connection_id: int | None,
    actor: Actor,
    now: datetime,
) -> None:
    """Write down what is about to be shown; the audit row is written as well when there is nothing to show."""
    alerts = dict(
        Alert.objects.filter(key__in=[one.alert for one in cards if one.alert]).values_list("key", "pk")
        if any(one.alert for one in cards)
        else ()
    )
    with transaction.atomic():
        if episode_id is not None:
            Card.objects.bulk_create(
                Card(
                    key=one.key,
                    service=service,
                    shown_at=now,
                    connection_id=connection_id,
                    episode_id=episode_id,
                    alert_id=alerts.get(one.alert) if one.alert else None,
                    indicator=one.indicator,
                )
                for one in cards
            )
        audit.record(
            actor=actor,
            now=now,
            action="cds_call",
            patient_ids=[patient_id],
            entity=f"cds-services/{service}",
            detail={"cards": len(cards)},
        )


def take_feedback(
    *, service: str, feedback: Sequence[Feedback], connection_id: int | None, actor: Actor, now: datetime
) -> int:
    """What became of cards that this system was shown; a later word replaces an earlier one. Returns how many.

    Raises NotFound when none of them was shown to it, Invalid for an outcome that is none.
    """
    if any(one.outcome not in OUTCOMES for one in feedback):
        raise Invalid(f"outcome is one of {', '.join(OUTCOMES)}.", field="outcome")
    by_key = {one.card: one for one in feedback}
    with transaction.atomic():
        mine = Card.objects.select_for_update(of=("self",)).select_related("episode", "alert")
        rows = list(mine.filter(key__in=by_key, service=service, connection=connection_id))
        if not rows:
            raise NotFound("None of these cards was shown to this system.")
        for row in rows:
            _take(row, by_key[row.key], now)
            audit.record(
                actor=actor,
                now=now,
                action="cds_feedback",
                patient_ids=[row.episode.patient_id],
                entity=f"Card/{row.key}",
                detail={"outcome": row.outcome, "reason": row.reason},
            )
    return len(rows)


def _take(row: Card, said: Feedback, now: datetime) -> None:
    """An alert that nobody has judged yet is judged by it: taken up is useful, put aside as wrong is not."""
    row.outcome, row.outcome_at = said.outcome, min(said.at or now, now)
    row.reason, row.comment = said.reason[:60], said.comment[:500]
    row.save(update_fields=["outcome", "outcome_at", "reason", "comment"])
    useful = True if said.outcome == "accepted" else False if said.reason in NOT_USEFUL else None
    if row.alert_id is not None and useful is not None:
        Alert.objects.filter(pk=row.alert_id, useful__isnull=True).update(useful=useful)
