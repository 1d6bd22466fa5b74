"""What the twin said, or knew, at an earlier time. Nothing is written.

Where a snapshot made in time is kept, it is the answer: to the letter what people saw then. Where it was written over
within its hour, or nobody had looked, the twin is rebuilt from the readings received by then (`fold`), under the models
of today; the alert memory of that time is not kept, so that the wording of how long something had lasted is left out.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from recovery.models import Episode, Snapshot
from recovery.services import assessment, served_models, twinning
from recovery.services.refresh import LOOK_AGAIN_AFTER
from recovery.twin.errors import TwinError

# A twin is looked at hourly by a sweep that itself runs by the minute: a little slack.
SERVED_FOR = LOOK_AGAIN_AFTER + timedelta(minutes=20)


@dataclass(frozen=True, slots=True)
class Then:
    """`content` as models.Snapshot. `how`: stored, to the letter what was served; rebuilt from what was known."""

    content: dict[str, Any]
    made_at: datetime
    data_until: datetime | None
    model_version: str
    how: Literal["stored", "rebuilt"]


def said_then(*, episode: Episode, at: datetime, severities: Iterable[str]) -> Then | None:
    """What was said at `at`; None when nothing was known of the patient. `severities`: of the alerts that stood."""
    stored = _served(episode, at)
    if stored is not None:
        return Then(stored.content, stored.made_at, stored.data_until, stored.model_version, "stored")
    if episode.surgery_end is None:
        return None
    models = served_models.in_use()
    folded = twinning.rebuild(episode, at, models.population, known_by=at)
    if not folded.loaded.by_metric:
        return None
    try:
        assessed = assessment.assess(folded, models, memory={}, now=at)
    except TwinError:
        return None
    content = assessment.with_state(assessed, list(severities))
    return Then(content, at, assessed.data_until, assessed.model_version, "rebuilt")


def _served(episode: Episode, at: datetime) -> Snapshot | None:
    """The snapshot that stood at `at`; None where it was written over, or was older than a look."""
    rows = Snapshot.objects.filter(episode=episode)
    hour = int(at.timestamp() // 3600)
    if rows.filter(hour=hour, made_at__gt=at).exists():
        return None
    found = rows.filter(made_at__lte=at, made_at__gte=at - SERVED_FOR).order_by("-made_at").first()
    return found
