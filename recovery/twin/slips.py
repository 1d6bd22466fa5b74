"""Unit slips: what a refused value would have been, had it been sent in another unit. Said, never applied.

A value outside the plausible range is kept and left out of the twin whatever its cause; the explanation helps whoever
mends the sender. Factors are those of `integrations` for the same units (clinical reference, rule 16).
"""

from collections.abc import Callable, Mapping

from recovery.twin.metric_types import Metric

Mend = tuple[str, Callable[[float], float]]

_TENFOLD: tuple[Mend, ...] = (
    ("ten times too high, so", lambda v: v / 10.0),
    ("ten times too low, so", lambda v: v * 10.0),
)

SLIPS: Mapping[str, tuple[Mend, ...]] = {
    "temperature": (("as degrees Fahrenheit", lambda v: (v - 32.0) * 5.0 / 9.0), ("as kelvin", lambda v: v - 273.15)),
    "spo2": (("as a fraction", lambda v: 100.0 * v),),
    "creatinine": (("as umol/L", lambda v: v / 88.42), *_TENFOLD),
    "haemoglobin": (("as g/L", lambda v: v / 10.0), ("ten times too low, so", lambda v: v * 10.0)),
    "leukocytes": (("as cells per uL", lambda v: v / 1000.0), *_TENFOLD),
    "crp": _TENFOLD,
    "sleep": (("as minutes", lambda v: v / 60.0), ("as seconds", lambda v: v / 3600.0)),
    "walking_speed": (("as km/h", lambda v: v / 3.6), ("as cm/s", lambda v: v / 100.0)),
}


def likely_slip(metric: Metric, value: float) -> str:
    """ "as degrees Fahrenheit it would be 37.0 Cel": the first slip under which `value` is plausible, or blank."""
    low, high = metric.plausible
    for words, mended in SLIPS.get(metric.key, ()):
        would_be = mended(value)
        if low <= would_be <= high:
            return f"{words} it would be {would_be:.{metric.decimals}f} {metric.unit}"
    return ""
