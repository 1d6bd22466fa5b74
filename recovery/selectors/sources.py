"""A patient's own sources of readings: what each gives, its newest reading, when it arrived, and what was chosen."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db.models import OuterRef, Subquery

from recovery.models import Device, Sample, Series, SourceChoice
from recovery.twin.clocks import AHEAD_MS
from recovery.twin.metrics import METRICS

SELF_REPORT = "self_report"
PLACE = {key: place for place, key in enumerate(METRICS)}


@dataclass(frozen=True, slots=True)
class SourceSeen:
    """`newest`: end of the newest reading's time, at most now; `heard`: when that arrived. `sealed`: metrics withdrawn
    from care. `ahead_until`: the furthest time ahead of the clock that a reading claims, None where none does."""

    source: str
    name: str
    maker: str
    tier: str
    metrics: tuple[str, ...]
    sealed: tuple[str, ...]
    newest: datetime | None
    heard: datetime | None
    newest_metric: str
    newest_value: float | None
    ahead_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Rivals:
    """A metric that two or more of the person's own sources tell. `chosen`: blank when the product decides."""

    metric: str
    sources: tuple[SourceSeen, ...]
    chosen: str


def sources_of(patient_id: int, now: datetime) -> tuple[SourceSeen, ...]:
    """Every source whose readings a metric fits, the newest first, its metrics in the order of the catalogue;
    laboratories are not the patient's devices.

    A reading dated ahead of the clock (twin.clocks) is nobody's newest.
    """
    standing = Sample.objects.filter(series=OuterRef("pk"), ended_batch__isnull=True).order_by("-at_ms")
    borne_ms = int(now.timestamp() * 1000) + AHEAD_MS
    newest = standing.filter(at_ms__lte=borne_ms)
    ahead = standing.filter(at_ms__gt=borne_ms)
    rows = (
        Series.objects.filter(patient_id=patient_id, metric__in=_portable())
        .annotate(at=Subquery(newest.values("at_ms")[:1]), value=Subquery(newest.values("value")[:1]))
        .annotate(heard=Subquery(newest.values("batch__received_at")[:1]), ahead=Subquery(ahead.values("at_ms")[:1]))
        .exclude(at__isnull=True, ahead__isnull=True)
    )
    sealed = set(Series.objects.filter(patient_id=patient_id).sealed().values_list("pk", flat=True))
    names = {f"Device/{one.fhir_id}": one for one in Device.objects.filter(patient_id=patient_id)}
    by_source: dict[str, list[Series]] = {}
    for row in sorted(rows, key=lambda row: (PLACE[row.metric], row.source, row.pk)):
        by_source.setdefault(row.source, []).append(row)
    seen = [_seen(source, own, sealed, names, now) for source, own in by_source.items()]
    return tuple(sorted(seen, key=lambda one: -(one.newest.timestamp() if one.newest else 0.0)))


def _portable() -> list[str]:
    return [key for key, metric in METRICS.items() if metric.family != "laboratory"]


def _seen(
    source: str, rows: Iterable[Series], sealed: set[int], names: Mapping[str, Device], now: datetime
) -> SourceSeen:
    rows = list(rows)
    last = max(rows, key=lambda row: (vars(row)["at"] or 0) + row.span_ms)
    at_ms, ahead = vars(last)["at"], [vars(row)["ahead"] for row in rows if vars(row)["ahead"] is not None]
    device = names.get(source)
    value = None if last.pk in sealed or at_ms is None else vars(last)["value"] * last.scale + last.shift
    return SourceSeen(
        source=source,
        name=device.name if device else "",
        maker=device.manufacturer if device else "",
        tier=last.tier,
        metrics=tuple(dict.fromkeys(row.metric for row in rows)),
        sealed=tuple(dict.fromkeys(row.metric for row in rows if row.pk in sealed)),
        newest=None if at_ms is None else min(datetime.fromtimestamp((at_ms + last.span_ms) / 1000, UTC), now),
        heard=vars(last)["heard"],
        newest_metric=last.metric,
        newest_value=value,
        ahead_until=datetime.fromtimestamp(max(ahead) / 1000, UTC) if ahead else None,
    )


def rivals_of(patient_id: int, sources: Iterable[SourceSeen]) -> tuple[Rivals, ...]:
    """Metrics between whose sources the patient may choose: their own wearables and reports, not implants."""
    chosen = dict(SourceChoice.objects.filter(patient_id=patient_id).values_list("metric", "source"))
    own = [one for one in sources if one.tier in ("consumer", SELF_REPORT)]
    metrics = dict.fromkeys(metric for one in own for metric in one.metrics)
    found = [(metric, tuple(one for one in own if metric in one.metrics)) for metric in metrics]
    return tuple(Rivals(metric, tellers, chosen.get(metric, "")) for metric, tellers in found if len(tellers) > 1)
