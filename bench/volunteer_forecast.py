"""How much of what followed lay in the twin's bands, for the one real person of the demo ward.

    python -m bench.volunteer_forecast

LifeSnaps volunteer 38 (integrations/wearables/lifesnaps/SOURCE.txt): healthy, no operation, so the procedure is
unknown to the twin, which expects the course of surgery in general. Day zero is arbitrary; besides the one that the
demo shows, every other day zero with 14 days before and 21 after it is tried. A forecast made at day 7 is given the
readings of the days that had ended by then and nothing later. Resting heart rate is no metric of the twin; it is read
here as if it were the day's heart rate, to see how such a series is followed.
"""

import os
import sys
import tempfile
from datetime import datetime
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "twinweb.settings")
os.environ.setdefault("TWINWEB_DATA", tempfile.mkdtemp(prefix="twinweb-bench-"))

import django

django.setup()

from integrations.simulator.volunteer import SAMPLE, ZERO_DAY  # noqa: E402
from integrations.wearables.lifesnaps.mapping import resources  # noqa: E402
from recovery.twin import Profile, Samples, cold_start, fold, load  # noqa: E402
from recovery.twin.forecast import forecast, forecast_days  # noqa: E402

CODES = {"41950-7": "steps", "9279-1": "respiratory_rate", "59408-5": "spo2", "40443-4": "heart_rate"}
MADE_AT_DAY, AHEAD = 7, (7, 14)
MIDDLE = 12.0


def record() -> dict[str, dict[int, float]]:
    """metric -> {day of the record: value}."""
    found: dict[str, dict[int, float]] = {metric: {} for metric in CODES.values()}
    first = None
    for one in resources(SAMPLE):
        metric = CODES.get(one["code"]["coding"][0]["code"]) if one["resourceType"] == "Observation" else None
        if metric:
            start = datetime.fromisoformat(one["effectivePeriod"]["start"])
            first = first or start
            found[metric][(start - first).days] = float(one["valueQuantity"]["value"])
    return found


def inside(days: dict[int, float], metric: str, zero: int) -> list[tuple[int, bool, bool]]:
    """(days ahead, in the 90 % band, in the 50 % band) of each day that followed day 7."""
    params, profile = cold_start(), Profile(procedure=None, sex="male", surgery_end_hour_of_day=0.0)
    known = {day - zero: value for day, value in days.items() if day - zero < MADE_AT_DAY}
    hours = [24.0 * day + MIDDLE for day in known]
    samples = {metric: Samples.of(hours, list(known.values()), span_hours=24.0)}
    state = fold(None, params, profile, load(samples, 24.0 * MADE_AT_DAY)).state
    later = [day - zero for day in days if MADE_AT_DAY <= day - zero < MADE_AT_DAY + max(AHEAD)]
    if metric == "steps":
        band = forecast_days(state, params, profile, metric, later).quantiles
    else:
        band = forecast(state, params, profile, metric, 24.0 * np.array(later) + MIDDLE, reading=True).quantiles
    return [
        (day - MADE_AT_DAY, low90 <= days[day + zero] <= high90, low50 <= days[day + zero] <= high50)
        for day, (low90, low50, _, high50, high90) in zip(later, band, strict=True)
    ]


def main() -> None:
    days = record()
    last = max(max(values) for values in days.values())
    choices = {
        "shown": [ZERO_DAY],
        "every day zero": list(range(14, last - MADE_AT_DAY - max(AHEAD) + 1)),
    }
    for name, zeros in choices.items():
        for metric, values in days.items():
            rows = np.array([row for zero in zeros for row in inside(values, metric, zero)], dtype=float)
            for ahead in AHEAD:
                near = rows[rows[:, 0] < ahead]
                print(
                    f"{name:15s} {metric:17s} next {ahead:2d} days: n={len(near):4d},"
                    f" {near[:, 1].mean():6.1%} in the 90 % band, {near[:, 2].mean():6.1%} in the 50 % band"
                )


if __name__ == "__main__":
    main()
