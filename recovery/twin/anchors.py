"""Published anchor tables from which the cold-start parameters are computed, each with its source.

Tables 2.1 to 2.4 of the clinical reference, on the natural scale. Days are postoperative days; day k is read
at its middle, hour 24k + 12. Nothing here is fitted; `cold_start` does the arithmetic.
"""

from collections.abc import Mapping

import recovery.twin.anchors_laboratory as laboratory
import recovery.twin.anchors_reported as reported
from recovery.twin.anchor_types import Baseline, Clock, Curves, Wander
from recovery.twin.source import Source

_WEEKS = (1.0, 3.0, 7.0, 14.0, 30.0, 60.0, 90.0)

STEPS = Curves(
    _WEEKS,
    "percent",
    {
        "knee_replacement": (8, 14, 25, 40, 68, 100, 103),
        "hip_replacement": (10, 20, 35, 55, 80, 100, 108),
        "colectomy_laparoscopic": (10, 22, 38, 60, 88, 97, 100),
        "colectomy_open": (6, 14, 25, 42, 64, 82, 92),
        "cholecystectomy": (40, 60, 85, 96, 100, 100, 100),
        "cardiac": (3, 10, 24, 38, 60, 82, 93),
        "hip_fracture": (1, 3, 8, 15, 28, 42, 52),
        "lobectomy_vats": (15, 28, 48, 65, 82, 92, 96),
        "lobectomy_open": (4, 9, 18, 25, 41, 65, 78),
        "sleeve_gastrectomy": (35, 50, 68, 85, 100, 112, 118),
        "hysterectomy_minimal": (25, 50, 85, 92, 98, 100, 100),
        "hysterectomy_open": (12, 25, 45, 65, 95, 100, 100),
        "spinal_fusion": (10, 18, 29, 63, 77, 98, 100),
    },
    Source(
        "G",
        "Clinical reference 2.2, percent of own baseline, interpolated through published anchors (Lebleu,"
        " Carmichael 2019 and others [V]); open lobectomy day 30 is the middle of 32 to 50",
    ),
    (1.0, 3.0, 7.0, 90.0),
    (0.555, 0.555, 0.555, 0.430),
    "log",
    Source(
        "G",
        "Clinical reference 2.2: log-normal, CV about 0.6 in week 1 falling to 0.45 at day 90; sd = sqrt(ln(1 + CV^2))",
    ),
)

_HEART_SPREAD = Source(
    "V",
    "Wearables-anticipate cohort: resting heart rate peak rise +14.5 +-7.1 bpm without major complication;"
    " the ratio 0.49 is kept along the curve, never below 1 bpm [D]",
)

HEART_RATE = Curves(
    _WEEKS,
    "shift",
    {
        "knee_replacement": (10, 10, 8, 5, 3, 1, 0),
        "hip_replacement": (10, 10, 8, 5, 3, 1, 0),
        "colectomy_laparoscopic": (12, 11, 8, 5, 2, 0, 0),
        "colectomy_open": (12, 11, 8, 5, 2, 0, 0),
        "cholecystectomy": (6, 4, 2, 1, 0, 0, 0),
        "cardiac": (14, 16, 14, 11, 7, 4, 2),
        "hip_fracture": (12, 11, 9, 7, 4, 2, 1),
        "lobectomy_vats": (13, 13, 11, 8, 5, 3, 2),
        "lobectomy_open": (13, 13, 11, 8, 5, 3, 2),
        "sleeve_gastrectomy": (8, 6, 2, 0, -3, -6, -8),
        "hysterectomy_minimal": (8, 6, 4, 2, 0, 0, 0),
        "hysterectomy_open": (8, 6, 4, 2, 0, 0, 0),
        "spinal_fusion": (11, 10, 8, 5, 2, 1, 0),
    },
    Source("G", "Clinical reference 2.3, bpm above own baseline, scaled to the +14.5 bpm uncomplicated peak [V]"),
    (1.0, 3.0, 7.0, 14.0, 30.0, 90.0),
    (7.1, 7.1, 4.9, 2.9, 1.5, 1.0),
    "natural",
    _HEART_SPREAD,
)

