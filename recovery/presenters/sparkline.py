"""The board's small chart: own band and what was measured, the last days and the next two."""

from dataclasses import dataclass

from recovery.presenters import wording
from recovery.presenters.chart import at_its_time, band_place, is_stale
from recovery.presenters.geometry import WIDTH, Scale, area, path, strokes
from recovery.selectors.sparks import Spark

HEIGHT = 44.0
AHEAD_HOURS = 48.0


@dataclass(frozen=True, slots=True)
class Sparkline:
    label: str
    summary: str
    band90: str
    edge_low: str
    edge_high: str
    middle: str
    dots: str
    joined: str
    now_x: str


def draw_spark(spark: Spark | None) -> Sparkline | None:
    """None when the snapshot has no curve to draw against."""
    if spark is None or spark.metric.curve is None:
        return None
    metric, curve = spark.metric, spark.metric.curve
    x = Scale(spark.now_hour - spark.span_days * 24.0, spark.now_hour + AHEAD_HOURS, 0.0, WIDTH)
    near = [i for i, hour in enumerate(curve.hours) if x.low <= hour <= x.high]
    hours, q05, q50, q95 = ([column[i] for i in near] for column in (curve.hours, curve.q05, curve.q50, curve.q95))
    seen = [(h, v) for h, v in zip(spark.hours, spark.values, strict=True) if x.low <= h <= x.high]
    every = [v for v in (*q05, *q95, *(v for _, v in seen)) if v is not None] or [0.0, 1.0]
    low, high = min(every), max(every)
    y = Scale(low, high if high > low else low + 1.0, HEIGHT - 3.0, 3.0)
    # Edges and readings are what the scale was made for: nothing of them lies outside it.
    across, bottom, top = x.places(hours), y.places(q05), y.places(q95)
    at, measured = x.places([h for h, _ in seen]), y.places([v for _, v in seen])
    return Sparkline(
        label=metric.label,
        summary=spark_words(spark),
        band90=area(across, bottom, top),
        edge_low=path(across, bottom),
        edge_high=path(across, top),
        middle=path(across, y.places(q50)),
        dots=strokes(at, measured),
        joined=path(at, measured),
        now_x=f"{x(spark.now_hour):.1f}",
    )


def spark_words(spark: Spark) -> str:
    metric = at_its_time(spark.metric, spark.hours[-1] if spark.hours else None)
    if metric.now is None:
        return f"{metric.label}: no recent reading"
    if is_stale(metric):
        return f"{metric.label}: last {wording.quantity(metric.now, metric.key, metric.unit)}"
    place = band_place(metric)
    now = wording.quantity(metric.now, metric.key, metric.unit)
    return f"{metric.label} {now}" + (f", {place}" if place else "")
