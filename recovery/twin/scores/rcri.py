"""RCRI, the Revised Cardiac Risk Index, with the event rates of both tables in use.

Sources: Lee TH et al. Circulation 1999;100:1043-1049; Duceppe E et al. Canadian Cardiovascular Society
Guidelines. Can J Cardiol 2017;33:17-32 [G: clinical-reference 4.4].
"""

from __future__ import annotations

from recovery.twin.scores.result import Item, Rate, ScoreRefused, ScoreResult, charted, flag, summed

SOURCE = "Lee TH, et al. Circulation 1999;100:1043-1049."
LEE_1999 = ("Lee 1999, validation set", (0.4, 0.9, 6.6, 11.0))
CCS_2017 = ("Canadian Cardiovascular Society 2017, pooled", (3.9, 6.0, 10.1, 15.0))
CREATININE_MG_DL = 2.0
CREATININE_UMOL_L = 177.0


def rcri(
    *,
    high_risk_surgery: bool | None = None,
    ischaemic_heart_disease: bool | None = None,
    heart_failure: bool | None = None,
    cerebrovascular_disease: bool | None = None,
    insulin_treated_diabetes: bool | None = None,
    creatinine_mg_dl: float | None = None,
    creatinine_umol_l: float | None = None,
) -> ScoreResult:
    """RCRI from six items of one point; creatinine before the operation, in one of its two units.

    High-risk surgery is intraperitoneal, intrathoracic or suprainguinal vascular. Each limit is compared in
    its own unit, because 177 umol/L is a little more than 2.0 mg/dL. Raises ScoreRefused when both units are
    given.
    """
    high = _creatinine_high(creatinine_mg_dl, creatinine_umol_l)
    items = (
        flag("high_risk_surgery", "high-risk surgery", high_risk_surgery, 1),
        flag("ischaemic_heart_disease", "ischaemic heart disease", ischaemic_heart_disease, 1),
        flag("heart_failure", "heart failure", heart_failure, 1),
        flag("cerebrovascular_disease", "stroke or TIA", cerebrovascular_disease, 1),
        flag("insulin_treated_diabetes", "insulin-treated diabetes", insulin_treated_diabetes, 1),
        flag("creatinine", "creatinine above 2.0 mg/dL (177 umol/L)", high, 1),
    )
    return summed("rcri", "RCRI", items, band, SOURCE, rates)


def band(items: tuple[Item, ...], value: int) -> str:
    """Lee's classes I to IV: 0, 1, 2, and 3 or more points."""
    return ("class_1", "class_2", "class_3", "class_4")[min(value, 3)]


def rates(band: str, value: int) -> tuple[Rate, ...]:
    return tuple(Rate("major cardiac event", row[min(value, 3)], source) for source, row in (LEE_1999, CCS_2017))


def _creatinine_high(mg_dl: float | None, umol_l: float | None) -> bool | None:
    if mg_dl is not None and umol_l is not None:
        raise ScoreRefused("creatinine was given in two units")
    if mg_dl is not None:
        return charted(mg_dl, "creatinine in mg/dL", 0.1, 30, decimals=2) > CREATININE_MG_DL
    if umol_l is not None:
        return charted(umol_l, "creatinine in umol/L", 8.8, 2653, decimals=1) > CREATININE_UMOL_L
    return None