PAIN = Curves(
    (1.0, 3.0, 7.0, 14.0, 30.0, 90.0),
    "level",
    {
        "knee_replacement": (6, 5.5, 5, 4, 3, 2),
        "hip_replacement": (5, 4, 3, 2.5, 1.5, 1),
        "colectomy_laparoscopic": (5, 4, 3, 2, 1, 0.5),
        "colectomy_open": (5, 4, 3, 2, 1, 0.5),
        "cholecystectomy": (4, 3, 1.5, 1, 0.5, 0),
        "cardiac": (5, 4, 3, 2.5, 1.5, 1),
        "hip_fracture": (6, 5, 4, 3.5, 3, 2),
        "lobectomy_vats": (5, 4.5, 3.5, 3, 2, 1.5),
        "lobectomy_open": (5, 4.5, 3.5, 3, 2, 1.5),
        "sleeve_gastrectomy": (4.5, 3, 2, 1, 0.5, 0),
        "hysterectomy_minimal": (4.5, 3.5, 2, 1.5, 0.5, 0),
        "hysterectomy_open": (4.5, 3.5, 2, 1.5, 0.5, 0),
        "spinal_fusion": (6.5, 5.5, 4.5, 3.5, 3, 2.5),
    },
    Source("G", "Clinical reference 2.4, pain on movement 0 to 10"),
    (1.0, 7.0, 30.0),
    (1.5, 1.5, 1.0),
    "natural",
    Source("G", "Assumed spread between patients: one smallest change that matters (1.5 to 2 points)"),
)

PEAK_TEMPERATURE: Mapping[str, float] = {
    "knee_replacement": 37.8,
    "hip_replacement": 37.7,
    "colectomy_laparoscopic": 37.8,
    "colectomy_open": 37.8,
    "cholecystectomy": 37.4,
    "cardiac": 38.0,
    "hip_fracture": 37.8,
    "lobectomy_vats": 37.8,
    "lobectomy_open": 37.8,
    "sleeve_gastrectomy": 37.5,
    "hysterectomy_minimal": 37.5,
    "hysterectomy_open": 37.5,
    "spinal_fusion": 37.8,
}
PEAK_TEMPERATURE_SOURCE = Source("G", "Clinical reference 2.4: peak temperature, POD1 to 2 (cholecystectomy POD1)")

TEMPERATURE = Curves(
    (1.0, 3.0, 7.0, 14.0, 30.0),
    "shift",
    # Day 1 is half of (peak - 36.6): a peak is an evening maximum, the curve is the level of the whole day.
    {key: ((t - 36.6) / 2, (t - 36.6) / 4, (t - 36.6) / 12, 0, 0) for key, t in PEAK_TEMPERATURE.items()},
    Source(
        "D",
        "Half of (peak temperature of clinical reference 2.4 [G] less 36.6 Cel), halved by day 3 and gone by"
        " day 14 ('fever in the first 48 h is usually inflammatory' [G])",
    ),
    (1.0, 3.0, 7.0, 30.0),
    (0.3, 0.2, 0.1, 0.1),
    "natural",
    Source(
        "V",
        "Wearables-anticipate cohort: night skin temperature +1.00 +-0.54 Cel, ratio 0.54 [V], applied to a"
        " core rise of about 0.6 Cel [G]",
    ),
)

_CHEST = {"cardiac", "lobectomy_vats", "lobectomy_open"}

RESPIRATORY_RATE = Curves(
    (1.0, 3.0, 7.0, 14.0, 30.0),
    "shift",
    {key: (3, 2.5, 1.5, 0.5, 0) if key in _CHEST else (2, 1.5, 1, 0.3, 0) for key in STEPS.by_procedure},
    Source("G", "Assumed: no published course was found; mild tachypnoea for a week, more after chest surgery"),
    (1.0, 7.0, 30.0),
    (1.5, 1.0, 0.5),
    "natural",
    Source("G", "Assumed: spread as large as the rise"),
)

SPO2 = Curves(
    (1.0, 3.0, 7.0, 14.0, 30.0),
    "shift",
    {key: (-2.5, -2, -1, -0.4, 0) if key in _CHEST else (-1.5, -1, -0.5, 0, 0) for key in STEPS.by_procedure},
    Source(
        "G",
        "Assumed: no published course was found; 37 % of patients had an hour below 90 % (Sun 2015 [V]), so"
        " a fall of 1 to 2 points in the first days, more after chest surgery",
    ),
    (1.0, 7.0, 30.0),
    (1.0, 0.7, 0.4),
    "natural",
    Source("G", "Assumed: spread near the fall"),
)

