"""NEWS2, the National Early Warning Score.

Source: Royal College of Physicians, National Early Warning Score (NEWS) 2, 2017 chart [V: clinical-reference
4.1]. Reproduction is allowed with acknowledgement of the RCP. A wearable is not a NEWS2 chart: with items
missing the result is partial and says which items it lacks.
"""

from __future__ import annotations

from math import inf

from recovery.twin.scores.result import Item, ScoreRefused, ScoreResult, Table, charted, points_in, summed, tabled

SOURCE = "Royal College of Physicians. National Early Warning Score (NEWS) 2. London: RCP, 2017."
YOUNGEST = 16.0
"""NEWS2 is not for children under 16 nor in pregnancy [G: clinical-reference 4.1]."""

RESPIRATION: Table = ((8, 3), (11, 1), (20, 0), (24, 2), (inf, 3))
SPO2_SCALE_1: Table = ((91, 3), (93, 2), (95, 1), (inf, 0))
SPO2_SCALE_2_BELOW_93: Table = ((83, 3), (85, 2), (87, 1), (92, 0))
SPO2_SCALE_2_ON_OXYGEN: Table = ((94, 1), (96, 2), (inf, 3))
SYSTOLIC: Table = ((90, 3), (100, 2), (110, 1), (219, 0), (inf, 3))
PULSE: Table = ((40, 3), (50, 1), (90, 0), (110, 1), (130, 2), (inf, 3))
TEMPERATURE: Table = ((35.0, 3), (36.0, 1), (38.0, 0), (39.0, 1), (inf, 2))
OXYGEN_POINTS = 2
CVPU_POINTS = 3


def news2(
    *,
    age_years: float,
    respiratory_rate: float | None = None,
    spo2: float | None = None,
    on_oxygen: bool | None = None,
    systolic: float | None = None,
    pulse: float | None = None,
    consciousness: str | None = None,
    temperature: float | None = None,
    spo2_scale: int = 1,
    pregnant: bool = False,
) -> ScoreResult:
    """NEWS2 of one set of observations: /min, %, mmHg, ACVPU letter, degrees Celsius (core or oral, never
    skin).

    Scale 2 (target 88-92 %) only on a clinician's recorded order. Raises ScoreRefused under 16 years, in
    pregnancy, for an unknown scale or letter, and for a value no patient can have.
    """
    _refuse_outside_domain(age_years, pregnant, spo2_scale)
    items = (
        tabled("respiratory_rate", "respiration rate", respiratory_rate, RESPIRATION, 0, 100),
        _saturation(spo2, on_oxygen, spo2_scale),
        Item("oxygen", "air or oxygen", on_oxygen, None if on_oxygen is None else OXYGEN_POINTS * on_oxygen, 2),
        tabled("systolic", "systolic blood pressure", systolic, SYSTOLIC, 0, 350),
        tabled("pulse", "pulse", pulse, PULSE, 0, 350),
        _consciousness(consciousness),
        tabled("temperature", "temperature", temperature, TEMPERATURE, 20, 46, decimals=1),
    )
    return summed("news2", "NEWS2", items, band, SOURCE)


def band(items: tuple[Item, ...], value: int) -> str:
    """RCP trigger: 7 or more high, 5-6 medium, a single item of 3 low_medium, 1-4 low, 0 zero."""
    if value >= 7:
        return "high"
    if value >= 5:
        return "medium"
    if any(item.points == 3 for item in items):
        return "low_medium"
    return "low" if value else "zero"


def _refuse_outside_domain(age_years: float, pregnant: bool, spo2_scale: int) -> None:
    if not age_years >= YOUNGEST:
        raise ScoreRefused(f"NEWS2 is not for patients under 16 years (age {age_years})")
    if pregnant:
        raise ScoreRefused("NEWS2 is not for use in pregnancy")
    if spo2_scale not in (1, 2):
        raise ScoreRefused(f"NEWS2 has SpO2 scales 1 and 2, not {spo2_scale}")


def _saturation(spo2: float | None, on_oxygen: bool | None, scale: int) -> Item:
    if spo2 is None:
        return Item("spo2", "oxygen saturation", None, None, 3)
    percent = charted(spo2, "oxygen saturation", 0, 100)
    return Item("spo2", "oxygen saturation", spo2, _saturation_points(percent, on_oxygen, scale), 3)


def _saturation_points(percent: float, on_oxygen: bool | None, scale: int) -> int | None:
    """On scale 2 a saturation of 93 % or more counts only on oxygen, so without that item it cannot be
    scored."""
    if scale == 1:
        return points_in(SPO2_SCALE_1, percent)
    if percent <= 92:
        return points_in(SPO2_SCALE_2_BELOW_93, percent)
    if on_oxygen is None:
        return None
    return points_in(SPO2_SCALE_2_ON_OXYGEN, percent) if on_oxygen else 0


def _consciousness(letter: str | None) -> Item:
    if letter is not None and letter not in ("A", "C", "V", "P", "U"):
        raise ScoreRefused(f"consciousness is one of A, C, V, P, U, not {letter!r}")
    points = None if letter is None else 0 if letter == "A" else CVPU_POINTS
    return Item("consciousness", "consciousness", letter, points, CVPU_POINTS)
