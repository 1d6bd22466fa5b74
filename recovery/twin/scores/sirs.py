"""SIRS, the systemic inflammatory response syndrome.

Source: Bone RC et al. ACCP/SCCM Consensus Conference. Chest 1992;101:1644-1655 [G: clinical-reference 4.3].
Nearly universal for 48 h after major surgery: shown, never an alarm there.
"""

from __future__ import annotations

from recovery.twin.scores.result import Item, ScoreResult, charted, flag, summed

SOURCE = "Bone RC, et al. ACCP/SCCM Consensus Conference. Chest 1992;101:1644-1655."
POSITIVE = 2


def sirs(
    *,
    temperature: float | None = None,
    pulse: float | None = None,
    respiratory_rate: float | None = None,
    paco2_mmhg: float | None = None,
    white_cells: float | None = None,
    bands_percent: float | None = None,
) -> ScoreResult:
    """SIRS from four items of one point: degrees Celsius (core or oral, never skin), /min, /min or mmHg,
    10^9/L or per cent of immature forms.

    Respiration rate and white cell count settle their items alone, since PaCO2 and bands are seldom measured;
    a normal PaCO2 or band count without them does not, and the item is then named as missing. Raises
    ScoreRefused for a value no patient can have.
    """
    items = (
        flag("temperature", "temperature above 38.0 or below 36.0", _off_temperature(temperature), 1),
        flag("pulse", "pulse above 90", _above(pulse, "pulse", 90, 350), 1),
        flag("respiration", "respiration rate above 20 or PaCO2 below 32 mmHg", _fast(respiratory_rate, paco2_mmhg), 1),
        flag(
            "white_cells", "white cells above 12 or below 4, or over 10 % bands", _cells(white_cells, bands_percent), 1
        ),
    )
    return summed("sirs", "SIRS", items, band, SOURCE)


def band(items: tuple[Item, ...], value: int) -> str:
    return "positive" if value >= POSITIVE else "negative"


def _off_temperature(celsius: float | None) -> bool | None:
    if celsius is None:
        return None
    at = charted(celsius, "temperature", 20, 46, decimals=1)
    return at > 38.0 or at < 36.0


def _above(value: float | None, name: str, limit: float, highest: float, decimals: int = 0) -> bool | None:
    return None if value is None else charted(value, name, 0, highest, decimals) > limit


def _fast(rate: float | None, paco2: float | None) -> bool | None:
    low = None if paco2 is None else charted(paco2, "PaCO2 in mmHg", 5, 250, decimals=1) < 32
    return _either(_above(rate, "respiration rate", 20, 100), low)


def _cells(count: float | None, bands: float | None) -> bool | None:
    off = None
    if count is not None:
        at = charted(count, "white cells in 10^9/L", 0, 1000, decimals=2)
        off = at > 12 or at < 4
    return _either(off, _above(bands, "bands", 10, 100, decimals=1))


def _either(usual: bool | None, seldom: bool | None) -> bool | None:
    """The usual measurement settles the item; the seldom one can only make it positive."""
    return True if seldom else usual
