"""NEWS2 points beside a reading, so that "on the own course" never stands alone when the value itself is grave."""

from recovery.selectors.snapshot import Said

# metric key -> the item's name in the snapshot's NEWS2
NEWS2_NAMES = {
    "respiratory_rate": "respiration rate",
    "spo2": "oxygen saturation",
    "heart_rate": "pulse",
    "temperature": "temperature",
}


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
