"""Shared builders for the twin's tests: small patients and streams, seeds fixed."""

import numpy as np

from recovery.twin import Profile, Samples

KNEE = Profile("knee_replacement", 67.0, "female", 29.0, surgery_end_hour_of_day=13.5)


def stream(seed: int = 7, first: float = -48.0, last: float = 120.0) -> dict[str, Samples]:
    """Hourly vitals and steps with gaps, artefacts and two tiers, and two pain reports a day."""
    rng = np.random.default_rng(seed)
    hours = np.arange(first, last) + rng.uniform(0.0, 0.99, int(last - first))
    hours = hours[rng.random(len(hours)) > 0.1]
    n = len(hours)
    tiers, series = np.full(n, 2), np.zeros(n, int)
    cleared = rng.random(n) < 0.2
    tiers[cleared], series[cleared] = 1, 1
    heart = 78.0 + 5.0 * rng.standard_normal(n)
    heart[rng.random(n) < 0.03] = 900.0
    reports = np.arange(first, last, 12.0) + 0.5
    made = {
        "heart_rate": Samples.of(hours, heart, tiers, series),
        "spo2": Samples.of(hours, np.clip(96.0 + rng.standard_normal(n), 51.0, 100.0), tiers, series),
        "steps": Samples.of(hours, rng.poisson(120.0, n).astype(float)),
        "pain": Samples.of(reports, rng.integers(0, 11, len(reports)).astype(float), 3),
    }
    return made


def joined(parts: list[Samples]) -> Samples:
    """All samples of the parts, in the order given."""
    fields = ("hours", "values", "tiers", "series", "span_hours")
    return Samples(*(np.concatenate([getattr(p, f) for p in parts]) for f in fields))