_KNEE_DAYS = (7.0, 14.0, 30.0, 60.0, 90.0, 147.0)
_KNEE_SPREAD = Source("G", "Assumed between-patient spread: 20 % of baseline early, 10 % late")

WALKING_SPEED = Curves(
    _KNEE_DAYS,
    "percent",
    {"knee_replacement": (68, 65, 75, 87, 94, 100)},
    Source(
        "V",
        "TKA wearable gait n=686: speed worst at week 2, back to pre-operative (1.00 m/s) at 21 weeks [V]; day"
        " 30 smart-knee norm 0.7 to 0.8 m/s [G]; week-2 depth and the days between are interpolated [G]",
    ),
    (7.0, 30.0, 147.0),
    (0.2, 0.15, 0.1),
    "natural",
    _KNEE_SPREAD,
)

# Speed is cadence times half a stride; the loss of speed is shared evenly (on the log) between the two.
_ROOT = tuple(100.0 * (v / 100.0) ** 0.5 for v in WALKING_SPEED.by_procedure["knee_replacement"])
_SHARED = Source("D", "Square root of the walking-speed course: speed = cadence x stride / 120, loss shared evenly [G]")

CADENCE = Curves(
    _KNEE_DAYS, "percent", {"knee_replacement": _ROOT}, _SHARED, (7.0, 30.0, 147.0), (12, 9, 6), "natural", _KNEE_SPREAD
)
STRIDE_LENGTH = Curves(
    _KNEE_DAYS,
    "percent",
    {"knee_replacement": _ROOT},
    _SHARED,
    (7.0, 30.0, 147.0),
    (0.14, 0.1, 0.07),
    "natural",
    _KNEE_SPREAD,
)

QUALIFIED_STEPS = Curves(
    _WEEKS,
    "percent",
    {"knee_replacement": STEPS.by_procedure["knee_replacement"]},
    Source("G", "Assumed to follow the wrist-step course after TKA (r = 0.62 to 0.74 with watch, Cholewa 2026 [V])"),
    STEPS.spread_days,
    STEPS.spread,
    "log",
    STEPS.spread_source,
)

KNEE_ROM = Curves(
    (3.0, 14.0, 42.0, 90.0),
    "percent",
    {"knee_replacement": (70, 80, 95, 104)},
    Source(
        "D",
        "Clinic flexion 112 before, 78 at discharge, 116 late [V] as ratios 0.70 and 1.04, applied to walking"
        " range of motion; days between interpolated [G]",
    ),
    (3.0, 30.0, 90.0),
    (10, 8, 6),
    "natural",
    _KNEE_SPREAD,
)

CURVES: Mapping[str, Curves] = {
    "heart_rate": HEART_RATE,
    "respiratory_rate": RESPIRATORY_RATE,
    "spo2": SPO2,
    "temperature": TEMPERATURE,
    "steps": STEPS,
    "pain": PAIN,
    "walking_speed": WALKING_SPEED,
    "cadence": CADENCE,
    "stride_length": STRIDE_LENGTH,
    "qualified_steps": QUALIFIED_STEPS,
    "knee_rom": KNEE_ROM,
    **laboratory.CURVES,
    **reported.CURVES,
}

_LIFESNAPS = "LifeSnaps daily table (66 to 71 healthy adults, data inventory 2.3)"
_TKA_GAIT = Source("V", "TKA wearable gait n=686: pre-operative speed 1.00 m/s; spread 0.2 m/s is assumed [G]")
_CARMICHAEL = "Carmichael 2019, mixed surgery, n=143: 5,342 steps a day before surgery"
_STEP_SD = Source("M", _LIFESNAPS + ": between-person SD of log steps 0.40, widened to 0.6 for patients [G]")

