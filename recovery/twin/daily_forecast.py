"""The forecast of a patient made at one hour: one row per measure and later postoperative day (design section 10)."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from recovery.twin.forecast import Curve, day_forecast
from recovery.twin.metrics import LOINC, METRICS
from recovery.twin.params import PopulationParams
from recovery.twin.profile import Profile
from recovery.twin.state import TwinState

FORECAST_METRICS = ("heart_rate", "respiratory_rate", "spo2", "temperature", "steps", "pain")
DAYS_AHEAD = 14  # design section 10


class ForecastRow(NamedTuple):
    """Expected value of one measure on one postoperative day: LOINC code, day, mean and quantiles, natural units."""

    code: str
    day: int
    mean: float
    q05: float
    q25: float
    q50: float
    q75: float
    q95: float


def forecast_rows(
    state: TwinState | None,
    params: PopulationParams,
    profile: Profile,
    made_at_hour: float,
    *,
    days_ahead: int = DAYS_AHEAD,
    metrics: Sequence[str] = FORECAST_METRICS,
) -> list[ForecastRow]:
    """Rows for the first `days_ahead` whole postoperative days that begin at or after `made_at_hour`.

    state: the twin folded from what was known at made_at_hour, None when nothing was. Values are day values: the
    median of the day's hours, the day's total, the day's last report. Raises `OutsideDomain` past the last day of
    the model, `UnknownMetric` for a metric without parameters.
    """
    first = int(np.ceil(made_at_hour / 24.0))
    days = np.arange(first, first + days_ahead)
    found: list[ForecastRow] = []
    for key in metrics:
        curve, mean = day_forecast(state, params, profile, key, days)
        found += _rows(curve, mean.tolist(), days.tolist())
    return found


def _rows(curve: Curve, means: list[float], days: list[int]) -> list[ForecastRow]:
    code = loinc_of(curve.metric)
    return [
        ForecastRow(code, day, mean, *quantiles)
        for day, mean, quantiles in zip(days, means, curve.quantiles.tolist(), strict=True)
    ]


def loinc_of(metric: str) -> str:
    """The LOINC code under which the metric leaves; its first own code where LOINC has none."""
    codes = METRICS[metric].codes
    return next((c.code for c in codes if c.system == LOINC), codes[0].code)
