"""Bringing twins up to date: claim what is owed, fold, assess, store; one Snapshot an episode comes out of it.

What a pass stores goes into one transaction with the settling of the work owed, so a worker that dies in between has
done nothing, and the work is still owed.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from django.db import transaction
from django.db.models import F, OuterRef, Q, Subquery

from recovery import queue
from recovery.models import Episode, Owed, Twin
from recovery.queue import Claim
from recovery.services import assessment, keeping, served_models, twinning
from recovery.services.keeping import ClaimLost, Conclusion
from recovery.services.served_models import Models
from recovery.services.twinning import Folded, Prepared

logger = logging.getLogger(__name__)

KIND = "twin"
EPISODES_A_PASS = 12
# A task gives way after this long, well under its time limit, and rings for the rest.
WORK_FOR = timedelta(seconds=45)
# Silence is a signal too: an active twin is looked at again at least this often.
LOOK_AGAIN_AFTER = timedelta(hours=1)
SILENT_A_SWEEP = 500

Clock = Callable[[], datetime]
Result = TypeVar("Result")


def refresh_owed(*, clock: Clock) -> int:
    """Refresh every twin that is owed it, oldest work first; returns how many were brought up to date."""
    stop_at = clock() + WORK_FOR
    done = 0
    while clock() < stop_at:
        claims = queue.claim(kind=KIND, limit=EPISODES_A_PASS, now=clock())
        if not claims:
            return done
        done += _refresh(claims, clock())
    queue.ring(KIND)
    return done


def _refresh(claims: list[Claim], now: datetime) -> int:
    """One pass. An episode that cannot be refreshed fails by itself and is tried again later."""
    models = served_models.in_use()
    prepared: list[tuple[Claim, Prepared]] = []
    episodes = _episodes([one.key for one in claims])
    for claim in claims:
        episode = episodes.get(claim.key)
        if episode is None or episode.surgery_end is None or episode.status == Episode.Status.CANCELLED:
            queue.settle(claim)
            continue
        ready = _guarded(claim, now, partial(_prepare, episode, claim, now, models))
        if ready is not None:
            prepared.append((claim, ready))
    said: list[tuple[Claim, Conclusion]] = []
    for claim, folded in _fold(prepared, models, now):
        concluded = _guarded(claim, now, partial(_conclude, folded, models, now))
        if concluded is not None:
            said.append((claim, concluded))
    return _store_pass(said, now)


def _episodes(keys: list[int]) -> dict[int, Episode]:
    return Episode.objects.select_related("patient", "pathway", "team", "twin").in_bulk(keys)


def _prepare(episode: Episode, claim: Claim, now: datetime, models: Models) -> Prepared:
    return twinning.prepare(episode, getattr(episode, "twin", None), claim.dirty_from_ms, now, models.population)


def _fold(prepared: list[tuple[Claim, Prepared]], models: Models, now: datetime) -> list[tuple[Claim, Folded]]:
    """All in one passage; should one of them break it, each by itself."""
    if not prepared:
        return []
    try:
        folded = twinning.fold_prepared([ready for _, ready in prepared], models.population)
        return [(claim, one) for (claim, _), one in zip(prepared, folded, strict=True)]
    except Exception:
        logger.exception("a pass of %d episodes could not be folded together", len(prepared))
    singles = [(claim, _guarded(claim, now, partial(_fold_one, ready, models))) for claim, ready in prepared]
    return [(claim, one) for claim, one in singles if one is not None]


def _fold_one(ready: Prepared, models: Models) -> Folded:
    return twinning.fold_prepared([ready], models.population)[0]


def _conclude(folded: Folded, models: Models, now: datetime) -> Conclusion:
    twin = getattr(folded.episode, "twin", None)
    memory = twin.memory if twin else {}
    return Conclusion(folded, assessment.assess(folded, models, memory=memory, now=now), twin)


def _guarded(claim: Claim, now: datetime, step: Callable[[], Result]) -> Result | None:
    """Run `step`; a failure is written to the work owed with its kind, and the neighbours go on."""
    try:
        return step()
    except Exception as error:
        logger.exception("a refresh failed")
        queue.fail(claim, error=type(error).__name__, now=now)
        return None


def _store_pass(said: list[tuple[Claim, Conclusion]], now: datetime) -> int:
    """Store a pass in one commit; each episode in its own savepoint. Everything was computed before it begins."""
    stored = 0
    with transaction.atomic():
        for claim, conclusion in said:
            try:
                with transaction.atomic():
                    keeping.keep(claim, conclusion, now)
                stored += 1
            except ClaimLost:
                continue
            except Exception as error:
                logger.exception("a refresh could not be stored")
                queue.fail(claim, error=type(error).__name__, now=now)
    return stored


def owe_silent(*, now: datetime) -> int:
    """Owe a look at active twins that nobody has looked at for an hour; returns how many."""
    computed = Twin.objects.filter(episode=OuterRef("pk")).values("computed_at")[:1]
    rows = (
        Episode.objects.filter(status=Episode.Status.ACTIVE, surgery_end__isnull=False, surgery_end__lte=now)
        .annotate(computed_at=Subquery(computed))
        .filter(Q(computed_at__isnull=True) | Q(computed_at__lt=now - LOOK_AGAIN_AFTER))
        .exclude(pk__in=Owed.objects.filter(kind=KIND, done_seq__lt=F("seq")).values("key"))
        .select_related("pathway")
    )
    now_ms = int(now.timestamp() * 1000)
    dirty: dict[int, int | None] = {}
    for episode in rows[: 4 * SILENT_A_SWEEP]:
        looked_at: datetime | None = vars(episode)["computed_at"]
        if _still_looked_at(episode, looked_at) and len(dirty) < SILENT_A_SWEEP:
            dirty[episode.pk] = now_ms if looked_at else None
    with transaction.atomic():
        queue.owe(kind=KIND, dirty=dirty, now=now)
    return len(dirty)


def _still_looked_at(episode: Episode, looked_at: datetime | None) -> bool:
    """Within its pathway, or its last look was before the pathway's end."""
    end = episode.day_zero + timedelta(hours=twinning.window_end(episode))
    return looked_at is None or looked_at < end


def owe_all(*, now: datetime) -> int:
    """Owe a rebuild of every twin: a new population model has been promoted."""
    keys = list(Episode.objects.filter(surgery_end__isnull=False).values_list("pk", flat=True))
    with transaction.atomic():
        queue.owe(kind=KIND, dirty=dict.fromkeys(keys), now=now)
    return len(keys)
