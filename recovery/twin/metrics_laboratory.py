"""The laboratory values that the twin follows, one report at a time.

Noise is that of the assay at the usual level before surgery, natural units; how the value itself wanders from day
to day is in `anchors_laboratory`. The third and fourth tier are a point-of-care device and a value that the
patient typed in.
"""

from recovery.twin.metric_types import Metric, SensorNoise, loinc
from recovery.twin.source import Source
from recovery.twin.transform import Transform

_T13 = Source("G", "Clinical reference table 1.3, plausible column")
_ASSAY = (
    "laboratory assay; point of care twice and a value copied by hand four times as much are assumed; no implant"
    " measures it, so its place repeats the laboratory's"
)

LABORATORY = (
    Metric(
        "crp",
        "C-reactive protein",
        "mg/L",
        loinc("1988-5", "30522-7"),
        "report",
        (0, 600),
        _T13,
        "lower",
        # ln(x + 1): below 1 mg/L a routine assay reports nothing, and a rise is told in multiples.
        Transform("log", -1.0),
        SensorNoise((0.3, 0.3, 0.6, 1.2), 0.0, Source("G", f"Ordinary: 6 % CV of 5 mg/L (x + 1) for the {_ASSAY}")),
        (0, 600),
        0,
        family="laboratory",
    ),
    Metric(
        "leukocytes",
        "Leukocytes",
        "10*9/L",
        loinc("6690-2", "26464-8", "804-5"),
        "report",
        (0.1, 200),
        _T13,
        "baseline",
        Transform("log", -0.5),
        SensorNoise((0.24, 0.24, 0.48, 0.96), 0.0, Source("G", f"Ordinary: 3 % CV of 8 (x + 0.5) for the {_ASSAY}")),
        (0, 200),
        1,
        family="laboratory",
    ),
    Metric(
        "creatinine",
        "Creatinine",
        "mg/dL",
        loinc("2160-0", "14682-9"),
        "report",
        (0.1, 30),
        _T13,
        "baseline",
        Transform("log", 0.0),
        SensorNoise((0.03, 0.03, 0.06, 0.12), 0.0, Source("G", f"Ordinary: 3 % CV of 0.93 mg/dL for the {_ASSAY}")),
        (0, 30),
        2,
        family="laboratory",
    ),
    Metric(
        "haemoglobin",
        "Haemoglobin",
        "g/dL",
        loinc("718-7", "59260-0"),
        "report",
        (2, 25),
        _T13,
        "higher",
        Transform("identity"),
        SensorNoise((0.2, 0.2, 0.4, 0.8), 0.0, Source("G", f"Ordinary: 1.5 % CV of 13.5 g/dL for the {_ASSAY}")),
        (0, 25),
        1,
        family="laboratory",
    ),
)
