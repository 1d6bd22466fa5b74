"""Caprini 2005, the risk of venous thromboembolism around an operation.

Sources: Caprini JA. Dis Mon 2005;51:70-78 (items); Gould MK et al. ACCP guideline. Chest 2012;141:e227S-e277S
(bands and rates without prophylaxis) [G: clinical-reference 4.5].
"""

from __future__ import annotations

from math import inf

from recovery.twin.scores.conditions import Conditions, checked
from recovery.twin.scores.result import (
    Item,
    Rate,
    ScoreRefused,
    ScoreResult,
    Table,
    aged,
    charted,
    chosen,
    flag,
    summed,
)

SOURCE = "Caprini JA. Dis Mon 2005;51:70-78."
ACCP = "Gould MK, et al. ACCP guideline. Chest 2012;141:e227S-e277S."
AGE: Table = ((40, 0), (60, 1), (74, 2), (inf, 3))
OPERATION = {
    "none": 0,
    "minor": 1,
    "arthroscopic": 2,
    "major_open": 2,
    "laparoscopic": 2,
    "lower_limb_arthroplasty": 5,
}
"""The operation of this episode, one item only: major open and laparoscopic last longer than 45 min; arthroplasty is
elective and of a major joint."""
ONE = {
    "swollen_legs": "swollen legs",
    "varicose_veins": "varicose veins",
    "pregnancy": "pregnancy or postpartum",
    "miscarriage": "unexplained or recurrent miscarriage",
    "oestrogen": "oral contraceptive or hormone replacement",
    "sepsis": "sepsis in the last month",
    "lung_disease": "serious lung disease or pneumonia in the last month",
    "copd": "abnormal lung function",
    "myocardial_infarction": "acute myocardial infarction",
    "heart_failure": "heart failure in the last month",
    "bowel_disease": "inflammatory bowel disease",
    "medical_bed_rest": "medical patient at bed rest",
    "recent_major_surgery": "other major surgery in the last month",
}
TWO = {
    "malignancy": "malignancy",
    "bed_72_h": "confined to bed for more than 72 h",
    "plaster": "plaster immobilisation",
    "central_line": "central venous access",
}
THREE = {
    "vte": "history of venous thromboembolism",
    "family_vte": "family history of venous thromboembolism",
    "factor_v_leiden": "factor V Leiden",
    "prothrombin_20210a": "prothrombin 20210A",
    "lupus_anticoagulant": "lupus anticoagulant",
    "anticardiolipin": "anticardiolipin antibodies",
    "homocysteine": "raised homocysteine",
    "hit": "heparin-induced thrombocytopenia",
    "other_thrombophilia": "other thrombophilia",
}
FIVE = {
    "stroke": "stroke in the last month",
    "leg_fracture": "hip, pelvis or leg fracture in the last month",
    "cord_injury": "acute spinal cord injury in the last month",
    "multiple_trauma": "multiple trauma in the last month",
}
FACTORS = {
    key: (label, points) for points, row in ((1, ONE), (2, TWO), (3, THREE), (5, FIVE)) for key, label in row.items()
}
OF_WOMEN = ("pregnancy", "miscarriage", "oestrogen")
PER_HUNDRED = {"very_low": 0.5, "low": 1.5, "moderate": 3.0, "high": 6.0}


def caprini(
    factors: Conditions,
    *,
    age_years: float | None = None,
    bmi: float | None = None,
    operation: str | None = None,
    sex: str | None = None,
) -> ScoreResult:
    """Caprini score: age in completed years, BMI in kg/m2, the operation (a key of OPERATION) and the factors of
    FACTORS; one not mentioned is not known, and is missing.

    Only one age and one operation count. `sex="male"` settles the three items of women as absent. Raises
    ScoreRefused for an unknown factor or operation, and for an item of women stated of a man.
    """
    heavy = None if bmi is None else charted(bmi, "BMI", 5, 150, decimals=2) > 25
    known = _with_sex(checked(factors, FACTORS), sex)
    items = (
        aged(age_years, AGE),
        chosen("operation", "operation", operation, OPERATION),
        flag("bmi", "BMI above 25", heavy, 1),
        *(flag(key, label, known.get(key), points) for key, (label, points) in FACTORS.items()),
    )
    return summed("caprini", "Caprini", items, band, SOURCE, rates)


def band(items: tuple[Item, ...], value: int) -> str:
    """ACCP 2012: 0 very low, 1-2 low, 3-4 moderate, 5 or more high."""
    return "high" if value >= 5 else "moderate" if value >= 3 else "low" if value else "very_low"


def rates(band: str, value: int) -> tuple[Rate, ...]:
    below = ", fewer than" if band == "very_low" else ", about"
    return (Rate(f"venous thromboembolism without prophylaxis{below}", PER_HUNDRED[band], ACCP),)


def _with_sex(factors: Conditions, sex: str | None) -> Conditions:
    if sex not in (None, "female", "male"):
        raise ScoreRefused(f"sex is female, male or not known, not {sex!r}")
    if sex != "male":
        return factors
    stated = [key for key in OF_WOMEN if factors.get(key)]
    if stated:
        raise ScoreRefused(f"stated of a man: {', '.join(stated)}")
    return {**factors, **dict.fromkeys(OF_WOMEN, False)}