BASELINES: Mapping[str, Baseline] = {
    "heart_rate": Baseline(
        72.0,
        9.0,
        Source("M", _LIFESNAPS + ": resting 66.3 +-6.7, all-day mean 79.6 +-6.5 bpm; between the two, widened"),
    ),
    "respiratory_rate": Baseline(15.5, 2.3, Source("M", _LIFESNAPS + ": asleep 14.8; per-person mean 15.2 +-2.3")),
    "spo2": Baseline(96.0, 1.5, Source("M", _LIFESNAPS + ": 95.9, between people 0.7, widened for patients [G]")),
    "temperature": Baseline(36.6, 0.3, Source("G", "Ordinary oral temperature 36.6 Cel, people differ by 0.3")),
    "steps": Baseline(
        5342.0,
        0.6,
        Source("V", f"{_CARMICHAEL}; spread: {_STEP_SD.text}"),
        True,
        {
            "knee_replacement": (6651.0, Source("V", "TKA cohort: 6,651 steps a day before surgery")),
            "spinal_fusion": (5624.0, Source("V", "Spine cohort n=30: 5,624 steps a day before surgery")),
        },
    ),
    "pain": Baseline(1.0, 1.0, Source("G", "Late level is the last anchor of clinical reference 2.4; spread assumed")),
    "walking_speed": Baseline(1.00, 0.2, _TKA_GAIT),
    "cadence": Baseline(105.0, 10.0, Source("G", "Assumed ordinary walking cadence at 1.0 m/s")),
    "stride_length": Baseline(1.14, 0.15, Source("D", "120 x 1.00 m/s / 105 per min (speed = cadence x stride / 120)")),
    "qualified_steps": Baseline(
        3300.0,
        0.7,
        Source("G", "Assumed half of wrist steps: only bouts of 7 steps or more count (Cholewa 2026 [V] for the rule)"),
        True,
    ),
    "knee_rom": Baseline(55.0, 8.0, Source("G", "Clinical reference 1.4: functional range in walking 45 to 60 deg")),
    **laboratory.BASELINES,
    **reported.BASELINES,
}

_ASSUMED = Source("G", "Assumed: no published repeated-measures variation was found")

WANDER: Mapping[str, Wander] = {
    "heart_rate": Wander(
        2.24,
        0.87,
        None,
        Source("M", _LIFESNAPS + ": resting HR within-person SD 2.24, lag-1 r 0.87"),
    ),
    "respiratory_rate": Wander(
        0.54,
        0.76,
        None,
        Source(
            "D",
            _LIFESNAPS + ": within-person SD 0.98, lag-1 r 0.23 [M]. Of that variance, 0.96, the hourly sensor error"
            " alone leaves 0.67 in a day's median (pi / 2 x 10.25 / 24); the rest, 0.29, wanders, and 0.22 of it is"
            " left a day later, so r = 0.76",
        ),
    ),
    "spo2": Wander(0.94, 0.09, None, Source("M", _LIFESNAPS + ": within-person SD 0.94, lag-1 r 0.09")),
    "temperature": Wander(0.15, 0.3, None, _ASSUMED),
    "steps": Wander(
        0.513,
        0.12,
        14.0,
        Source(
            "M", _LIFESNAPS + ": CV 0.55 (0.513 on the log), lag-1 r 0.12 and lag-7 r 0.14, so a slow part of weeks"
        ),
        True,
    ),
    "pain": Wander(1.0, 0.5, 3.0, _ASSUMED),
    "walking_speed": Wander(0.06, 0.5, 7.0, _ASSUMED),
    "cadence": Wander(3.0, 0.5, None, _ASSUMED),
    "stride_length": Wander(0.04, 0.5, 7.0, _ASSUMED),
    "qualified_steps": Wander(
        0.513, 0.12, 14.0, Source("G", "Assumed to vary as wrist steps do (LifeSnaps CV 0.55 [M])"), True
    ),
    "knee_rom": Wander(3.0, 0.5, 7.0, _ASSUMED),
    **laboratory.WANDER,
    **reported.WANDER,
}

CLOCKS: Mapping[str, Clock] = {
    "heart_rate": Clock(5.0, 3.0, 15.0, Source("G", "Assumed: afternoon peak, night trough, about +-5 bpm")),
    "respiratory_rate": Clock(0.5, 0.5, 15.0, Source("G", "Assumed: slightly slower by night")),
    "spo2": Clock(0.0, 0.3, 15.0, Source("G", "Assumed: no fixed pattern, people differ")),
    "temperature": Clock(
        0.25, 0.15, 17.0, Source("G", "Ordinary circadian range of about 0.5 Cel, late afternoon peak")
    ),
}
