"""NEWS2 a second time, from the printed chart alone; it shares nothing with the product's own and keeps it honest."""

CHART = {
    "respiratory_rate": ((0, 8, 3), (9, 11, 1), (12, 20, 0), (21, 24, 2), (25, 999, 3)),
    "spo2": ((0, 91, 3), (92, 93, 2), (94, 95, 1), (96, 100, 0)),
    "systolic": ((0, 90, 3), (91, 100, 2), (101, 110, 1), (111, 219, 0), (220, 999, 3)),
    "pulse": ((0, 40, 3), (41, 50, 1), (51, 90, 0), (91, 110, 1), (111, 130, 2), (131, 999, 3)),
    "temperature": ((0, 350, 3), (351, 360, 1), (361, 380, 0), (381, 390, 1), (391, 999, 2)),
}
NAMES = {
    "respiratory_rate": "respiration rate",
    "spo2": "oxygen saturation",
    "on_oxygen": "air or oxygen",
    "systolic": "systolic blood pressure",
    "pulse": "pulse",
    "consciousness": "consciousness",
    "temperature": "temperature",
}


def news2_again(seen):
    """(points or None, names of the missing items in the order of the chart), scale 1."""
    lacking = tuple(name for key, name in NAMES.items() if seen[key] is None)
    if len(lacking) == len(NAMES):
        return None, lacking
    total = 0
    for key, cells in CHART.items():
        if seen[key] is not None:
            whole = half_up(seen[key] * (10 if key == "temperature" else 1))
            total += next(points for low, high, points in cells if low <= whole <= high)
    total += 2 * bool(seen["on_oxygen"])
    total += 3 * (seen["consciousness"] not in (None, "A"))
    return total, lacking


def half_up(value):
    """Halves go up; a hair is added because 38.05 is a little less in binary."""
    return int(value + 0.5 + 1e-9)
