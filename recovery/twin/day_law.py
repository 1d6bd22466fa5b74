"""How the value of a whole day spreads around what the twin expects of it: learned from forecasts, not assumed.

The filter is Gaussian; a day's median or total is not quite: it leans, has heavier tails when the device was off,
and a score comes in whole points. A `DayLaw` keeps the quantiles of (value - mean) / sd seen in forecasts of other
patients, by how many days ahead the forecast was made. Quantiles stay closed form: mean + sd * z.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from recovery.twin.errors import MalformedState
from recovery.twin.transform import Floats

_NUMBERS = ("noise_var", "clock_share", "level_slope", "centre")


@dataclass(frozen=True, eq=False)
class DayLaw:
    """noise_var: variance of a day's value around its true level, model scale, for a person without a time-of-day
    pattern and at level `centre`; noise(level, clock) = (noise_var + clock_share * clock'clock) * exp(level_slope *
    (level - centre)). The median of a day half worn depends on which half, the more the larger the pattern; and no
    transform makes the noise quite the same at every level.

    leads (K,): days ahead, rising, 1 = the 24 h that begin when the forecast is made. z (K, 5): standardised
    quantiles at 5, 25, 50, 75 and 95 % for each lead; between leads they are interpolated, outside held.
    """

    noise_var: float
    leads: Floats
    z: Floats
    clock_share: float = 0.0
    level_slope: float = 0.0
    centre: float = 0.0

    def noise(self, level: ArrayLike, clock: Floats) -> Floats:
        """Variance (..., D) of day values at expected levels (..., D) for clock coefficients (..., 2)."""
        around = self.noise_var + self.clock_share * np.sum(np.square(clock), axis=-1)[..., None]
        return np.asarray(around * np.exp(self.level_slope * (np.asarray(level, float) - self.centre)))

    def quantiles_of(self, lead: ArrayLike) -> Floats:
        """(..., 5) standardised quantiles at leads (...,)."""
        wanted = np.asarray(lead, float)
        return np.stack([np.interp(wanted, self.leads, column) for column in self.z.T], axis=-1)

    def to_plain(self) -> dict[str, Any]:
        tables = {"leads": self.leads.tolist(), "z": self.z.tolist()}
        return tables | {name: float(getattr(self, name)) for name in _NUMBERS}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> "DayLaw":
        """Inverse of `to_plain`; raises `MalformedState`."""
        try:
            leads, z = (np.array(plain[name], float) for name in ("leads", "z"))
            noise, share, slope, centre = (float(plain[name]) for name in _NUMBERS)
            made = cls(noise, leads, z, share, slope, centre)
        except (KeyError, TypeError, ValueError) as problem:
            raise MalformedState(f"stored day law cannot be read: {problem}") from problem
        if made.z.shape != (len(made.leads), 5) or (np.diff(made.z, axis=1) < 0.0).any():
            raise MalformedState("a day law needs five rising quantiles for each lead")
        return made
