"""What a reading is worth by itself, so that "on the own course" never stands alone when the value is grave."""

from recovery.selectors.snapshot import MetricSaid, Said

# A reading that scores 2 or 3 points on NEWS2 is never called "as expected" to its owner [G: this project's choice].
GRAVE_POINTS = 2
# Clinical reference 1.2 [G]: pain of 7 or more of 10 asks for attention on any day.
GRAVE_PAIN = 7.0

# metric key -> the item's name in the snapshot's NEWS2
NEWS2_NAMES = {
    "respiratory_rate": "respiration rate",
    "spo2": "oxygen saturation",
    "heart_rate": "pulse",
    "temperature": "temperature",
}


def is_grave(metric: MetricSaid, said: Said) -> bool:
    """Whether the value itself asks for attention, wherever it lies against the own course."""
    if metric.key == "pain":
        return metric.now is not None and metric.now >= GRAVE_PAIN
    return news2_points(said).get(metric.key, 0) >= GRAVE_POINTS


def news2_points(said: Said) -> dict[str, int]:
    """metric -> the points that its newest reading scores on NEWS2, as the snapshot says."""
    items = {
        item.name.lower(): int(item.points)
        for score in said.scores
        if score.name == "NEWS2"
        for item in score.items
        if item.points is not None
    }
    return {key: items[name] for key, name in NEWS2_NAMES.items() if name in items}
