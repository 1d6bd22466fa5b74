"""Steps counted while a walking aid is in use: a wrist or hip counter misses a part of them.

A frame holds the arm still and shortens the step, so a counter that reads swings or impacts sees fewer. The count as
sent is kept, shown and scored; what the twin learns from is the count that would have been, less surely known.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from recovery.twin.measurement import Measurements
from recovery.twin.metric_types import Tier
from recovery.twin.metrics import Metric
from recovery.twin.source import Source
from recovery.twin.transform import Floats

COUNTED = "steps"
COUNTERS = (Tier.CLEARED, Tier.CONSUMER)
"""An implant counts at the bone (its qualified steps are another measure), and a person does not count by swings."""
WALK_STEPS = 100.0
"""Steps in 50 m: at a step of 0.5 m, as for the milestone of the first 100 m."""


@dataclass(frozen=True, slots=True)
class Aid:
    """missed: share of the steps that a counter does not see; sd: how unsure that is for one person's day."""

    label: str
    missed: float
    sd: float
    source: Source


_FRAME_MISSED, _FRAME_SD = 23.0 / WALK_STEPS, (33.3 - 11.7) / (2.0 * 1.96) / WALK_STEPS
AIDS: Mapping[str, Aid] = MappingProxyType(
    {
        "frame": Aid(
            "walking frame",
            _FRAME_MISSED,
            _FRAME_SD,
            Source(
                "D",
                "Clinical reference 1.2 (Kooner 2024): with a frame 22 to 24 steps of a 50 m walk are missed, limits of"
                " agreement 11.7 to 33.3, at 100 steps a walk (a step of 0.5 m [G])",
            ),
        ),
        "crutches": Aid(
            "crutches",
            _FRAME_MISSED / 2.0,
            _FRAME_MISSED / 12.0**0.5,
            Source("G", "No figure in hand: anywhere between a stick (none missed) and a frame, all as likely"),
        ),
        "stick": Aid(
            "stick",
            0.0,
            0.0,
            Source("V", "Clinical reference 1.2 (Kooner 2024): with a stick -2.8 to 5.7 steps in 50 m, no bias"),
        ),
        "none": Aid("no aid", 0.0, 0.0, Source("V", "Clinical reference 1.2: free walking is counted excellently")),
    }
)


@dataclass(frozen=True, slots=True)
class AidUse:
    """An aid (a key of AIDS) in use from one hour after surgery end to another; the hours may be infinite."""

    aid: str
    from_hour: float
    until_hour: float


_WORDS = tuple(
    (key, re.compile(rf"\b(?:{names})"))
    for key, names in (
        ("none", r"no (?:walking |gait )?aid|without (?:an )?aid|unaided"),
        ("frame", r"walking frame|walker\b|rollator|zimmer frame|gehgestell|gehbock"),
        ("crutches", r"crutch|unterarmgeh|gehst\u00fctze"),
        ("stick", r"walking stick|canes?\b|gehstock"),
    )
)


def aid_named(words: str) -> str:
    """The key of the aid that free words name, blank where they name none."""
    said = words.casefold()
    return next((key for key, names in _WORDS if names.search(said)), "")


def aid_at(uses: Sequence[AidUse], hour: float) -> Aid | None:
    """The aid in use then that misses most, None where none misses any."""
    now = [AIDS[use.aid] for use in uses if use.from_hour <= hour < use.until_hour]
    return max((aid for aid in now if aid.missed), key=lambda aid: aid.missed, default=None)


def as_walked(
    metric: Metric, found: Measurements, learned: tuple[Floats, Floats], uses: Sequence[AidUse]
) -> tuple[Floats, Floats]:
    """What the twin learns from measurements (n,), given what it would learn without an aid: model value and noise
    variance to add to the sensor's. Only step counts of wearables are touched, and only days of an aid that misses any.
    """
    if metric.key != COUNTED or not uses or not len(found.value):
        return learned
    value, unsure = learned
    aids = [aid_at(uses, float(hour)) for hour in (found.start + found.end) / 2.0]
    counted = np.isin(found.tier, COUNTERS)
    missed, sd = (np.array([getattr(aid, name) if aid else 0.0 for aid in aids]) * counted for name in ("missed", "sd"))
    whole = metric.transform.inverse(value) / (1.0 - missed)
    wider = sd / (1.0 - missed) * whole * metric.transform.slope(whole)
    limited = np.minimum(whole, metric.plausible[1])
    return np.where(missed > 0.0, metric.transform.forward(limited), value), unsure + wider**2
