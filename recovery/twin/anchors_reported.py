"""Anchors of sleep, the quality of recovery and implant loads, each with its source; shapes as in `anchors`."""

from collections.abc import Mapping

from recovery.twin.anchor_types import Baseline, Curves, Wander
from recovery.twin.source import Source

_MAJOR = (
    "knee_replacement",
    "hip_replacement",
    "colectomy_laparoscopic",
    "colectomy_open",
    "cardiac",
    "hip_fracture",
    "lobectomy_vats",
    "lobectomy_open",
    "spinal_fusion",
)
_MINOR = ("cholecystectomy", "sleeve_gastrectomy", "hysterectomy_minimal", "hysterectomy_open")
_LIFESNAPS = "LifeSnaps daily table (data inventory 2.3): sleep 393 min, within-person SD 86 min"
_ASSUMED = Source("G", "Assumed: no published repeated-measures variation was found")

SLEEP = Curves(
    (0.0, 1.0, 3.0, 7.0, 14.0, 30.0),
    "shift",
    {
        **dict.fromkeys(_MAJOR, (-2.0, -1.8, -1.2, -0.7, -0.3, 0.0)),
        **dict.fromkeys(_MINOR, (-1.2, -0.9, -0.5, -0.2, 0.0, 0.0)),
    },
    Source("G", "Assumed: no published course was found; sleep is short and broken in the first nights, then returns"),
    (1.0, 7.0, 30.0),
    (1.0, 0.8, 0.5),
    "natural",
    Source("G", "Assumed spread between patients: half to one hour"),
)

# Pre / d1 / d3 / d7 / d30 of clinical reference 2.4.
_QOR15 = {
    "knee_replacement": (130, 105, 115, 122, 132),
    "hip_replacement": (130, 108, 118, 126, 135),
    "colectomy_laparoscopic": (132, 98, 110, 120, 131),
    "colectomy_open": (132, 98, 110, 120, 131),
    "cholecystectomy": (135, 115, 125, 134, 138),
    "cardiac": (130, 92, 105, 115, 128),
    "hip_fracture": (110, 90, 98, 104, 115),
    "lobectomy_vats": (130, 98, 108, 116, 126),
    "lobectomy_open": (130, 98, 108, 116, 126),
    "sleeve_gastrectomy": (130, 105, 116, 126, 136),
    "hysterectomy_minimal": (135, 108, 120, 130, 138),
    "hysterectomy_open": (135, 108, 120, 130, 138),
    "spinal_fusion": (120, 95, 105, 112, 122),
}
_QOR15_SOURCE = Source("G", "Clinical reference 2.4: QoR-15 before surgery and on days 1, 3, 7 and 30")

QOR15 = Curves(
    (1.0, 3.0, 7.0, 30.0),
    "shift",
    {key: tuple(float(v - before) for v in after) for key, (before, *after) in _QOR15.items()},
    _QOR15_SOURCE,
    (1.0, 7.0, 30.0),
    (15.0, 12.0, 8.0),
    "natural",
    Source("G", "Assumed spread between patients: one class of Kleif 2018 (14 to 31 points wide) is about two SD"),
)

CONTACT_FORCE = Curves(
    (7.0, 14.0, 30.0, 60.0, 90.0),
    "percent",
    dict.fromkeys(("hip_replacement", "knee_replacement"), (45, 55, 75, 92, 100)),
    Source("G", "Assumed: crutches take about half of the load in the first weeks, full loading by three months"),
    (7.0, 30.0, 90.0),
    (0.3, 0.2, 0.15),
    "log",
    Source("G", "Assumed spread between patients: 30 % early, 15 % late"),
)

IMPLANT_TEMPERATURE = Curves(
    (1.0, 7.0, 30.0, 60.0, 90.0),
    "shift",
    dict.fromkeys(("hip_replacement", "knee_replacement"), (1.5, 1.2, 0.7, 0.4, 0.2)),
    Source(
        "G",
        "Clinical reference 1.4: the skin over a new knee is 3 to 5 Cel warmer for weeks, resolving over months; a"
        " third of that is assumed in the joint, at rest",
    ),
    (1.0, 30.0, 90.0),
    (0.6, 0.5, 0.3),
    "natural",
    Source("G", "Assumed spread between patients: about half of the rise"),
)

RELATIVE_LOAD = Curves(
    (14.0, 42.0, 90.0),
    "level",
    {"hip_fracture": (100.0, 75.0, 40.0)},
    Source(
        "G",
        "Clinical reference 1.4: the plate's share falls as bone carries load, a plateau past 6 to 8 weeks suggests"
        " delayed union; the depth is assumed",
    ),
    (14.0, 42.0, 90.0),
    (15.0, 15.0, 15.0),
    "natural",
    Source("G", "Assumed spread between patients: 15 points"),
)

CURVES: Mapping[str, Curves] = {
    "sleep": SLEEP,
    "qor15": QOR15,
    "contact_force": CONTACT_FORCE,
    "implant_temperature": IMPLANT_TEMPERATURE,
    "relative_implant_load": RELATIVE_LOAD,
}

BASELINES: Mapping[str, Baseline] = {
    "sleep": Baseline(6.55, 0.9, Source("M", f"{_LIFESNAPS}; between people 0.9 h is assumed [G]")),
    "qor15": Baseline(
        130.0, 12.0, _QOR15_SOURCE, False, {key: (float(row[0]), _QOR15_SOURCE) for key, row in _QOR15.items()}
    ),
    "contact_force": Baseline(
        250.0,
        0.2,
        Source("G", "Middle of hip and knee; spread assumed"),
        True,
        {
            "hip_replacement": (238.0, Source("V", "Bergmann 2001: 238 % of body weight when walking")),
            "knee_replacement": (260.0, Source("G", "Clinical reference 1.4: about 260 % of body weight when walking")),
        },
    ),
    "implant_temperature": Baseline(36.0, 0.6, Source("G", "Assumed: a joint at rest lies a little below the core")),
    "relative_implant_load": Baseline(
        40.0, 15.0, Source("G", "Late level is the last anchor of the course; spread assumed")
    ),
}

WANDER: Mapping[str, Wander] = {
    "sleep": Wander(
        1.43, 0.2, 7.0, Source("M", f"{_LIFESNAPS}; how much of it lasts into the next night is assumed [G]")
    ),
    "qor15": Wander(6.0, 0.5, 5.0, _ASSUMED),
    "contact_force": Wander(0.1, 0.5, 7.0, _ASSUMED, True),
    "implant_temperature": Wander(0.3, 0.5, 5.0, _ASSUMED),
    "relative_implant_load": Wander(4.0, 0.5, 10.0, _ASSUMED),
}
