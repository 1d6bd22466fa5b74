"""Surgical Apgar score, from the anaesthetic record of one operation.

Source: Gawande AA et al. An Apgar score for surgery. J Am Coll Surg 2007;204:201-208 (c 0.72)
[V: clinical-reference 4.9; the rule for bradyarrhythmia G]. Few points are bad: in a partial score `highest`
is the best that it could be.
"""

from __future__ import annotations

from math import inf

from recovery.twin.scores.result import Item, ScoreResult, Table, summed, tabled

SOURCE = "Gawande AA, et al. An Apgar score for surgery. J Am Coll Surg 2007;204:201-208."
HIGH_RISK = 4
BLOOD_LOSS: Table = ((100, 3), (600, 2), (1000, 1), (inf, 0))
MEAN_PRESSURE: Table = ((39, 0), (54, 1), (69, 2), (inf, 3))
HEART_RATE: Table = ((55, 4), (65, 3), (75, 2), (85, 1), (inf, 0))


def surgical_apgar(
    *,
    blood_loss_ml: float | None = None,
    lowest_mean_pressure: float | None = None,
    lowest_heart_rate: float | None = None,
    bradyarrhythmia: bool = False,
) -> ScoreResult:
    """Surgical Apgar, 0-10: estimated blood loss in mL, lowest mean arterial pressure in mmHg, lowest heart rate
    in /min, all during the operation.

    Pathologic bradyarrhythmia or asystole scores no point for the heart rate, whatever it was. Raises
    ScoreRefused for a value no patient can have.
    """
    items = (
        tabled("blood_loss", "blood loss", blood_loss_ml, BLOOD_LOSS, 0, 100_000),
        tabled("mean_pressure", "lowest mean arterial pressure", lowest_mean_pressure, MEAN_PRESSURE, 0, 250),
        _heart_rate(lowest_heart_rate, bradyarrhythmia),
    )
    return summed("surgical_apgar", "Surgical Apgar", items, band, SOURCE)


def band(items: tuple[Item, ...], value: int) -> str:
    """Gawande's limit: 4 points or fewer are high risk."""
    return "high_risk" if value <= HIGH_RISK else "not_high_risk"


def _heart_rate(rate: float | None, bradyarrhythmia: bool) -> Item:
    if bradyarrhythmia:
        return Item("heart_rate", "lowest heart rate", rate, 0, 4)
    return tabled("heart_rate", "lowest heart rate", rate, HEART_RATE, 0, 350)
