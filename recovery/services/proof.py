"""The nightly proof of promise 2: a twin kept by increments equals the twin rebuilt from all its readings."""

import logging
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Proof:
    """How many twins were compared with their rebuild, and the episodes of those that `differ`.

    Left out are twins `at_work` (work is owed to them), `outdated` ones (of another model or another release's format),
    and those that were `not_reached` within the limit.
    """

    compared: int
    differ: tuple[int, ...]
    at_work: int
    outdated: int
    not_reached: int


def prove_twins(*, now: datetime, limit: int | None = None) -> Proof:
    """Rebuild twins that have no work owed and compare.

    With `limit`, the ones computed longest ago. A twin that differs is a defect: it is logged and owed a rebuild. One
    stored in the format of another release is no defect; it is owed a rebuild too.
    """
    owed = Owed.objects.filter(kind="twin", done_seq__lt=F("seq")).values("key")
    idle = Twin.objects.exclude(episode_id__in=owed)
    waiting = list(idle.order_by("computed_at").values_list("pk", flat=True))
    at_work, keys = max(Twin.objects.count() - len(waiting), 0), waiting[:limit] if limit else waiting
    version, compared, differing, outdated, other = served_models.population().version, 0, [], [], 0
    for pk in keys:
        twin = Twin.objects.select_related("episode__patient", "episode__pathway").filter(pk=pk).first()
        if twin is None:  # erased meanwhile
            continue
        if twin.state.get("format") != FORMAT:
            outdated.append(twin.episode_id)
        elif twin.state.get("model") != version:
            other += 1
        else:
            compared += 1
            differing += [] if equals_rebuild(twin, now) else [twin.episode_id]
    if differing:
        logger.error("%d twins differ from their rebuild; rebuilding them", len(differing))
    if differing or outdated:
        with transaction.atomic():
            queue.owe(kind="twin", dirty=dict.fromkeys([*differing, *outdated]), now=now)
    return Proof(compared, tuple(differing), at_work, len(outdated) + other, len(waiting) - len(keys))


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
