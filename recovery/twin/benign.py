"""Ordinary causes that look like trouble: rivals of the complications, so that what they explain raises no alarm.

Directions are ordinary physiology [G]; sizes, in standard deviations of the surprise, and prior odds are assumptions
of this project, to be replaced when a site has recorded such causes. They are never shown as a diagnosis.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import log

from recovery.twin.hypotheses import Signature
from recovery.twin.surprise_blocks import BLOCKS


def _lasting(size: float, blocks: int) -> tuple[float, ...]:
    return (size,) * blocks + (0.0,) * (BLOCKS - blocks)


BENIGN_SIGNATURES: Mapping[str, Signature] = {
    "exercise": Signature(
        {"heart_rate": _lasting(2.0, 1), "respiratory_rate": _lasting(1.5, 1), "temperature": _lasting(0.5, 1)},
        "[G] exertion raises heart and breathing rate for hours, not days; sizes assumed",
        log(0.10),
    ),
    "fever_without_source": Signature(
        {"temperature": _lasting(2.0, 4), "heart_rate": _lasting(0.7, 4)},
        "[G] a fever of a day with the pulse that goes with it, breathing and oxygen unmoved; sizes assumed",
        log(0.05),
    ),
    "beta_blocker": Signature(
        {"heart_rate": _lasting(-1.5, BLOCKS)},
        "[G] a lasting fall of the heart rate alone; size assumed",
        log(0.03),
    ),
    "loose_sensor": Signature(
        {"spo2": _lasting(-1.5, 2), "temperature": _lasting(-1.5, 2)},
        "[G] poor skin contact reads low oxygen and low temperature together, for hours; sizes assumed",
        log(0.05),
    ),
}
