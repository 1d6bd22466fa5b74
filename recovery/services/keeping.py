"""Storing what a refresh concluded: alerts, twin, snapshot and the event that open pages wait for."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from recovery import queue
from recovery.models import LiveEvent, Snapshot, Twin
from recovery.queue import Claim
from recovery.services import alerting, assessment, outbox
from recovery.services.assessment import Assessment
from recovery.services.twinning import Folded
from recovery.snapshot_row import for_row


class ClaimLost(Exception):
    """The claim ran out and somebody else has the work: what was computed is not stored."""


@dataclass(frozen=True, slots=True)
class Conclusion:
    """One episode's twin after the fold, what follows from it, and the row to rewrite (None: the first)."""

    folded: Folded
    assessed: Assessment
    twin: Twin | None


def keep(claim: Claim, conclusion: Conclusion, now: datetime) -> None:
    """Store it all; the caller holds the transaction. Raises ClaimLost."""
    episode, assessed = conclusion.folded.episode, conclusion.assessed
    if not queue.settle(claim):
        raise ClaimLost
    alerting.apply_candidates(episode=episode, candidates=assessed.candidates, now=now)
    alerting.wake_broken(episode=episode, content=assessed.content, now=now)
    content = assessment.with_state(assessed, alerting.open_severities(episode))
    _keep_twin(conclusion, now)
    _keep_snapshot(conclusion, content, now)
    outbox.note_risks(episode=episode, risks=content.get("risks") or (), now=now)
    LiveEvent.objects.create(at=now, kind="twin", episode=episode, team_id=episode.team_id)


def _keep_twin(conclusion: Conclusion, now: datetime) -> None:
    state = conclusion.folded.fold.state
    said = {
        "state": state.to_plain(),
        "memory": conclusion.assessed.memory,
        "model_version": state.model_version,
        "computed_at": now,
        "data_until": conclusion.assessed.data_until,
    }
    if conclusion.twin is None:
        Twin.objects.update_or_create(episode=conclusion.folded.episode, defaults=said)
    else:
        Twin.objects.filter(pk=conclusion.twin.pk).update(**said)


def _keep_snapshot(conclusion: Conclusion, content: dict[str, Any], now: datetime) -> None:
    """Rewrite this clock hour's snapshot, or begin a new one; earlier hours stay as they were."""
    hour = int(now.timestamp() // 3600)
    said = {
        "made_at": now,
        "data_until": conclusion.assessed.data_until,
        "model_version": conclusion.assessed.model_version,
        "content": content,
        "row": for_row(content),
    }
    mine = Snapshot.objects.filter(episode=conclusion.folded.episode)
    if mine.filter(hour=hour, current=True).update(**said):
        return
    mine.filter(current=True).update(current=False, row=None)
    Snapshot.objects.update_or_create(episode=conclusion.folded.episode, hour=hour, defaults={**said, "current": True})
