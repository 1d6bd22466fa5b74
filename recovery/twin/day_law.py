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


@dataclass(frozen=True, eq=False)
class DayLaw:
    """noise_var: variance of a day's value around its true level, model scale.

    leads (K,): days ahead, rising, 1 = the 24 h that begin when the forecast is made. z (K, 5): standardised
    quantiles at 5, 25, 50, 75 and 95 % for each lead; between leads they are interpolated, outside held.
    """

    noise_var: float
    leads: Floats
    z: Floats

    def quantiles_of(self, lead: ArrayLike) -> Floats:
        """(..., 5) standardised quantiles at leads (...,)."""
        wanted = np.asarray(lead, float)
        return np.stack([np.interp(wanted, self.leads, column) for column in self.z.T], axis=-1)

    def to_plain(self) -> dict[str, Any]:
        return {"noise_var": self.noise_var, "leads": self.leads.tolist(), "z": self.z.tolist()}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> "DayLaw":
        """Inverse of `to_plain`; raises `MalformedState`."""
        try:
            made = cls(float(plain["noise_var"]), np.array(plain["leads"], float), np.array(plain["z"], float))
        except (KeyError, TypeError, ValueError) as problem:
            raise MalformedState(f"stored day law cannot be read: {problem}") from problem
        if made.z.shape != (len(made.leads), 5) or (np.diff(made.z, axis=1) < 0.0).any():
            raise MalformedState("a day law needs five rising quantiles for each lead")
        return made
