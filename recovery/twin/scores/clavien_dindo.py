"""Clavien-Dindo grades of complications, and the sum of a patient's grades on a scale of 0 to 100.

Sources: Dindo D et al. Ann Surg 2004;240:205-213 (grades) [G]; Slankamenac K et al. Ann Surg 2013;258:1-7 (weights of
the comprehensive complication index) [V: clinical-reference 4.7]. The index's name and calculator belong to the
University of Zurich. It is always recomputed from the list of grades, never stored alone (rule 15).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from recovery.twin.scores.result import ScoreRefused

SOURCE = "Dindo D, et al. Ann Surg 2004;240:205-213."
INDEX_SOURCE = "Slankamenac K, et al. Ann Surg 2013;258:1-7."
GRADES = {
    "I": "deviation from the normal course without intervention or drugs beyond antiemetic, antipyretic, analgesic,"
    " diuretic, electrolytes and physiotherapy",
    "II": "drug treatment, transfusion or parenteral nutrition",
    "IIIa": "surgical, endoscopic or radiological intervention without general anaesthesia",
    "IIIb": "intervention under general anaesthesia",
    "IVa": "life-threatening, dysfunction of one organ (dialysis included)",
    "IVb": "life-threatening, dysfunction of several organs",
    "V": "death",
}
WEIGHTS = {"I": 300, "II": 1750, "IIIa": 2750, "IIIb": 4550, "IVa": 7200, "IVb": 8550}


@dataclass(frozen=True, slots=True)
class GradeResult:
    """The grade of one complication: 'none' when every fact is denied, None when no fact is known.

    `missing` names the facts not known that could raise the grade; `certain` says that there are none.
    """

    grade: str | None
    disability: bool | None
    certain: bool
    missing: tuple[str, ...]
    source: str = SOURCE

    @property
    def text(self) -> str:
        suffix = "d" if self.disability and self.grade not in (None, "none", "V") else ""
        shown = "not graded" if self.grade is None else f"{self.grade}{suffix}"
        return shown if self.certain else f"{shown}, at least: {', '.join(self.missing)} not known"


@dataclass(frozen=True, slots=True)
class IndexResult:
    """Comprehensive complication index of a list of grades: 0 (none) to 100 (death), exact, with its parts."""

    value: float
    grades: tuple[str, ...]
    weights: tuple[int | None, ...]
    source: str = INDEX_SOURCE

    @property
    def text(self) -> str:
        return f"CCI {self.value:.1f}"


def clavien_dindo(
    *,
    death: bool | None = None,
    failing_organs: int | None = None,
    intervention: bool | None = None,
    general_anaesthesia: bool | None = None,
    drug_treatment: bool | None = None,
    deviation: bool | None = None,
    disability_at_discharge: bool | None = None,
) -> GradeResult:
    """The grade by the gravest treatment that the complication needed.

    failing_organs counts the organs whose dysfunction threatened life and needed intermediate or intensive care.
    An intervention of unknown anaesthesia is IIIa at least. Raises ScoreRefused for a negative count.
    """
    facts = (
        ("death", death, "V"),
        ("failing organs", _any(failing_organs), "IVb" if (failing_organs or 0) > 1 else "IVa"),
        ("intervention", intervention, "IIIb" if general_anaesthesia else "IIIa"),
        ("drug treatment", drug_treatment, "II"),
        ("deviation", deviation, "I"),
    )
    grade = next((grade for _, present, grade in facts if present), None)
    graver = facts[: next((i for i, fact in enumerate(facts) if fact[1]), len(facts))]
    missing = [name for name, present, _ in graver if present is None]
    if grade == "IIIa" and general_anaesthesia is None:
        missing.append("anaesthesia")
    if grade is None and any(present is False for _, present, _ in facts) and not missing:
        grade = "none"
    return GradeResult(grade, disability_at_discharge, not missing, tuple(missing))


def complication_index(grades: Sequence[str]) -> IndexResult:
    """sqrt(sum of weights) / 2, at most 100; any death gives 100. Grades as keys of GRADES, a trailing d allowed.
    Raises ScoreRefused for any other grade."""
    plain = tuple(_plain(grade) for grade in grades)
    weights = tuple(WEIGHTS.get(grade) for grade in plain)
    total = sum(weight or 0 for weight in weights)
    return IndexResult(100.0 if "V" in plain else min(sqrt(total) / 2, 100.0), plain, weights)


def _plain(grade: str) -> str:
    plain = grade.removesuffix("d")
    if plain not in GRADES or grade == "Vd":
        raise ScoreRefused(f"Clavien-Dindo grades are {', '.join(GRADES)}, not {grade!r}")
    return plain


def _any(organs: int | None) -> bool | None:
    if organs is not None and (organs < 0 or organs != int(organs)):
        raise ScoreRefused(f"the number of failing organs cannot be {organs}")
    return None if organs is None else organs > 0
