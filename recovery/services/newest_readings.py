"""Which stored reading is the newest that the twin used of each metric, by the id under which it is read back."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import or_

from django.db.models import Q

from recovery.models import Packet, Sample, Series
from recovery.reading_ids import ReadingId, encode, value_mark
from recovery.services.readings import MS_AN_HOUR, TIERS
from recovery.services.twinning import Folded
from recovery.twin.metrics import METRICS


@dataclass(frozen=True, slots=True)
class _Bin:
    """The last period that a metric was measured in: at_ms in [from_ms, to_ms) of a series' middle, of one tier."""

    from_ms: float
    to_ms: float
    tier: int


Row = tuple[int, int, float, int, str | None]  # series, at_ms, value, digits, fhir_id


def newest_readings(folded: Folded) -> dict[str, str]:
    """metric -> id of the newest reading of its last measured period that the gate let through.

    Two questions to the database at most, whatever the number of metrics.
    """
    bins = _last_bins(folded)
    series = {row.pk: row for row in folded.series if row.metric in bins and _tier_fits(row, bins[row.metric])}
    newest: dict[str, Row] = {}
    for row in _rows(series.values(), bins):
        own = series[row[0]]
        if _is_used(row, own, bins[own.metric]) and (own.metric not in newest or _later(row, newest[own.metric])):
            newest[own.metric] = row
    packets = _packets([row for row in newest.values() if series[row[0]].shape == Series.Shape.PACKET])
    return {metric: found for metric, row in newest.items() if (found := _id_of(row, series[row[0]], packets))}


def _last_bins(folded: Folded) -> dict[str, _Bin]:
    zero = folded.episode.day_zero.timestamp() * 1000
    found = {}
    for key, measured in folded.loaded.by_metric.items():
        rows = measured.measurements
        if len(rows.value):
            start, end = (zero + float(hour) * MS_AN_HOUR for hour in (rows.start[-1], rows.end[-1]))
            found[key] = _Bin(start, min(end, zero + folded.now_hour * MS_AN_HOUR + 1), int(rows.tier[-1]))
    return found


def _tier_fits(row: Series, last: _Bin) -> bool:
    return int(TIERS[row.tier]) == last.tier


def _rows(series: Iterable[Series], bins: Mapping[str, _Bin]) -> Iterable[Row]:
    wanted = [_within(row, bins[row.metric]) for row in series]
    if not wanted:
        return []
    known = Sample.objects.known_at(None).filter(reduce(or_, wanted))
    return list(known.values_list("series_id", "at_ms", "value", "digits", "fhir_id"))


def _within(row: Series, last: _Bin) -> Q:
    half = row.span_ms / 2
    return Q(series_id=row.pk, at_ms__gte=int(last.from_ms - half) - 1, at_ms__lte=int(last.to_ms - half))


def _is_used(row: Row, own: Series, last: _Bin) -> bool:
    low, high = METRICS[own.metric].plausible
    middle = row[1] + own.span_ms / 2
    return last.from_ms <= middle < last.to_ms and low <= row[2] * own.scale + own.shift <= high


def _later(one: Row, other: Row) -> bool:
    return (one[1], one[0], one[2]) > (other[1], other[0], other[2])


def _packets(rows: list[Row]) -> dict[Row, str]:
    """The id of the packet that each of these numbers came in, the newest where several say it."""
    if not rows:
        return {}
    within = reduce(or_, [Q(series_id=row[0], at_ms__lte=row[1], end_ms__gte=row[1]) for row in rows])
    found: dict[Row, str] = {}
    for packet in Packet.objects.filter(within, ended_batch__isnull=True).order_by("at_ms", "digest"):
        name = packet.fhir_id or encode(ReadingId("k", packet.series_id, packet.at_ms, packet.digest))
        found |= {row: name for row in rows if row[0] == packet.series_id and packet.at_ms <= row[1] <= packet.end_ms}
    return found


def _id_of(row: Row, own: Series, packets: Mapping[Row, str]) -> str | None:
    series_id, at_ms, value, digits, fhir_id = row
    if own.shape == Series.Shape.PACKET:
        return packets.get(row)
    if own.shape == Series.Shape.PROJECTED:
        return fhir_id
    return fhir_id or encode(ReadingId("r", series_id, at_ms, value_mark(value, digits)))
