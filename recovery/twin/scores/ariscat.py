"""ARISCAT, the risk of a postoperative pulmonary complication.

Source: Canet J et al. Anesthesiology 2010;113:1338-1350 (c 0.88-0.90) [V: clinical-reference 4.6; the
citation's volume and pages G].
"""

from __future__ import annotations

from math import inf

from recovery.twin.scores.result import (
    Item,
    Rate,
    ScoreResult,
    Table,
    aged,
    charted,
    chosen,
    flag,
    points_in,
    summed,
)

SOURCE = "Canet J, et al. ARISCAT. Anesthesiology 2010;113:1338-1350."
AGE: Table = ((50, 0), (80, 3), (inf, 16))
SPO2: Table = ((90, 24), (95, 8), (inf, 0))
DURATION: Table = ((2, 0), (3, 16), (inf, 23))
INCISION = {"peripheral": 0, "upper_abdominal": 15, "intrathoracic": 24}
PER_HUNDRED = {"low": 1.6, "intermediate": 13.3, "high": 42.1}


def ariscat(
    *,
    age_years: float | None = None,
    spo2_on_air: float | None = None,
    respiratory_infection_last_month: bool | None = None,
    haemoglobin_g_dl: float | None = None,
    incision: str | None = None,
    duration_hours: float | None = None,
    emergency: bool | None = None,
) -> ScoreResult:
    """ARISCAT from the seven items known before the patient leaves theatre.

    Age counts in completed years, saturation in whole per cent on air before the operation, haemoglobin at
    one decimal, duration to the second. `incision` is peripheral, upper_abdominal or intrathoracic. Raises
    ScoreRefused for another incision or an impossible value.
    """
    anaemic = None
    if haemoglobin_g_dl is not None:
        anaemic = charted(haemoglobin_g_dl, "haemoglobin in g/dL", 1, 30, decimals=1) <= 10
    items = (
        aged(age_years, AGE),
        _saturation(spo2_on_air),
        flag(
            "respiratory_infection",
            "respiratory infection in the last month",
            respiratory_infection_last_month,
            17,
        ),
        flag("anaemia", "haemoglobin of 10 g/dL or less", anaemic, 11),
        chosen("incision", "incision", incision, INCISION),
        _duration(duration_hours),
        flag("emergency", "emergency procedure", emergency, 8),
    )
    return summed("ariscat", "ARISCAT", items, band, SOURCE, rates)


def band(items: tuple[Item, ...], value: int) -> str:
    return "high" if value >= 45 else "intermediate" if value >= 26 else "low"


def rates(band: str, value: int) -> tuple[Rate, ...]:
    return (Rate("postoperative pulmonary complication", PER_HUNDRED[band], SOURCE),)


def _saturation(percent: float | None) -> Item:
    points = None if percent is None else points_in(SPO2, charted(percent, "oxygen saturation", 0, 100))
    return Item("spo2", "oxygen saturation on air", percent, points, 24)


def _duration(hours: float | None) -> Item:
    points = None if hours is None else points_in(DURATION, charted(hours, "duration in hours", 0, 48, decimals=6))
    return Item("duration", "duration of surgery", hours, points, 23)
