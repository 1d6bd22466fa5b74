"""Pathways as people publish them: each time a new version; who runs on an older one stays on it, or is moved."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from recovery import audit, queue
from recovery.audit import Actor
from recovery.exceptions import Conflict, Invalid
from recovery.models import Episode, EpisodeChange, Pathway, User
from recovery.pathway_plan import Plan
from recovery.permissions import check_user_can_edit_pathways, current_team_ids
from recovery.twin.alert_policy import AlertPolicy
from recovery.twin.errors import TwinError
from recovery.twin.profile import PROCEDURES

KEY = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


@dataclass(frozen=True, slots=True)
class Draft:
    """Everything of a version but its number. `policy` and `content` as models.Pathway keeps them."""

    key: str
    name: str
    procedure: str
    days: int
    policy: Mapping[str, Any]
    content: Mapping[str, Any]

    def check(self) -> None:
        """Raises Invalid naming field, value and remedy."""
        if not KEY.fullmatch(self.key) or self.key == "new":
            raise Invalid(f'key: "{self.key}" cannot be used. Use small letters, digits and -.', field="key")
        if not self.name.strip() or len(self.name) > 120:
            raise Invalid("name: write 1 to 120 characters.", field="name")
        if self.procedure and self.procedure not in PROCEDURES:
            raise Invalid(
                f'procedure: "{self.procedure}" is not in the catalogue. Choose one of the list.', field="procedure"
            )
        if not 1 <= self.days <= 365:
            raise Invalid(f'days: "{self.days}" cannot be used. Give 1 to 365.', field="days")
        Plan.from_plain(self.content).check_within(self.days)
        try:
            AlertPolicy.from_plain(self.policy)
        except TwinError as error:
            raise Invalid(f"policy: {error}.", field="policy") from error


def publish(
    *,
    draft: Draft,
    base_version: int,
    note: str,
    move_running: bool,
    user: User,
    actor: Actor,
    now: datetime,
) -> tuple[Pathway, int]:
    """The next version, and how many running episodes moved to it. `base_version`: the one that was edited; 0: none.

    With `move_running` a lead moves the episodes of their teams, an administrator all. Raises Forbidden, Invalid, and
    Conflict when somebody published in the meantime or nothing has changed.
    """
    check_user_can_edit_pathways(user)
    draft.check()
    if not note.strip():
        raise Invalid("note: say in a few words what is new and why.", field="note")
    with transaction.atomic():
        last = Pathway.objects.select_for_update().filter(key=draft.key).order_by("-version").first()
        _refuse_stale(draft, last, base_version)
        Pathway.objects.filter(key=draft.key, active=True).update(active=False)
        try:
            with transaction.atomic():
                pathway = _store(draft, base_version + 1, note, actor, now)
        except IntegrityError as error:
            raise Conflict("Somebody published this pathway in the meantime. Your edits are kept below.") from error
        detail = {"note": note.strip()[:300]}
        entity = f"Pathway/{pathway.key}/{pathway.version}"
        audit.record(actor=actor, now=now, action="publish_pathway", entity=entity, detail=detail)
        moved = _move(pathway, user, actor, now) if move_running else 0
    return pathway, moved


def _refuse_stale(draft: Draft, last: Pathway | None, base_version: int) -> None:
    newest = last.version if last else 0
    if newest != base_version:
        who = f" by {last.published_by}" if last and last.published_by else ""
        if base_version == 0:
            raise Conflict(f'key: there is a pathway "{draft.key}" already. Choose another key.', field="key")
        raise Conflict(
            f"Version {newest} was published{who} while you edited version {base_version}. Compare and edit that one.",
            field="base_version",
        )
    if last is not None and _said(last) == (
        draft.name,
        draft.procedure,
        draft.days,
        dict(draft.policy),
        dict(draft.content),
    ):
        raise Conflict("Nothing has changed, so there is nothing to publish.")


def _said(row: Pathway) -> tuple[Any, ...]:
    content = row.content or Plan.from_plain({}).to_plain()
    return row.name, row.procedure, row.days, row.policy, content


def _store(draft: Draft, version: int, note: str, actor: Actor, now: datetime) -> Pathway:
    return Pathway.objects.create(
        key=draft.key,
        version=version,
        name=draft.name.strip(),
        procedure=draft.procedure,
        days=draft.days,
        policy=dict(draft.policy),
        content=dict(draft.content),
        note=note.strip()[:300],
        published_at=now,
        published_by=actor.name,
    )


def _move(pathway: Pathway, user: User, actor: Actor, now: datetime) -> int:
    """Running episodes on an older version of it; each with a change that can be taken back."""
    running = Episode.objects.select_for_update(of=("self",)).select_related("pathway")
    running = running.filter(pathway__key=pathway.key, status__in=["planned", "active"]).exclude(pathway=pathway)
    if user.role != User.Role.ADMINISTRATOR:
        running = running.filter(team_id__in=current_team_ids(user, now))
    rows = list(running.order_by("pk"))
    EpisodeChange.objects.bulk_create(
        EpisodeChange(
            episode=row,
            what=EpisodeChange.What.PATHWAY,
            before={"key": pathway.key, "version": row.pathway.version if row.pathway else 0},
            after={"key": pathway.key, "version": pathway.version},
            reason=f"Version {pathway.version} was published",
            at=now,
            actor_name=actor.name,
        )
        for row in rows
    )
    Episode.objects.filter(pk__in=[row.pk for row in rows]).update(pathway=pathway)
    patients = sorted({row.patient_id for row in rows})
    if patients:
        audit.record(actor=actor, now=now, action="plan", patient_ids=patients, entity=f"Pathway/{pathway.key}")
        queue.owe_twins(dirty=dict.fromkeys(patients), now=now)
    return len(rows)
