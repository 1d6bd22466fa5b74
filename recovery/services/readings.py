"""From stored samples to the twin's samples: hours after surgery, canonical units, trust tiers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from recovery.consent_rules import CARE
from recovery.models import Episode, Sample, Series
from recovery.services import lives
from recovery.twin.measurement import Samples
from recovery.twin.metrics import METRICS, Tier
from recovery.twin.preference import prefer

MS_AN_HOUR = 3_600_000
TIERS = {
    "implant": Tier.IMPLANT,
    "cleared": Tier.CLEARED,
    "consumer": Tier.CONSUMER,
    "self_report": Tier.SELF_REPORT,
}
# How long before surgery readings still speak of the patient's own baseline.
BASELINE_HOURS = 28 * 24


@dataclass(frozen=True, slots=True)
class Window:
    """Hours after surgery end to load, both ends included; `known_at` for what was known at an earlier time."""

    from_hour: float
    until_hour: float
    known_at: datetime | None = None


def hour_of(episode: Episode, at_ms: float) -> float:
    """Hours after the episode's surgery end; negative before."""
    return (at_ms - episode.day_zero.timestamp() * 1000) / MS_AN_HOUR


def series_of(episode: Episode, purpose: str = CARE) -> tuple[Series, ...]:
    """Every series that the patient lets be used for it, without the templates that only the FHIR door needs."""
    mine = Series.objects.filter(patient_id=episode.patient_id).usable_for(purpose).with_choice()
    return tuple(mine.defer("template", "template_hash"))


def load_samples(episode: Episode, of_patient: Iterable[Series], window: Window) -> dict[str, Samples]:
    """The known samples of each metric of the twin that are timed within `window`, by metric key.

    The time of a value that covers a period is the period's middle.
    """
    series = {row.pk: row for row in of_patient if row.metric in METRICS}
    by_metric: dict[str, list[tuple[float, ...]]] = {}
    for series_id, at_ms, value in _rows(episode, series, window):
        one = series[series_id]
        hour = hour_of(episode, at_ms + one.span_ms / 2)
        if window.from_hour <= hour <= window.until_hour:
            row = (hour, value * one.scale + one.shift, TIERS[one.tier], series_id, one.span_ms / MS_AN_HOUR)
            by_metric.setdefault(one.metric, []).append(row)
    return {metric: _as_chosen(metric, _samples(rows, series), rows, series) for metric, rows in by_metric.items()}


def _as_chosen(metric: str, samples: Samples, rows: list[tuple[float, ...]], series: Mapping[int, Series]) -> Samples:
    """Where the patient chose between sources, the chosen one is believed (twin.preference)."""
    chosen = next((place for place, row in enumerate(rows) if getattr(series[int(row[3])], "is_chosen", False)), None)
    return samples if chosen is None else prefer(METRICS[metric], samples, int(samples.series[chosen]))


def _rows(episode: Episode, series: Mapping[int, Series], window: Window) -> list[tuple[int, int, float]]:
    """(series, at_ms, value) with a margin of the longest span before the window."""
    zero = episode.day_zero.timestamp() * 1000
    margin = max((one.span_ms for one in series.values()), default=0)
    from_hour = max(window.from_hour, -float(BASELINE_HOURS))
    from_ms, until_ms = int(zero + from_hour * MS_AN_HOUR - margin), int(zero + window.until_hour * MS_AN_HOUR)
    rows = Sample.objects.known_at(window.known_at).filter(
        series_id__in=list(series), at_ms__gte=from_ms, at_ms__lte=until_ms
    )
    now = list(rows.values_list("series_id", "at_ms", "value"))
    return now + lives.former(list(series), from_ms, until_ms, window.known_at)


def _samples(rows: list[tuple[float, ...]], series: Mapping[int, Series]) -> Samples:
    """One source is one device (or one way of reporting): its series of several shapes count as one."""
    table = np.array(rows)
    sources = sorted({series[int(pk)].source for pk in table[:, 3]})
    number = {pk: float(sources.index(series[int(pk)].source)) for pk in np.unique(table[:, 3])}
    return Samples.of(
        hours=table[:, 0],
        values=table[:, 1],
        tiers=table[:, 2].astype(np.int64),
        series=np.array([number[pk] for pk in table[:, 3]], dtype=np.int64),
        span_hours=table[:, 4],
    )
