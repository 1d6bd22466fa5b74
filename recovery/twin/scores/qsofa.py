"""qSOFA, the bedside sepsis screen.

Source: Singer M et al. The Third International Consensus Definitions for Sepsis and Septic Shock (Sepsis-3).
JAMA 2016;315:801-810 [G: clinical-reference 4.2].
"""

from __future__ import annotations

from recovery.twin.scores.result import Item, ScoreRefused, ScoreResult, charted, flag, summed

SOURCE = "Singer M, et al. Sepsis-3. JAMA 2016;315:801-810."
POSITIVE = 2


def qsofa(
    *,
    respiratory_rate: float | None = None,
    systolic: float | None = None,
    altered_mentation: bool | None = None,
    glasgow: int | None = None,
) -> ScoreResult:
    """qSOFA: one point each for respiration >= 22 /min, systolic <= 100 mmHg, altered mentation (Glasgow <
    15).

    Mentation is given as a statement or as the Glasgow total; both that disagree raise ScoreRefused.
    """
    fast = None if respiratory_rate is None else charted(respiratory_rate, "respiration rate", 0, 100) >= 22
    low = None if systolic is None else charted(systolic, "systolic blood pressure", 0, 350) <= 100
    items = (
        flag("respiratory_rate", "respiration rate of 22 or more", fast, 1),
        flag("systolic", "systolic blood pressure of 100 or less", low, 1),
        flag("mentation", "altered mentation", _altered(altered_mentation, glasgow), 1),
    )
    return summed("qsofa", "qSOFA", items, band, SOURCE)


def band(items: tuple[Item, ...], value: int) -> str:
    return "positive" if value >= POSITIVE else "negative"


def _altered(stated: bool | None, glasgow: int | None) -> bool | None:
    if glasgow is None:
        return stated
    altered = charted(glasgow, "Glasgow coma scale", 3, 15) < 15
    if stated is not None and stated != altered:
        raise ScoreRefused(f"mentation stated as {stated} but Glasgow coma scale {glasgow}")
    return altered
