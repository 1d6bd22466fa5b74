"""Recovery features made by hand for the tests of risk and alerts."""

from recovery.twin.metrics import METRICS
from recovery.twin.surprise import MetricFeatures, RecoveryFeatures

USUAL = {"heart_rate": 75.0, "respiratory_rate": 15.0, "spo2": 97.0, "temperature": 36.8, "steps": 3000.0, "pain": 2.0}
SD = {"heart_rate": 6.0, "respiratory_rate": 1.5, "spo2": -1.0, "temperature": 0.3, "steps": -800.0, "pain": 1.0}


def made_features(now: float, ages: dict[str, float] | float = 0.5, **worse: float) -> RecoveryFeatures:
    """Every usual metric read `ages` hours ago, each `worse[metric]` standard deviations on its worse
    side."""
    found = {}
    for key in METRICS:
        sign = METRICS[key].worse_sign
        age = ages if isinstance(ages, float | int) else ages.get(key, 0.5)
        if key not in USUAL:
            found[key] = MetricFeatures(key, None, 0, None, None, None, 0.0, None, False, sign)
            continue
        z = worse.get(key, 0.0)
        found[key] = MetricFeatures(
            metric=key,
            mean_surprise_24h=sign * z / 2 if age <= 24 else None,
            n_24h=20 if age <= 24 else 0,
            deviation_z=sign * z,
            level=USUAL[key] + z * SD[key],
            expected=USUAL[key],
            worn_fraction_24h=max(0.0, 1.0 - age / 24),
            hours_since_last_reading=age,
            baseline_is_known=True,
            worse_sign=sign,
        )
    return RecoveryFeatures(now, "made", "colectomy", False, found)


def unread_features(now: float) -> RecoveryFeatures:
    """A twin that has never had a reading."""
    blank = {
        key: MetricFeatures(key, None, 0, None, None, None, 0.0, None, False, METRICS[key].worse_sign)
        for key in METRICS
    }
    return RecoveryFeatures(now, "made", "colectomy", False, blank)
