"""Published anchors of the laboratory values: how they run after an ordinary operation, each with its source.

One shape of rise and fall per analyte, scaled per kind of operation by how deeply it injures: the reference anchors
heart and joint surgery, the other sizes are general knowledge to be reviewed by the hospital. Days and the hour at
which they are read are those of `anchors`.
"""

from collections.abc import Mapping

from recovery.twin.anchor_types import Baseline, Curves, Values, Wander
from recovery.twin.source import Source

_SIZE = "sizes for other operations are ordinary values, ordered by tissue injury [G]"
_TAU = "Least squares of the anchored courses over a grid of time constants, among the best and far enough apart"

PEAK_CRP: Mapping[str, float] = {
    "knee_replacement": 105.0,
    "hip_replacement": 100.0,
    "colectomy_laparoscopic": 100.0,
    "colectomy_open": 145.0,
    "cholecystectomy": 45.0,
    "cardiac": 125.0,
    "hip_fracture": 125.0,
    "lobectomy_vats": 90.0,
    "lobectomy_open": 135.0,
    "sleeve_gastrectomy": 70.0,
    "hysterectomy_minimal": 50.0,
    "hysterectomy_open": 80.0,
    "spinal_fusion": 110.0,
}
"""Rise at the peak above the own baseline, mg/L."""

_CRP_SHAPE: Values = (0.30, 0.70, 1.0, 0.98, 0.77, 0.46, 0.30, 0.10, 0.0)
CRP = Curves(
    (0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 7.0, 14.0, 42.0),
    "shift",
    {key: tuple(peak * share for share in _CRP_SHAPE) for key, peak in PEAK_CRP.items()},
    Source(
        "V",
        "Clinical reference 1.3: cardiac medians POD0-5 42, 91, 129, 127, 100, 62 mg/L; after joint replacement the"
        " peak is on POD2-3, TKA about 80-130 (its middle), and below the reference limit by day 42; days 7 and 14"
        f" interpolated [G]; {_SIZE}",
    ),
    (1.0, 3.0, 7.0, 14.0),
    (0.6, 0.6, 0.5, 0.4),
    "log",
    Source("G", "Assumed: two thirds of patients within a factor 1.8 of the usual value, less once it is over"),
    (0.4, 1.0, 10.0),
    Source("D", _TAU + "; quick enough for a rise that begins some 6 to 12 hours after the cut [G]"),
)

PEAK_LEUKOCYTES: Mapping[str, float] = {
    "knee_replacement": 45.0,
    "hip_replacement": 45.0,
    "colectomy_laparoscopic": 45.0,
    "colectomy_open": 60.0,
    "cholecystectomy": 35.0,
    "cardiac": 90.0,
    "hip_fracture": 45.0,
    "lobectomy_vats": 50.0,
    "lobectomy_open": 60.0,
    "sleeve_gastrectomy": 45.0,
    "hysterectomy_minimal": 45.0,
    "hysterectomy_open": 55.0,
    "spinal_fusion": 45.0,
}
"""Rise at the peak, per cent of the own baseline."""

_LEUKOCYTE_SHAPE: Values = (0.80, 1.0, 0.70, 0.45, 0.25, 0.15, 0.06, 0.0)
LEUKOCYTES = Curves(
    (0.0, 1.0, 2.0, 3.0, 5.0, 7.0, 14.0, 30.0),
    "percent",
    {key: tuple(100.0 + peak * share for share in _LEUKOCYTE_SHAPE) for key, peak in PEAK_LEUKOCYTES.items()},
    Source(
        "V",
        "Clinical reference 1.3: cardiac 14.6 on POD1 to 9.3 on POD5, of a usual 7.7 before surgery; the days"
        f" between and after interpolated [G]; {_SIZE}",
    ),
    (1.0, 3.0, 14.0),
    (0.22, 0.18, 0.10),
    "log",
    Source("G", "Assumed spread between patients of the same operation: 22 % at the peak, 10 % when it is over"),
    (0.5, 2.0, 10.0),
    Source("D", _TAU),
)

