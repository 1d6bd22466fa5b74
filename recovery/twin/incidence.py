"""How often each complication follows each kind of operation, and on which day: published figures with their
source.

Ranges are 30-day incidences in per cent (clinical-reference 3.1), days of diagnosis are log-normal (3.2,
median and quartiles: mu = ln(median), sigma = ln(Q3/Q1)/1.349). [V] was read in the source named there, [G]
is general knowledge, contemporary high-income elective surgery, to be replaced by the site's own figures.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log

NAMED = ("ssi", "pneumonia", "leak", "vte", "af", "aki", "bleeding", "ileus")
OUTCOMES = ("complication", *NAMED, "readmission", "death")
LABELS = {
    "complication": "any complication",
    "ssi": "surgical site infection",
    "pneumonia": "pneumonia",
    "leak": "anastomotic leak",
    "vte": "venous thromboembolism",
    "af": "new atrial fibrillation",
    "aki": "acute kidney injury",
    "bleeding": "bleeding",
    "ileus": "prolonged ileus",
    "readmission": "readmission",
    "death": "death",
}
GENERIC = "generic"
TABLE = "clinical-reference 3.1"
QUARTILE_WIDTH = 1.349
"""Distance between the quartiles of a standard normal."""


@dataclass(frozen=True, slots=True)
class Incidence:
    """30-day incidence of one outcome in one procedure class: per cent, with the published range as
    uncertainty."""

    low: float
    high: float
    source: str
    centre: float | None = None

    @property
    def mid(self) -> float:
        return (self.low + self.high) / 2 if self.centre is None else self.centre


@dataclass(frozen=True, slots=True)
class Onset:
    """Log-normal day of diagnosis, in days after the end of surgery: log-mean, log-standard-deviation."""

    mu: float
    sigma: float
    source: str


def published(low: float, high: float, mark: str = "[G]") -> Incidence:
    return Incidence(low, high, f"{TABLE} {mark}")


def single(percent: float, mark: str = "[G]") -> Incidence:
    """A single figure becomes a range, since the table asks for wide intervals: half to twice of a recalled
    [G] figure, four fifths to five quarters of one read or measured [V] (this project's choice)."""
    factor = 2.0 if mark == "[G]" else 1.25
    return Incidence(percent / factor, percent * factor, f"{TABLE} {mark}, single figure widened by {factor}")


def quartiles(median: float, lower: float, upper: float, source: str) -> Onset:
    return Onset(log(median), log(upper / lower) / QUARTILE_WIDTH, source)


INCIDENCE: dict[str, dict[str, Incidence]] = {
    "arthroplasty": {
        "complication": published(8, 10, "[V: measured, Surgery Timing]"),
        "ssi": published(0.5, 1.5),
        "pneumonia": published(0.3, 0.5),
        "vte": published(0.5, 1.5),
        "af": published(1, 2),
        "aki": published(2, 5),
        "bleeding": published(3, 8),
        "ileus": published(0.5, 1),
        "readmission": published(2.8, 5.6, "[V]"),
        "death": single(0.18, "[V]"),
    },
    "hip_fracture": {
        "complication": published(20, 30),
        "ssi": published(1, 2),
        "pneumonia": published(3, 5),
        "vte": published(1.5, 2),
        "af": published(3, 5),
        "aki": published(10, 15),
        "bleeding": published(20, 35),
        "ileus": published(1, 2),
        "readmission": published(8, 12),
        "death": published(3, 6, "[V for 3, G for 6]"),
    },
    "colorectal": {
        "complication": single(31, "[V: measured, Surgery Timing]"),
        "ssi": published(8, 15),
        "pneumonia": published(2, 3),
        "leak": published(8, 9.6, "[V: pooled]"),
        "vte": published(1, 2),
        "af": published(4.4, 6.6, "[V]"),
        "aki": published(8, 12),
        "bleeding": published(5, 8),
        "ileus": published(10, 17, "[V]"),
        "readmission": published(10, 12),
        "death": published(1, 3),
    },
    "lap_cholecystectomy": {
        "complication": published(3, 5),
        "ssi": single(1),
        "pneumonia": single(0.3),
        "vte": single(0.2),
        "af": single(0.3),
        "aki": published(1, 2),
        "bleeding": single(0.5),
        "ileus": single(0.2),
        "readmission": single(3),
        "death": published(0.1, 0.2),
    },
    "sleeve": {
        "complication": single(2.4, "[V: serious only]"),
        "ssi": published(1, 2),
        "pneumonia": single(0.3),
        "leak": published(0.17, 1, "[V for 0.17, registry; G for 1]"),
        "vte": published(0.3, 0.5),
        "af": single(0.2),
        "aki": published(2, 3),
        "bleeding": single(0.8),
        "ileus": single(0.2),
        "readmission": single(3, "[V]"),
        "death": published(0.05, 0.1, "[V]"),
    },
    "hysterectomy": {
        "complication": single(15, "[V: measured, broad coding]"),
        "ssi": published(2, 3),
        "pneumonia": single(0.3),
        "vte": single(0.3),
        "af": single(0.2),
        "aki": published(2, 4),
        "bleeding": published(2, 4),
        "ileus": published(1, 2),
        "readmission": published(2, 4),
        "death": published(0.05, 0.2),
    },
    "cardiac": {
        "complication": published(30, 40),
        "ssi": published(2, 5),
        "pneumonia": published(3, 8),
        "vte": published(1, 2),
        "af": published(16, 46, "[V]"),
        "aki": published(18, 30),
        "bleeding": published(30, 50),
        "ileus": single(1),
        "readmission": published(10, 16.6, "[V for 16.6]"),
        "death": published(1.5, 3),
    },
    "lobectomy": {
        "complication": published(9, 15.3, "[V: VATS to open]"),
        "ssi": published(1, 2),
        "pneumonia": published(4, 8),
        "vte": published(1, 2),
        "af": published(10, 20),
        "aki": published(6, 10),
        "bleeding": published(3, 5),
        "ileus": single(0.5),
        "readmission": single(7.4, "[V]"),
        "death": published(1.2, 2, "[V: VATS to open]"),
    },
    "spine_fusion": {
        "complication": single(18, "[V: measured, Surgery Timing]"),
        "ssi": published(2, 3),
        "pneumonia": published(0.7, 1),
        "vte": published(0.7, 1),
        "af": single(1),
        "aki": published(2, 4),
        "bleeding": published(8, 15),
        "ileus": published(3, 5),
        "readmission": published(5, 7),
        "death": published(0.2, 0.7),
    },
}

PROCEDURE_CLASSES = {
    "knee_replacement": "arthroplasty",
    "hip_replacement": "arthroplasty",
    "colectomy": "colorectal",
    "colectomy_laparoscopic": "colorectal",
    "colectomy_open": "colorectal",
    "cholecystectomy": "lap_cholecystectomy",
    "cardiac": "cardiac",
    "hip_fracture": "hip_fracture",
    "lobectomy": "lobectomy",
    "lobectomy_vats": "lobectomy",
    "lobectomy_open": "lobectomy",
    "sleeve_gastrectomy": "sleeve",
    "hysterectomy": "hysterectomy",
    "hysterectomy_minimal": "hysterectomy",
    "hysterectomy_open": "hysterectomy",
    "spinal_fusion": "spine_fusion",
}
"""Row of the published incidence table for each procedure; an unknown one gets the generic row, wider, and
says so."""

BOHL = "Bohl 2017, arthroplasty n=124,657, clinical-reference 3.2 [V]"
HIP_FRACTURE = "hip-fracture NSQIP n=19,873, clinical-reference 3.2 [V]"
ONSET: dict[str, Onset] = {
    "ssi": quartiles(17, 11, 23, BOHL),
    "pneumonia": quartiles(4, 2, 9, BOHL),
    "vte": quartiles(6, 3, 14, f"{BOHL}, the figures of deep vein thrombosis"),
    "af": Onset(
        log(10**0.5),
        log(5 / 2) / QUARTILE_WIDTH,
        "day 2-5 [V], clinical-reference 3.2, read as quartiles about their geometric mean",
    ),
    "aki": Onset(
        log(2),
        log(7 / 2) / 1.645,
        "KDIGO's window of 7 d [G] read as the 95th percentile, median day 2 (EPIS-AKI: 72 h [V])",
    ),
    "leak": Onset(
        log(54**0.5),
        (log(30) - log(54**0.5)) / 2.326,
        "median day 6-9 [V], late leak to day 30 [G] read as the 99th percentile: a late leak must not be ruled out",
    ),
    "ileus": quartiles(4, 3, 6, "declared on day 4 [G], clinical-reference 3.2; quartiles 3-6 [G]"),
    "bleeding": quartiles(1, 0.5, 2.5, "hours [G], clinical-reference 3.3; median day 1, quartiles 0.5-2.5 [G]"),
    "readmission": Onset(
        log(15), 0.85, "half of 90-day complications within 15 d (TRICARE [V]); spread as that of death [G]"
    ),
    "death": quartiles(11, 6, 19, HIP_FRACTURE),
}
CANCER_VTE = quartiles(9, 4, 16, "cancer surgery, clinical-reference 3.2 [V]")
ONSET_BY_CLASS: dict[tuple[str, str], Onset] = {
    ("hip_fracture", "ssi"): quartiles(16, 11, 22, HIP_FRACTURE),
    ("hip_fracture", "pneumonia"): quartiles(4, 2, 10, HIP_FRACTURE),
    ("hip_fracture", "vte"): quartiles(9, 4, 16, HIP_FRACTURE),
    ("colorectal", "vte"): CANCER_VTE,
    ("lobectomy", "vte"): CANCER_VTE,
    ("colorectal", "ssi"): Onset(log(9), log(23 / 11) / QUARTILE_WIDTH, "day 8-10 [G]; spread of Bohl 2017 [V]"),
}
NOT_ON_THE_INDEX_LIST = frozenset({"bleeding"})
"""The row "any (index list)" does not count transfusion, which most of the bleeding row is."""


def procedure_class(procedure: str | None) -> str:
    """Row of the incidence table for a procedure key of `profile.PROCEDURES`; the generic row when not
    known."""
    return PROCEDURE_CLASSES.get(procedure or "", GENERIC)


def incidence(outcome: str, procedure_class: str) -> Incidence | None:
    """The published range, or None where the table has no figure. `generic` (operation not known) lies at
    the geometric mean of the classes and reaches from the lowest to the highest figure of any; an outcome
    that some classes do not have (a leak without an anastomosis) it does not have either."""
    if procedure_class != GENERIC:
        return INCIDENCE[procedure_class].get(outcome)
    rows = [row[outcome] for row in INCIDENCE.values() if outcome in row]
    if len(rows) < len(INCIDENCE):
        return None
    centre = exp(sum(log(row.mid) for row in rows) / len(rows))
    low, high = min(row.low for row in rows), max(row.high for row in rows)
    return Incidence(low, high, f"{TABLE}: from the lowest to the highest class, operation not known", centre)


def onsets(outcome: str, procedure_class: str) -> tuple[tuple[float, Onset], ...]:
    """Weighted day-of-onset densities: one for a named outcome; for any complication the mixture of the
    named ones of the index list, weighted by their incidence in the class."""
    if outcome != "complication":
        return ((1.0, _onset(outcome, procedure_class)),)
    parts = [
        (row.mid, _onset(name, procedure_class))
        for name in NAMED
        if name not in NOT_ON_THE_INDEX_LIST and (row := incidence(name, procedure_class))
    ]
    total = sum(weight for weight, _ in parts)
    return tuple((weight / total, onset) for weight, onset in parts)


def _onset(outcome: str, procedure_class: str) -> Onset:
    return ONSET_BY_CLASS.get((procedure_class, outcome), ONSET[outcome])
