"""Versions in shadow: what each would have said at a snapshot, computed beside the serving path and shown to nobody.

A job looks at current snapshots that a shadow version has not spoken about, newest first, and stores its risks. A risk
model, and named causes learned under the served courses, speak on the served twin as it stands; a population model
folds a twin of its own from the readings that were known when the snapshot was made. The served twin, its snapshot and
its alerts are not touched.
"""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef

from recovery.models import ModelVersion, ShadowRisk, Snapshot
from recovery.services import served_models, twinning
from recovery.services.factors import Known, known_at
from recovery.services.readings import hour_of
from recovery.services.served_models import HAZARD, POPULATION, Models
from recovery.twin import hazard_store, hypotheses_store
from recovery.twin.errors import TwinError
from recovery.twin.params import PopulationParams
from recovery.twin.risk import RiskEstimate
from recovery.twin.risk import assess as assess_risks
from recovery.twin.state import TwinState
from recovery.twin.surprise import features
from recovery.twin.suspicion import consider

logger = logging.getLogger(__name__)

WORK_FOR = timedelta(seconds=30)
AT_ONCE = 50
KEPT = timedelta(days=400)

Clock = Callable[[], datetime]


class OtherCourse(Exception):
    """Hypotheses in shadow that were learned under expected courses which are not in service: they mean nothing now."""


def run_shadows(*, clock: Clock) -> int:
    """Let every shadow version speak about the current snapshots; returns how many rows were stored."""
    stop_at, done = clock() + WORK_FOR, 0
    for version in ModelVersion.objects.filter(status="shadow").order_by("pk"):
        done += _speak(version, clock, stop_at)
    return done


def forget_old(*, now: datetime) -> int:
    return ShadowRisk.objects.filter(made_at__lt=now - KEPT).delete()[0]


def _speak(version: ModelVersion, clock: Clock, stop_at: datetime) -> int:
    try:
        models = _models(version)
    except OtherCourse:
        return 0  # it speaks again when its courses are back in service
    except (TwinError, KeyError):
        logger.exception("a version in shadow cannot be read")
        return 0
    spoken = ShadowRisk.objects.filter(version=version, snapshot=OuterRef("pk"), made_at=OuterRef("made_at"))
    waiting = (
        Snapshot.objects.filter(current=True, episode__twin__isnull=False)
        .exclude(Exists(spoken))
        .filter(**_same_twin(version, models))
        .select_related("episode__twin", "episode__patient", "episode__pathway")
        .defer("content")
        .order_by("-made_at", "pk")
    )
    done = 0
    for snapshot in list(waiting[:AT_ONCE]):
        if clock() >= stop_at:
            break
        done += _store(version, snapshot, models)
    return done


def _same_twin(version: ModelVersion, models: Models) -> dict[str, str]:
    """What speaks on the served twin waits until that twin was rebuilt under the courses in service."""
    return {} if version.kind == POPULATION else {"episode__twin__model_version": models.population.version}


def _models(version: ModelVersion) -> Models:
    if version.kind == POPULATION:
        courses = PopulationParams.from_plain(version.parameters)
        return Models(courses, served_models.hazard(), served_models.hypotheses_under(courses.version))
    served = served_models.in_use()
    if version.kind == HAZARD:
        return replace(served, hazard=hazard_store.from_plain(version.parameters))
    weighing = hypotheses_store.from_plain(version.parameters)
    if weighing.twin_version != served.population.version:
        raise OtherCourse(f"{version.version} was learned under {weighing.twin_version}")
    return replace(served, hypotheses=weighing)


def _store(version: ModelVersion, snapshot: Snapshot, models: Models) -> int:
    """One snapshot; one that cannot be judged is stored without risks, so that it is not tried for ever."""
    try:
        risks = [_risk(one) for one in risks_at(version, snapshot, models)]
    except Exception:
        logger.exception("a shadow could not speak about a snapshot")
        risks = []
    said = {"made_at": snapshot.made_at, "risks": risks}
    ShadowRisk.objects.update_or_create(version=version, snapshot=snapshot, defaults=said)
    return 1


def risks_at(version: ModelVersion, snapshot: Snapshot, models: Models) -> tuple[RiskEstimate, ...]:
    """The version's risks for the moment of the snapshot."""
    episode, at = snapshot.episode, snapshot.made_at
    known = known_at(episode, at)
    hour = min(hour_of(episode, at.timestamp() * 1000), twinning.window_end(episode))
    if version.kind == POPULATION:
        state = twinning.rebuild(episode, at, models.population, known_by=at).fold.state
    else:
        state = TwinState.from_plain(episode.twin.state)
    return _risks(state, known, models, max(hour, state.until_hour))


def _risks(state: TwinState, known: Known, models: Models, hour: float) -> tuple[RiskEstimate, ...]:
    found = features(state, models.population, hour, known.profile)
    weighing = models.hypotheses
    suspected = None
    if weighing is not None:
        suspected = consider(known.profile, found, known.factors, weighing, models.hazard, known.diagnosed)
    return assess_risks(
        known.profile, found, hour, models.hazard, factors=known.factors, diagnosed=known.diagnosed, suspicion=suspected
    )


def _risk(one: RiskEstimate) -> dict[str, Any]:
    def rounded(value: float | None) -> float | None:
        return None if value is None else round(value, 4)

    return {
        "outcome": one.outcome,
        "horizon_h": one.horizon_h,
        "probability": rounded(one.probability),
        "low": rounded(one.low),
        "high": rounded(one.high),
    }
