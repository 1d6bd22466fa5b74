"""Units: UCUM codes to the unit that a metric is kept in. What is not known here is never guessed.

A conversion is a pair (scale, shift): canonical value = sent value x scale + shift.
Factors are the exact definitions of UCUM (ucum.org/ucum) unless a line says otherwise.
"""

import math
import re
from dataclasses import dataclass

UCUM = "http://unitsofmeasure.org"
_ANNOTATION = re.compile(r"\{[^{}]*\}")


@dataclass(frozen=True, slots=True)
class Unit:
    """value in the dimension's base unit = value x scale + shift."""

    dimension: str
    scale: float
    shift: float = 0.0


def _units(dimension: str, **scales: float) -> dict[str, Unit]:
    return {code: Unit(dimension, scale) for code, scale in scales.items()}


_UNITS: dict[str, Unit] = {
    "Cel": Unit("temperature", 1.0),
    "[degF]": Unit("temperature", 5 / 9, -160 / 9),
    "K": Unit("temperature", 1.0, -273.15),
    **_units("number", **{"1": 1.0, "%": 0.01, "10*-2": 0.01, "10*-3": 0.001, "[ppth]": 0.001}),
    **_units("rate", **{"/min": 1.0, "min-1": 1.0, "/s": 60.0, "s-1": 60.0, "Hz": 60.0, "/h": 1 / 60, "/d": 1 / 1440}),
    **_units("length", **{"m": 1.0, "km": 1000.0, "cm": 0.01, "mm": 0.001}),
    **_units("length", **{"[in_i]": 0.0254, "[ft_i]": 0.3048, "[yd_i]": 0.9144, "[mi_i]": 1609.344}),
    **_units("speed", **{"m/s": 1.0, "cm/s": 0.01, "mm/s": 0.001, "km/h": 1 / 3.6, "m/min": 1 / 60, "m/h": 1 / 3600}),
    **_units("speed", **{"[ft_i]/s": 0.3048, "[mi_i]/h": 0.44704}),
    # 1 mm[Hg] = 133.322 Pa (UCUM table 4)
    **_units("pressure", **{"mm[Hg]": 1.0, "cm[Hg]": 10.0, "m[Hg]": 1000.0, "Pa": 1 / 133.322, "hPa": 100 / 133.322}),
    **_units("pressure", **{"kPa": 1000 / 133.322, "cm[H2O]": 98.0665 / 133.322, "mbar": 100 / 133.322}),
    **_units("mass", **{"kg": 1.0, "g": 0.001, "mg": 1e-6, "[lb_av]": 0.45359237, "[oz_av]": 0.028349523125}),
    **_units("mass concentration", **{"mg/L": 1.0, "ug/mL": 1.0, "mg/dL": 10.0, "g/L": 1000.0, "g/dL": 10_000.0}),
    **_units("mass concentration", **{"ug/L": 1e-3, "ng/mL": 1e-3, "ug/dL": 1e-2, "ng/L": 1e-6, "pg/mL": 1e-6}),
    **_units("amount concentration", **{"mmol/L": 1.0, "mol/L": 1000.0, "umol/L": 1e-3, "nmol/L": 1e-6}),
    **_units("count concentration", **{"10*3/uL": 1.0, "10*9/L": 1.0, "/uL": 1e-3, "/mm3": 1e-3, "10*6/uL": 1000.0}),
    **_units("count concentration", **{"10*12/L": 1000.0, "/L": 1e-9}),
    **_units("angle", **{"deg": 1.0, "rad": 180 / math.pi}),
    **_units("time", **{"s": 1.0, "ms": 1e-3, "min": 60.0, "h": 3600.0, "d": 86_400.0, "wk": 604_800.0}),
    **_units("volume", **{"mL": 1.0, "L": 1000.0, "dL": 100.0, "cL": 10.0, "uL": 1e-3, "cm3": 1.0}),
    **_units("flow", **{"L/min": 1.0, "mL/min": 1e-3, "mL/h": 1 / 60_000, "L/h": 1 / 60, "L/s": 60.0}),
    **_units("volume per day", **{"mL/(24.h)": 1.0, "mL/d": 1.0, "L/(24.h)": 1000.0, "L/d": 1000.0}),
    **_units("energy", **{"kcal": 1.0, "cal": 1e-3, "kJ": 1 / 4.184, "J": 1 / 4184}),
    **_units("energy per day", **{"kcal/d": 1.0, "kcal/(24.h)": 1.0, "kJ/d": 1 / 4.184}),
    **_units("body mass index", **{"kg/m2": 1.0}),
    **_units("force", **{"N": 1.0, "kN": 1000.0}),
    **_units("moment", **{"N.m": 1.0}),
    **_units("resistance", **{"Ohm": 1.0}),
}

