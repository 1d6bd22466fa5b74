"""POSSUM and P-POSSUM: expected mortality and morbidity from physiology before, and severity of, one operation.

Sources: Copeland GP et al. Br J Surg 1991;78:355-360 (items and POSSUM equations); Prytherch DR et al. Br J Surg
1998;85:1217-1220 (P-POSSUM equation) [items G, operative bands and POSSUM equations V, P-POSSUM equation G:
clinical-reference 4.11]. Values are rounded to the precision the sheet prints before they are read off it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, inf

from recovery.twin.scores.result import Item, ScoreResult, Table, aged, chosen, summed, tabled

SOURCE = "Copeland GP, et al. POSSUM. Br J Surg 1991;78:355-360."
P_SOURCE = "Prytherch DR, et al. P-POSSUM. Br J Surg 1998;85:1217-1220."
P_POSSUM_MORTALITY = (-9.065, 0.1692, 0.1550)
POSSUM_MORTALITY = (-7.04, 0.13, 0.16)
POSSUM_MORBIDITY = (-5.91, 0.16, 0.19)
"""(intercept, per physiology point, per operative point) of the log odds."""

AGE: Table = ((60, 1), (70, 2), (inf, 4))
SYSTOLIC: Table = ((89, 8), (99, 4), (109, 2), (130, 1), (170, 2), (inf, 4))
PULSE: Table = ((39, 8), (49, 2), (80, 1), (100, 2), (120, 4), (inf, 8))
GLASGOW: Table = ((8, 8), (11, 4), (14, 2), (inf, 1))
HAEMOGLOBIN: Table = ((9.9, 8), (11.4, 4), (12.9, 2), (16.0, 1), (17.0, 2), (18.0, 4), (inf, 8))
WHITE_CELLS: Table = ((3.0, 4), (3.9, 2), (10.0, 1), (20.0, 2), (inf, 4))
UREA: Table = ((7.5, 1), (10.0, 2), (15.0, 4), (inf, 8))
SODIUM: Table = ((125, 8), (130, 4), (135, 2), (inf, 1))
POTASSIUM: Table = ((2.8, 8), (3.1, 4), (3.4, 2), (5.0, 1), (5.3, 2), (5.9, 4), (inf, 8))
CARDIAC = {"none": 1, "drugs": 2, "oedema_warfarin_borderline": 4, "raised_jvp_cardiomegaly": 8}
RESPIRATORY = {"none": 1, "exertional_mild": 2, "limiting_moderate": 4, "at_rest_fibrosis_consolidation": 8}
ECG = {"normal": 1, "af_60_90": 4, "other": 8}
SEVERITY = {"minor": 1, "moderate": 2, "major": 4, "major_plus": 8}
PROCEDURES: Table = ((1, 1), (2, 4), (inf, 8))
BLOOD_LOSS: Table = ((100, 1), (500, 2), (999, 4), (inf, 8))
SOILING = {"none": 1, "serous": 2, "local_pus": 4, "free_content": 8}
MALIGNANCY = {"none": 1, "primary": 2, "nodes": 4, "distant": 8}
URGENCY = {"elective": 1, "emergency": 4, "immediate": 8}
"""Emergency: more than two hours for resuscitation are possible; immediate: they are not."""


@dataclass(frozen=True, slots=True)
class PossumResult:
    """Both sums of points and, when no item is missing, the three expected risks as fractions."""

    physiology: ScoreResult
    operative: ScoreResult
    p_possum_mortality: float | None
    possum_mortality: float | None
    possum_morbidity: float | None
    source: str = SOURCE
    p_source: str = P_SOURCE

    @property
    def complete(self) -> bool:
        return self.physiology.complete and self.operative.complete

    @property
    def missing(self) -> tuple[str, ...]:
        return (*self.physiology.missing, *self.operative.missing)


def possum(physiology: ScoreResult, operative: ScoreResult) -> PossumResult:
    """The expected risks of the two sheets; None, not a guess, while an item is missing."""
    if not (physiology.complete and operative.complete):
        return PossumResult(physiology, operative, None, None, None)
    ps, os = physiology.value or 0, operative.value or 0
    return PossumResult(
        physiology,
        operative,
        p_possum_mortality=expected(ps, os, P_POSSUM_MORTALITY),
        possum_mortality=expected(ps, os, POSSUM_MORTALITY),
        possum_morbidity=expected(ps, os, POSSUM_MORBIDITY),
    )


def expected(physiology: float, operative: float, equation: tuple[float, float, float]) -> float:
    """R of ln(R / (1 - R)) = intercept + a PS + b OS, a fraction."""
    intercept, per_physiology, per_operative = equation
    return 1.0 / (1.0 + exp(-(intercept + per_physiology * physiology + per_operative * operative)))


def possum_physiology(
    *,
    age_years: float | None = None,
    cardiac: str | None = None,
    respiratory: str | None = None,
    systolic: float | None = None,
    pulse: float | None = None,
    glasgow: int | None = None,
    haemoglobin_g_dl: float | None = None,
    white_cells: float | None = None,
    urea_mmol_l: float | None = None,
    sodium: float | None = None,
    potassium: float | None = None,
    ecg: str | None = None,
) -> ScoreResult:
    """Physiology score, 12-88, of the state before the operation: mmHg, /min, g/dL, 10^9/L, mmol/L; words as in
    CARDIAC, RESPIRATORY and ECG. Raises ScoreRefused for another word or a value no patient can have."""
    items = (
        aged(age_years, AGE),
        chosen("cardiac", "cardiac signs", cardiac, CARDIAC),
        chosen("respiratory", "respiratory signs", respiratory, RESPIRATORY),
        tabled("systolic", "systolic blood pressure", systolic, SYSTOLIC, 0, 350),
        tabled("pulse", "pulse", pulse, PULSE, 0, 350),
        tabled("glasgow", "Glasgow coma scale", glasgow, GLASGOW, 3, 15),
        tabled("haemoglobin", "haemoglobin in g/dL", haemoglobin_g_dl, HAEMOGLOBIN, 1, 30, 1),
        tabled("white_cells", "white cells in 10^9/L", white_cells, WHITE_CELLS, 0, 1000, 1),
        tabled("urea", "urea in mmol/L", urea_mmol_l, UREA, 0, 120, 1),
        tabled("sodium", "sodium in mmol/L", sodium, SODIUM, 80, 220),
        tabled("potassium", "potassium in mmol/L", potassium, POTASSIUM, 0.5, 15, 1),
        chosen("ecg", "electrocardiogram", ecg, ECG),
    )
    return summed("possum_physiology", "POSSUM physiology", items, unbanded, SOURCE)


def possum_operative(
    *,
    severity: str | None = None,
    procedures: int | None = None,
    blood_loss_ml: float | None = None,
    soiling: str | None = None,
    malignancy: str | None = None,
    urgency: str | None = None,
) -> ScoreResult:
    """Operative severity score, 6-48: words as in SEVERITY, SOILING, MALIGNANCY and URGENCY; number of procedures;
    blood loss in mL. Raises ScoreRefused for another word or an impossible number."""
    items = (
        chosen("severity", "operative severity", severity, SEVERITY),
        tabled("procedures", "number of procedures", procedures, PROCEDURES, 1, 100),
        tabled("blood_loss", "blood loss in mL", blood_loss_ml, BLOOD_LOSS, 0, 100_000),
        chosen("soiling", "peritoneal soiling", soiling, SOILING),
        chosen("malignancy", "malignancy", malignancy, MALIGNANCY),
        chosen("urgency", "urgency", urgency, URGENCY),
    )
    return summed("possum_operative", "POSSUM operative severity", items, unbanded, SOURCE)


def unbanded(items: tuple[Item, ...], value: int) -> str:
    """POSSUM prints no bands: its risk is the reading."""
    return "unbanded"
