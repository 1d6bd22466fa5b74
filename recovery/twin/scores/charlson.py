"""Charlson comorbidity index, with the original weights and with those of Quan 2011.

Sources: Charlson ME et al. J Chronic Dis 1987;40:373-383; Charlson M et al. J Clin Epidemiol 1994;47:1245-1251
(age); Quan H et al. Am J Epidemiol 2011;173:676-682 [G: clinical-reference 4.13]. The label says which weights
were used.
"""

from __future__ import annotations

from math import inf

from recovery.twin.scores.conditions import Conditions, condition_items
from recovery.twin.scores.result import Item, ScoreRefused, ScoreResult, Table, aged, summed

SOURCES = {
    "charlson_1987": "Charlson ME, et al. J Chronic Dis 1987;40:373-383.",
    "quan_2011": "Quan H, et al. Am J Epidemiol 2011;173:676-682.",
}
NAMES = {"charlson_1987": "1987 weights", "quan_2011": "Quan 2011 weights"}
LABELS = {
    "myocardial_infarction": "myocardial infarction",
    "heart_failure": "heart failure",
    "peripheral_vascular": "peripheral vascular disease",
    "cerebrovascular": "cerebrovascular disease",
    "dementia": "dementia",
    "chronic_lung": "chronic lung disease",
    "connective_tissue": "connective tissue disease",
    "peptic_ulcer": "peptic ulcer",
    "mild_liver": "mild liver disease",
    "severe_liver": "moderate or severe liver disease",
    "diabetes": "diabetes",
    "diabetes_organ_damage": "diabetes with organ damage",
    "hemiplegia": "hemiplegia",
    "renal": "moderate or severe renal disease",
    "tumour": "any tumour, leukaemia or lymphoma",
    "metastatic": "metastatic solid tumour",
    "aids": "AIDS",
}
WEIGHTS_1987 = dict.fromkeys(LABELS, 1) | {
    "diabetes_organ_damage": 2,
    "hemiplegia": 2,
    "renal": 2,
    "tumour": 2,
    "severe_liver": 3,
    "metastatic": 6,
    "aids": 6,
}
WEIGHTS_2011 = dict.fromkeys(LABELS, 0) | {
    "heart_failure": 2,
    "dementia": 2,
    "chronic_lung": 1,
    "connective_tissue": 1,
    "mild_liver": 2,
    "severe_liver": 4,
    "diabetes_organ_damage": 1,
    "hemiplegia": 2,
    "renal": 1,
    "tumour": 2,
    "metastatic": 6,
    "aids": 4,
}
WEIGHTS = {"charlson_1987": WEIGHTS_1987, "quan_2011": WEIGHTS_2011}
PAIRS = {"mild_liver": "severe_liver", "diabetes": "diabetes_organ_damage", "tumour": "metastatic"}
AGE: Table = ((49, 0), (59, 1), (69, 2), (79, 3), (inf, 4))
"""One point per decade from 50."""


def charlson(
    conditions: Conditions,
    *,
    weights: str = "charlson_1987",
    age_adjusted: bool = False,
    age_years: float | None = None,
) -> ScoreResult:
    """Charlson index of the conditions named in LABELS; a condition not mentioned is not known, and is missing.

    Of each pair (liver, diabetes, tumour) only the more severe counts. Age counts, in completed years, only when
    `age_adjusted`. Raises ScoreRefused for an unknown condition or set of weights.
    """
    if weights not in WEIGHTS:
        raise ScoreRefused(f"Charlson weights are {' or '.join(WEIGHTS)}, not {weights!r}")
    items = condition_items(conditions, LABELS, WEIGHTS[weights], PAIRS)
    if age_adjusted:
        items = (*items, aged(age_years, AGE))
    label = f"Charlson{' with age' if age_adjusted else ''} ({NAMES[weights]})"
    return summed("charlson", label, items, band, SOURCES[weights])


def band(items: tuple[Item, ...], value: int) -> str:
    """The groups of the 1987 paper: 0, 1-2, 3-4, 5 or more."""
    return "5_or_more" if value >= 5 else "3_to_4" if value >= 3 else "1_to_2" if value else "0"
