"""The board's small chart: own band and what was measured, the last days and the next two."""

from dataclasses import dataclass

from recovery.presenters import wording
from recovery.presenters.chart import at_its_time, band_place, clip_values, is_stale
from recovery.presenters.geometry import WIDTH, Scale, band, clipped, dots, line
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
    hours = [curve.hours[i] for i in near]
    q05, q50, q95 = ([getattr(curve, name)[i] for i in near] for name in ("q05", "q50", "q95"))
    seen = [(h, v) for h, v in zip(spark.hours, spark.values, strict=True) if x.low <= h <= x.high]
    every = [v for v in (*q05, *q95, *(v for _, v in seen)) if v is not None] or [0.0, 1.0]
    low, high = min(every), max(every)
    y = Scale(low, high if high > low else low + 1.0, HEIGHT - 3.0, 3.0)
    values = clip_values([v for _, v in seen], low, high)
    return Sparkline(
        label=metric.label,
        summary=spark_words(spark),
        band90=band(x, y, hours, clipped(q05, low, high), clipped(q95, low, high)),
        edge_low=line(x, y, hours, q05),
        edge_high=line(x, y, hours, q95),
        middle=line(x, y, hours, q50),
        dots=dots(x, y, [h for h, _ in seen], values),
        joined=line(x, y, [h for h, _ in seen], values),
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
