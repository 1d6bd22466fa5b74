"""Interactive figures (plotly), asked for by a person: the same numbers as the server-drawn chart.

At most 1,000 readings and numbers to three decimals, so that one figure stays under 60 kB.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from recovery.presenters import wording
from recovery.selectors.snapshot import Curve, MetricSaid
from recovery.selectors.timeline import Observed

Value = float | None
# ux.md section 4; the page's script swaps text and paper colours for the dark theme.
DOT, COURSE, BAND, CORE, EDGE, NORM, NOW = "#111417", "#0b3c5d", "#cfe2f0", "#a9cbe3", "#3e7699", "#5b6670", "#b00020"


def figure_json(
    metric: MetricSaid, seen: Observed | None, *, now: datetime, surgery_end: datetime, zone: ZoneInfo
) -> str:
    """Plotly figure as JSON. `metric` must have a curve (raises ValueError otherwise)."""
    import plotly.graph_objects as go  # late: half a second that no other page should pay

    if metric.curve is None:
        raise ValueError(f"{metric.key} has no curve")
    times = [_local(surgery_end, hour, zone) for hour in metric.curve.hours]
    figure = go.Figure(
        data=[
            *_bands(go, times, metric.curve),
            *_lines(go, times, metric),
            *_readings(go, metric, seen, surgery_end, zone),
        ]
    )
    unit = wording.unit(metric.unit, metric.key)
    figure.update_layout(
        template="none",
        height=380,
        margin={"l": 56, "r": 12, "t": 12, "b": 48},
        hovermode="x unified",
        legend={"orientation": "h", "y": -0.18},
        yaxis={"title": {"text": f"{metric.label}, {unit}" if unit else metric.label}, "zeroline": False},
        shapes=[_now_line(_local(surgery_end, _hours(surgery_end, now), zone))],
    )
    return str(figure.to_json())


def _bands(go, times: list[str], curve: Curve) -> list:  # type: ignore[no-untyped-def]
    pairs = (("9 of 10 expected here", curve.q05, curve.q95, BAND), ("half expected here", curve.q25, curve.q75, CORE))
    traces = []
    for name, low, high, colour in pairs:
        edge = {"color": EDGE, "width": 0.5}
        traces.append(go.Scatter(x=times, y=_rounded(low), line=edge, showlegend=False, hoverinfo="skip", mode="lines"))
        traces.append(
            go.Scatter(
                x=times,
                y=_rounded(high),
                line=edge,
                fill="tonexty",
                fillcolor=colour,
                name=name,
                mode="lines",
                hoverinfo="skip",
            )
        )
    return traces


def _lines(go, times: list[str], metric: MetricSaid) -> list:  # type: ignore[no-untyped-def]
    assert metric.curve is not None  # noqa: S101  (figure_json checks)
    course = go.Scatter(
        x=times, y=_rounded(metric.curve.q50), name="own expected course", line={"color": COURSE, "width": 2}
    )
    if all(value is None for value in metric.curve.norm):
        return [course]
    norm = {"color": NORM, "width": 1.6, "dash": "dash"}
    return [course, go.Scatter(x=times, y=_rounded(metric.curve.norm), name="usual after this operation", line=norm)]


def _readings(go, metric: MetricSaid, seen: Observed | None, surgery_end: datetime, zone: ZoneInfo) -> list:  # type: ignore[no-untyped-def]
    if seen is None:
        return []
    times = [_local(surgery_end, hour, zone) for hour in seen.hours]
    marks = {"color": DOT, "size": 5}
    traces = [go.Scatter(x=times, y=_rounded(seen.values), name="measured", mode="markers", marker=marks)]
    if seen.rejected:
        refused = seen.rejected[-100:]
        traces.append(
            go.Scatter(
                x=[_local(surgery_end, point.hour, zone) for point in refused],
                y=_rounded([point.value for point in refused]),
                name="rejected",
                mode="markers",
                marker={"color": DOT, "size": 8, "symbol": "circle-open"},
            )
        )
    return traces


def _now_line(at: str) -> dict[str, object]:
    return {
        "type": "line",
        "xref": "x",
        "yref": "paper",
        "x0": at,
        "x1": at,
        "y0": 0,
        "y1": 1,
        "line": {"color": NOW, "width": 1.5},
    }


def _rounded(values: Sequence[Value]) -> list[Value]:
    return [None if value is None else round(value, 3) for value in values]


def _local(surgery_end: datetime, hour: float, zone: ZoneInfo) -> str:
    return (surgery_end + timedelta(hours=hour)).astimezone(zone).strftime("%Y-%m-%d %H:%M")


def _hours(surgery_end: datetime, now: datetime) -> float:
    return (now - surgery_end).total_seconds() / 3600.0