_CREATININE_SHAPE: Values = (93.0, 96.0, 98.0, 99.0, 100.0, 100.0)
CREATININE = Curves(
    (0.0, 1.0, 2.0, 3.0, 7.0, 30.0),
    "percent",
    {
        **dict.fromkeys(PEAK_CRP, _CREATININE_SHAPE),
        "cardiac": (86.0, 92.0, 97.0, 98.0, 100.0, 100.0),
    },
    Source(
        "G",
        "Clinical reference 1.3: falls with dilution on POD0-1, most after heart surgery, else flat round the value"
        " before surgery, which is what KDIGO compares with; the depth is assumed",
    ),
    (1.0, 3.0, 14.0),
    (0.10, 0.10, 0.08),
    "log",
    Source("G", "Assumed spread between patients around their own baseline: 10 %"),
    (1.0, 3.0, 20.0),
    Source("G", "Assumed: dilution passes in days, what else moves creatinine in weeks"),
)

FALL_OF_HAEMOGLOBIN: Mapping[str, float] = {
    "knee_replacement": 2.8,
    "hip_replacement": 3.0,
    "colectomy_laparoscopic": 1.6,
    "colectomy_open": 2.4,
    "cholecystectomy": 0.7,
    "cardiac": 4.6,
    "hip_fracture": 3.0,
    "lobectomy_vats": 1.5,
    "lobectomy_open": 2.0,
    "sleeve_gastrectomy": 1.2,
    "hysterectomy_minimal": 1.2,
    "hysterectomy_open": 2.0,
    "spinal_fusion": 2.6,
}
"""Fall at the lowest point below the own baseline, g/dL."""

_HAEMOGLOBIN_SHAPE: Values = (0.75, 0.95, 1.0, 1.0, 0.97, 0.90, 0.70, 0.35, 0.08, 0.0)
HAEMOGLOBIN = Curves(
    (0.0, 1.0, 2.0, 3.0, 5.0, 7.0, 14.0, 30.0, 60.0, 90.0),
    "shift",
    {key: tuple(-fall * share for share in _HAEMOGLOBIN_SHAPE) for key, fall in FALL_OF_HAEMOGLOBIN.items()},
    Source(
        "V",
        "Clinical reference 1.3: cardiac 13.5 before to a nadir of 8.9 g/dL on POD2; the slow return, half by four"
        f" weeks and whole by two to three months, is ordinary [G]; {_SIZE}",
    ),
    (1.0, 3.0, 14.0, 60.0),
    (1.0, 1.1, 1.0, 0.6),
    "natural",
    Source("G", "Assumed spread between patients of the same operation: 1 g/dL, by loss of blood and transfusion"),
    (1.0, 8.0, 20.0),
    Source("D", _TAU),
)

CURVES: Mapping[str, Curves] = {
    "crp": CRP,
    "leukocytes": LEUKOCYTES,
    "creatinine": CREATININE,
    "haemoglobin": HAEMOGLOBIN,
}

BASELINES: Mapping[str, Baseline] = {
    "crp": Baseline(
        4.0,
        0.6,
        Source("G", "Ordinary before planned surgery: 4 mg/L, two thirds between 2 and 8; higher with inflammation"),
        True,
    ),
    "leukocytes": Baseline(
        7.5, 0.25, Source("G", "Ordinary 4 to 11 x 10*9/L as a 95 % range: SD 0.25 on the log"), True
    ),
    "creatinine": Baseline(
        0.93,
        0.25,
        Source("G", "Ordinary 0.6 to 1.4 mg/dL as a 95 % range of surgical patients: SD 0.25 on the log"),
        True,
    ),
    "haemoglobin": Baseline(
        13.3, 1.5, Source("G", "Cardiac cohort 13.5 g/dL before surgery [V]; others a little lower; SD of 1.5 assumed")
    ),
}

_HEALED = "half again as much in the weeks after surgery, a third of it still there a day later, is assumed"

WANDER: Mapping[str, Wander] = {
    "crp": Wander(
        0.3,
        0.4,
        4.0,
        Source(
            "G", "Assumed: within one recovery a value departs by 30 %, and 40 % of that variance lasts into tomorrow"
        ),
        True,
    ),
    "leukocytes": Wander(
        0.16, 0.35, 4.0, Source("G", f"Ordinary within-person variation of leukocytes: CV 11 %; {_HEALED}"), True
    ),
    "creatinine": Wander(
        0.08, 0.35, 4.0, Source("G", f"Ordinary within-person variation of creatinine: CV 5 %; {_HEALED}"), True
    ),
    "haemoglobin": Wander(
        0.55, 0.35, 4.0, Source("G", f"Ordinary within-person variation of haemoglobin: CV 2.8 %, 0.37 g/dL; {_HEALED}")
    ),
}
