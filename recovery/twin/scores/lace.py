"""LACE, the risk of death or unplanned readmission within 30 days of discharge.

Source: van Walraven C et al. CMAJ 2010;182:551-557 (c 0.684; 0.628 in Singapore) [V: clinical-reference 4.12; its
own comorbidity weights G].
"""

from __future__ import annotations

from math import floor, inf

from recovery.twin.scores.conditions import Conditions, condition_items
from recovery.twin.scores.result import Item, ScoreRefused, ScoreResult, Table, charted, flag, points_in, summed

SOURCE = "van Walraven C, et al. CMAJ 2010;182:551-557."
HIGH = 10
LENGTH: Table = ((0, 0), (1, 1), (2, 2), (3, 3), (6, 4), (13, 5), (inf, 7))
COMORBIDITY: Table = ((0, 0), (1, 1), (2, 2), (3, 3), (inf, 5))
EMERGENCY: Table = ((0, 0), (1, 1), (2, 2), (3, 3), (inf, 4))
LABELS = {
    "myocardial_infarction": "previous myocardial infarction",
    "cerebrovascular": "cerebrovascular disease",
    "peripheral_vascular": "peripheral vascular disease",
    "diabetes": "diabetes",
    "diabetes_organ_damage": "diabetes with organ damage",
    "heart_failure": "heart failure",
    "chronic_lung": "chronic lung disease",
    "mild_liver_or_renal": "mild liver or renal disease",
    "severe_liver_or_renal": "moderate or severe liver or renal disease",
    "tumour": "any tumour, lymphoma or leukaemia",
    "metastatic": "metastatic solid tumour",
    "dementia": "dementia",
    "connective_tissue": "connective tissue disease",
    "aids": "AIDS",
}
WEIGHTS = {
    "myocardial_infarction": 1,
    "cerebrovascular": 1,
    "peripheral_vascular": 1,
    "diabetes": 1,
    "diabetes_organ_damage": 2,
    "heart_failure": 2,
    "chronic_lung": 2,
    "mild_liver_or_renal": 2,
    "severe_liver_or_renal": 4,
    "tumour": 2,
    "metastatic": 6,
    "dementia": 3,
    "connective_tissue": 3,
    "aids": 4,
}
PAIRS = {
    "diabetes": "diabetes_organ_damage",
    "mild_liver_or_renal": "severe_liver_or_renal",
    "tumour": "metastatic",
}


def lace(
    *,
    days: float | None = None,
    acute: bool | None = None,
    comorbidity_points: int | None = None,
    emergency_visits: int | None = None,
) -> ScoreResult:
    """LACE, 0-19: length of stay in days (whole days count), acute admission, points of LACE's own comorbidity
    weights (see `comorbidity`), and emergency visits in the six months before. Raises ScoreRefused for a value
    that cannot be one."""
    items = (
        _counted("length", "length of stay", days, LENGTH, 3650),
        flag("acute", "acute admission", acute, 3),
        _counted("comorbidity", "comorbidity", comorbidity_points, COMORBIDITY, sum(WEIGHTS.values())),
        _counted("emergency_visits", "emergency visits in six months", emergency_visits, EMERGENCY, 1000),
    )
    return summed("lace", "LACE", items, band, SOURCE)


def comorbidity(conditions: Conditions) -> int | None:
    """Points of LACE's own weights, only the more severe of a pair; None while an unknown condition could still
    move the item (from four points on none can). Raises ScoreRefused for a condition LACE does not hold."""
    items = condition_items(conditions, LABELS, WEIGHTS, PAIRS)
    known = sum(item.points or 0 for item in items)
    return None if known < 4 and any(item.points is None for item in items) else known


def band(items: tuple[Item, ...], value: int) -> str:
    return "high" if value >= HIGH else "not_high"


def _counted(key: str, label: str, value: float | None, table: Table, highest: float) -> Item:
    """Whole units count: 3.9 days are 3."""
    worst = max(points for _, points in table)
    if value is None:
        return Item(key, label, None, None, worst)
    if isinstance(value, bool):
        raise ScoreRefused(f"{label} is a number, not {value}")
    return Item(key, label, value, points_in(table, floor(charted(value, label, 0, highest, decimals=6))), worst)
