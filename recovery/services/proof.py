"""The nightly proof of promise 2: a twin kept by increments equals the twin rebuilt from all its readings."""

import logging
from datetime import datetime

import numpy as np
from django.db import transaction
from django.db.models import F

from recovery import queue
from recovery.models import Episode, Owed, Twin
from recovery.services import served_models, twinning
from recovery.twin.errors import TwinError
from recovery.twin.state import FORMAT, TwinState

logger = logging.getLogger(__name__)

TOLERANCE = 1e-9


def prove_twins(*, now: datetime, limit: int | None = None) -> tuple[int, list[int]]:
    """Rebuild twins that have no work owed and compare; returns (how many were compared, episodes that differ).

    With `limit`, the ones computed longest ago. A twin that differs is a defect: it is logged and owed a rebuild. One
    stored in the format of another release is no defect; it is owed a rebuild too.
    """
    owed = Owed.objects.filter(kind="twin", done_seq__lt=F("seq")).values("key")
    twins = Twin.objects.exclude(episode_id__in=owed).order_by("computed_at").values_list("pk", flat=True)
    differing, outdated = [], []
    keys = list(twins[:limit] if limit else twins)
    for pk in keys:
        twin = Twin.objects.select_related("episode__patient", "episode__pathway").get(pk=pk)
        if twin.state.get("format") != FORMAT:
            outdated.append(twin.episode_id)
        elif not equals_rebuild(twin, now):
            differing.append(twin.episode_id)
    if differing:
        logger.error("%d twins differ from their rebuild; rebuilding them", len(differing))
    if differing or outdated:
        with transaction.atomic():
            queue.owe(kind="twin", dirty=dict.fromkeys([*differing, *outdated]), now=now)
    return len(keys), differing


def equals_rebuild(twin: Twin, now: datetime) -> bool:
    """Whether the stored state equals a rebuild up to the same hour, to 1e-9. Another model version is no defect."""
    params = served_models.population()
    try:
        state = TwinState.from_plain(twin.state)
    except TwinError:
        return False
    if state.model_version != params.version:
        return True
    episode: Episode = twin.episode
    return same_state(state, twinning.rebuild(episode, now, params, until_hour=state.until_hour).fold.state)


def same_state(one: TwinState, other: TwinState) -> bool:
    if one.metrics.keys() != other.metrics.keys():
        return False
    beliefs = ((one.metrics[key].memory.belief, other.metrics[key].memory.belief) for key in one.metrics)
    return all(
        np.allclose(a.mean, b.mean, rtol=TOLERANCE, atol=TOLERANCE)
        and np.allclose(a.cov, b.cov, rtol=TOLERANCE, atol=TOLERANCE)
        for a, b in beliefs
    )
