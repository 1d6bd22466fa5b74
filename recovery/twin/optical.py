"""Pulse oximeters on dark skin: a wider error and a bias of unknown size, where the skin type has been recorded.

Sjoding 2020 (clinical reference, rule 20 [G]): with an oximeter at 92 to 96 %, the arterial value was below 88 % in
3.6 % of light- and 11.7 % of dark-skinned patients. Taken 6 points apart (94 and 88), the first share is a normal
error of 6 / 1.80 = 3.3 points SD. The second is either the same error with the device reading 6 - 1.19 x 3.3 = 2 points
high, or one of 6 / 1.19 = 5.0 points, half again as wide [D]. Which of the two it is in one patient is not known: the
usual level may be off by 2 points, and readings scatter half again as widely. What is missed is lowness, so nothing
is subtracted: a value that looks right is trusted less, not corrected.
"""

from recovery.twin.metrics import METRICS
from recovery.twin.profile import Profile

OPTICAL = "spo2"
DARK, DARKEST = 5.0, 6.0  # Fitzpatrick types V and VI
BIAS_POINTS = 2.0
WIDER = 1.5
_USUAL = 96.0  # LifeSnaps 95.9 (data inventory 2.3): where the bias is carried to the model scale


def is_on_dark_skin(metric: str, profile: Profile) -> bool:
    return metric == OPTICAL and profile.skin_tone is not None and DARK <= profile.skin_tone <= DARKEST


def bias_variance() -> float:
    """Added to the variance of the baseline, model scale of SpO2."""
    return float((BIAS_POINTS * METRICS[OPTICAL].transform.slope(_USUAL)) ** 2)
