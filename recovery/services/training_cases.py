"""The unit's own operations as plain cases for fitting: who, what was read and when it arrived, what happened.

Only operations with complete follow-up are taken: their pathway of 30 days was over before the window ended. History
is what had been recorded a day after surgery, so that nothing diagnosed later leaks into it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from django.db.models import Q, QuerySet

from recovery.consent_rules import IMPROVEMENT, RECORDS
from recovery.models import ConsentDecision, Episode, Finding, Sample, Series
from recovery.services.factors import known_at
from recovery.services.readings import BASELINE_HOURS, MS_AN_HOUR, TIERS, hour_of, series_of
from recovery.twin.fit_cohort import Case
from recovery.twin.incidence import NAMED
from recovery.twin.measurement import Samples
from recovery.twin.metrics import METRICS

FOLLOWED = timedelta(days=30)
HISTORY_UNTIL = timedelta(days=1)
LAST_HOUR = 24 * 60
BACKFILLED_H = 24.0 * 30
"""A reading received more than 30 days after it was taken came from an archive: when it first arrived is not known, so
it counts as having arrived when it was taken [G: this project's choice]."""


def eligible(since: datetime, until: datetime) -> QuerySet[Episode]:
    """Operations of the window with complete follow-up, in order of row id; not of patients who said no to it."""
    said_no = ConsentDecision.objects.filter(
        purpose=IMPROVEMENT, data_type=RECORDS, allowed=False, until__isnull=True
    ).values("patient_id")
    rows = Episode.objects.filter(
        surgery_end__gte=since, surgery_end__lt=until - FOLLOWED, patient__deleted_at__isnull=True
    )
    return rows.exclude(status=Episode.Status.CANCELLED).exclude(patient_id__in=said_no).order_by("pk")


def held_back(cut_at: datetime | None, team_id: int | None) -> Q:
    """Those kept back to judge the model: from `cut_at` on, or of one site."""
    nobody = Q(pk__in=[])
    later = Q(surgery_end__gte=cut_at) if cut_at else nobody
    return later | (Q(team_id=team_id) if team_id else nobody)


def cases_of(keys: Sequence[int]) -> list[Case]:
    """The cases of these operations, in the order of `keys`."""
    rows = Episode.objects.select_related("patient").in_bulk(list(keys))
    return [case_of(rows[key]) for key in keys if key in rows]


def case_of(episode: Episode) -> Case:
    known = known_at(episode, episode.day_zero + HISTORY_UNTIL)
    samples, arrived = _readings(episode)
    died = episode.patient.died_at
    return Case(
        patient=str(episode.patient_id),
        surgery_end=episode.day_zero.timestamp(),
        profile=known.profile,
        factors=known.factors,
        samples=samples,
        arrived=arrived,
        diagnoses=_diagnoses(episode),
        readmitted_h=_readmitted(episode),
        died_h=None if died is None else _hours(episode, died),
    )


def _hours(episode: Episode, at: datetime) -> float:
    return (at - episode.day_zero) / timedelta(hours=1)


def _diagnoses(episode: Episode) -> list[tuple[float, float, str]]:
    """(hour of diagnosis, of onset, outcome), in order. An onset that was not recorded, or is told from before the
    operation ("in 2026"), counts as not known: as that of the diagnosis."""
    rows = Finding.objects.filter(
        patient_id=episode.patient_id,
        kind=Finding.Kind.COMPLICATION,
        key__in=NAMED,
        recorded_at__gte=episode.day_zero,
    )
    found = []
    for row in rows:
        if row.recorded_at is not None:
            diagnosed = _hours(episode, row.recorded_at)
            onset = diagnosed if row.onset_at is None else _hours(episode, row.onset_at)
            found.append((diagnosed, onset if 0 <= onset < diagnosed else diagnosed, row.key))
    return sorted(found)


def _readmitted(episode: Episode) -> float | None:
    """The first inpatient stay that began after discharge; None without one, or where discharge is not known."""
    if episode.discharged_at is None:
        return None
    rows = Finding.objects.filter(
        patient_id=episode.patient_id,
        kind=Finding.Kind.STAY,
        key="inpatient",
        onset_at__gt=episode.discharged_at,
    )
    first = rows.order_by("onset_at").values_list("onset_at", flat=True).first()
    return None if first is None else _hours(episode, first)


def _readings(episode: Episode) -> tuple[dict[str, Samples], dict[str, Any]]:
    """Samples by metric, and the hour at which each of them arrived."""
    series = {row.pk: row for row in series_of(episode, IMPROVEMENT) if row.metric in METRICS}
    by_metric: dict[str, list[tuple[float, ...]]] = {}
    for pk, at_ms, value, received in _rows(episode, series):
        one = series[pk]
        hour = hour_of(episode, at_ms + one.span_ms / 2)
        span = one.span_ms / MS_AN_HOUR
        arrived = _hours(episode, received)
        if arrived - hour > BACKFILLED_H:
            arrived = hour + span / 2
        row = (hour, value * one.scale + one.shift, TIERS[one.tier], pk, span, max(arrived, hour))
        by_metric.setdefault(one.metric, []).append(row)
    tables = {metric: np.array(rows) for metric, rows in by_metric.items()}
    return {m: _samples(t, series) for m, t in tables.items()}, {m: t[:, 5] for m, t in tables.items()}


def _rows(episode: Episode, series: dict[int, Series]) -> list[tuple[int, int, float, datetime]]:
    zero = episode.day_zero.timestamp() * 1000
    rows = Sample.objects.filter(
        series_id__in=list(series),
        ended_batch__isnull=True,
        at_ms__gte=int(zero - BASELINE_HOURS * MS_AN_HOUR),
        at_ms__lte=int(zero + LAST_HOUR * MS_AN_HOUR),
    )
    return list(rows.order_by("at_ms").values_list("series_id", "at_ms", "value", "batch__received_at"))


def _samples(table: Any, series: dict[int, Series]) -> Samples:
    sources = sorted({series[int(pk)].source for pk in table[:, 3]})
    number = {pk: sources.index(series[int(pk)].source) for pk in np.unique(table[:, 3])}
    return Samples.of(
        hours=table[:, 0],
        values=table[:, 1],
        tiers=table[:, 2].astype(np.int64),
        series=np.array([number[pk] for pk in table[:, 3]], dtype=np.int64),
        span_hours=table[:, 4],
    )
