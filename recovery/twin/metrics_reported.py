"""Sleep and the quality of recovery, one value a night or a report; and what instrumented implants measure of load."""

from recovery.twin.metric_types import Code, Metric, SensorNoise, implant, loinc
from recovery.twin.source import Source
from recovery.twin.transform import Transform

QUESTIONNAIRE_CODES = "urn:twinweb:questionnaire-score"

_T12 = Source("G", "Clinical reference table 1.2, plausible column")
_T14 = Source("G", "Clinical reference table 1.4, plausible column")
_ASSUMED = "no published repeatability was found (clinical reference 1.4), so it is assumed"

REPORTED = (
    Metric(
        "sleep",
        "Sleep",
        "h",
        loinc("93832-4"),
        "report",
        (0, 24),
        _T12,
        "higher",
        Transform("identity"),
        SensorNoise(
            (0.25, 0.25, 0.25, 1.0),
            0.0,
            Source(
                "G", "Clinical reference 1.2: duration +-30 min as a 95 % range, SD 15 min; a diary four times that"
            ),
        ),
        (0, 24),
        1,
        family="activity",
    ),
    Metric(
        "qor15",
        "Quality of recovery (QoR-15)",
        "{score}",
        (Code(QUESTIONNAIRE_CODES, "qor-15"),),
        "report",
        (0, 150),
        Source("V", "Clinical reference 1.5: QoR-15 runs from 0 to 150"),
        "higher",
        Transform("logit", -0.5, 150.5),
        SensorNoise(
            (2.2, 2.2, 2.2, 2.2),
            0.0,
            Source(
                "D",
                "Clinical reference 1.5: smallest change that matters 6.0 points (2021 [V]), read as the smallest"
                " change beyond error, 1.96 x sqrt(2) x SD of repeat error: 6.0 / 2.77",
            ),
        ),
        (0, 150),
        0,
        family="activity",
    ),
)

LOADS = (
    Metric(
        "contact_force",
        "Joint contact force",
        "%{BW}",
        implant("contact-force"),
        "report",
        (0, 1000),
        _T14,
        "higher",
        Transform("log", -10.0),
        SensorNoise((5.0, 6.0, 8.0, 20.0), 0.0, Source("G", f"Two per cent of the usual force: {_ASSUMED}")),
        (0, 1000),
        0,
        baseline_before_surgery=False,
        family="gait",
    ),
    Metric(
        "implant_temperature",
        "Implant temperature",
        "Cel",
        implant("implant-temperature"),
        "report",
        (30, 46),
        _T14,
        "baseline",
        Transform("identity"),
        SensorNoise((0.1, 0.15, 0.2, 0.3), 0.0, Source("G", f"A tenth of a degree: {_ASSUMED}")),
        (30, 46),
        1,
        baseline_before_surgery=False,
        family="gait",
    ),
    Metric(
        "relative_implant_load",
        "Share of load on the plate",
        "%",
        implant("relative-implant-load"),
        "report",
        (0, 150),
        _T14,
        "lower",
        Transform("identity"),
        SensorNoise((3.0, 4.0, 5.0, 10.0), 0.0, Source("G", f"Three points: {_ASSUMED}")),
        (0, 150),
        0,
        baseline_before_surgery=False,
        family="gait",
    ),
)