# Words that people write in Quantity.unit when they send no code. Only those with one meaning:
# "C" (coulomb), "F" (farad), "m" (metre or minute) and "lbs./kg" styles are not here on purpose.
_WORDS = {
    "bpm": "/min",
    "beats/min": "/min",
    "beats/minute": "/min",
    "beats per minute": "/min",
    "breaths/min": "/min",
    "breaths/minute": "/min",
    "breaths per minute": "/min",
    "steps/min": "/min",
    "/min": "/min",
    "percent": "%",
    "%": "%",
    "°c": "Cel",
    "degc": "Cel",
    "celsius": "Cel",
    "degrees c": "Cel",
    "°f": "[degF]",
    "degf": "[degF]",
    "fahrenheit": "[degF]",
    "degrees f": "[degF]",
    "mmhg": "mm[Hg]",
    "mm hg": "mm[Hg]",
    "mm[hg]": "mm[Hg]",
    "kpa": "kPa",
    "kg": "kg",
    "lb": "[lb_av]",
    "lbs": "[lb_av]",
    "pounds": "[lb_av]",
    "steps": "{steps}",
    "m/s": "m/s",
    "km/h": "km/h",
    "mph": "[mi_i]/h",
    "cm": "cm",
    "mg/dl": "mg/dL",
    "mg/l": "mg/L",
    "g/dl": "g/dL",
    "g/l": "g/L",
    "mmol/l": "mmol/L",
    "umol/l": "umol/L",
    "µmol/l": "umol/L",
    "μmol/l": "umol/L",
    "10^9/l": "10*9/L",
    "x10^9/l": "10*9/L",
    "10e9/l": "10*9/L",
    "10^3/ul": "10*3/uL",
    "x10^3/ul": "10*3/uL",
    "10e3/ul": "10*3/uL",
    "k/ul": "10*3/uL",
    "/mm3": "/mm3",
}

# mass concentration (mg/dL) per amount concentration (mmol/L), by substance.
# creatinine 1 mg/dL = 88.42 umol/L, glucose x18.02, lactate x9.01: clinical reference rule 16; urea nitrogen: two
# nitrogen atoms of 14.007 g/mol a molecule; haemoglobin 1 mmol/L = 1.6114 g/dL, per haem and chain (16,114 g/mol).
MG_PER_DL_PER_MMOL = {
    "creatinine": 1000 / 88.42,
    "glucose": 18.02,
    "lactate": 9.01,
    "urea nitrogen": 2.8014,
    "haemoglobin": 1611.4,
}


def normal(code: str) -> str:
    """A UCUM code without annotations, which UCUM gives no meaning: {beats}/min is /min, {steps} is 1."""
    bare = _ANNOTATION.sub("", code)
    if bare.startswith("1/"):
        bare = bare[1:]
    return bare or "1"


def code_of(system: object, code: object, unit: object) -> str | None:
    """The UCUM code of a Quantity: its code in the UCUM system, or a word for `unit` with only one meaning."""
    if isinstance(code, str):
        return code if system == UCUM else None
    if system is None and isinstance(unit, str):
        return _WORDS.get(unit.strip().lower())
    return None


def conversion(code: str, target: str, substance: str = "") -> tuple[float, float] | None:
    """(scale, shift) from the UCUM unit `code` to `target`, or None when the one does not measure the other."""
    if code == target:
        return 1.0, 0.0
    source, wanted = _UNITS.get(normal(code)), _UNITS.get(normal(target))
    if source is None or wanted is None:
        return None
    if source.dimension == wanted.dimension:
        return source.scale / wanted.scale, (source.shift - wanted.shift) / wanted.scale
    return _by_substance(source, wanted, MG_PER_DL_PER_MMOL.get(substance))


def base_of(code: str | None) -> tuple[str, float, float] | None:
    """(dimension, scale, shift) from a UCUM unit to the base unit of its dimension; None for what is not known."""
    unit = _UNITS.get(normal(code)) if code is not None else None
    return None if unit is None else (unit.dimension, unit.scale, unit.shift)


def tidy(number: float) -> float:
    """To 12 digits: 98.6 [degF] and 37 Cel are then one number, whichever way they were converted."""
    return float(f"{number:.12g}")


def _by_substance(source: Unit, wanted: Unit, factor: float | None) -> tuple[float, float] | None:
    """Between mass and amount concentration (bases mg/L and mmol/L) of a known substance."""
    if factor is None:
        return None
    if (source.dimension, wanted.dimension) == ("amount concentration", "mass concentration"):
        return source.scale * factor * 10 / wanted.scale, 0.0
    if (source.dimension, wanted.dimension) == ("mass concentration", "amount concentration"):
        return source.scale / (factor * 10) / wanted.scale, 0.0
    return None
