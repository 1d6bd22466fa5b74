"""How well one patient's twin has predicted so far: five running sums per metric, bounded memory.

Every measurement is judged before it is learned from (one step ahead), so the card is honest by construction.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from recovery.twin.transform import Floats

CARD_SIZE = 5
Z90, Z50 = 1.6448536269514722, 0.6744897501960817  # standard normal quantiles at 0.95 and 0.75
ENOUGH = 20  # measurements before a card may condemn the twin: assumed [G]
LIKE_OTHERS = 20.0  # measurements for which a person is taken to scatter as the population does: assumed [G]


@dataclass(frozen=True, slots=True)
class Card:
    """Counts and sums over the measurements of one metric; errors are absolute, on the model scale."""

    n: float = 0.0
    inside90: float = 0.0
    inside50: float = 0.0
    error_twin: float = 0.0
    error_population: float = 0.0

    @property
    def coverage90(self) -> float | None:
        """Share of measurements inside the one-step 90 % interval; None before the first."""
        return self.inside90 / self.n if self.n else None

    @property
    def coverage50(self) -> float | None:
        """Share of measurements inside the one-step 50 % interval; None before the first."""
        return self.inside50 / self.n if self.n else None

    @property
    def skill(self) -> float | None:
        """1 - (mean error of the twin / mean error of the population curve); None while undefined."""
        return 1.0 - self.error_twin / self.error_population if self.error_population > 0.0 else None

    @property
    def is_worse_than_population(self) -> bool:
        """True when, after `ENOUGH` measurements, the population curve has predicted better."""
        return self.n >= ENOUGH and self.error_twin > self.error_population

    @property
    def scatter(self) -> float:
        """`scatter_of` this card."""
        return float(scatter_of(self.as_array()))

    def as_array(self) -> Floats:
        """(5,) in field order."""
        return np.array([self.n, self.inside90, self.inside50, self.error_twin, self.error_population])


def scatter_of(cards: Floats) -> Floats:
    """How many times as widely as the population's a person's measurements scatter, never below 1, from cards (..., 5).

    Of normal surprises with SD s a share 2 Phi(z90 / s) - 1 lies inside the 90 % interval, so s = z90 / z of the share
    seen; the population's own share counts as `LIKE_OTHERS` measurements. A share, not a sum of squares: a few
    artefacts, however absurd, move it little. Nobody is taken as steadier than the population: that would make small
    things alarming.
    """
    count, inside = cards[..., 0], cards[..., 1]
    share = (inside + 0.9 * LIKE_OTHERS) / (count + LIKE_OTHERS)
    return np.asarray(np.maximum(Z90 / ndtri((1.0 + share) / 2.0), 1.0))


def tally(surprises: Floats, residuals: Floats, population_residuals: Floats) -> Floats:
    """Sums over the last axis (..., T), nan where padded, to add to cards: (..., 5)."""
    seen = np.isfinite(surprises)
    size = np.where(seen, np.abs(surprises), np.inf)
    return np.stack(
        [
            seen.sum(axis=-1),
            (size <= Z90).sum(axis=-1),
            (size <= Z50).sum(axis=-1),
            np.abs(np.where(seen, residuals, 0.0)).sum(axis=-1),
            np.abs(np.where(seen, population_residuals, 0.0)).sum(axis=-1),
        ],
        axis=-1,
    ).astype(float)
