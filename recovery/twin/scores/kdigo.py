"""KDIGO stages of acute kidney injury after an operation.

Source: KDIGO Clinical Practice Guideline for Acute Kidney Injury. Kidney Int Suppl 2012;2:1-138 [G:
clinical-reference 4.10]. The reference is the creatinine from before the operation, never a minimum after it: blood
thinned by fluids made a rolling minimum call 50.7 % of cardiac patients injured, the reference from before 17.9 % [V:
rule 9]. All comparisons are in decimals, because 1.2 - 0.9 is less than 0.3 in binary floats.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import median

from recovery.twin.scores.result import ScoreRefused, charted
from recovery.twin.scores.urine import Urine, urine_stage

SOURCE = "KDIGO. Clinical practice guideline for acute kidney injury. Kidney Int Suppl 2012;2:1-138."
UNITS = {
    "mg/dL": (Decimal("0.3"), Decimal("4.0"), 0.05, 40.0),
    "umol/L": (Decimal("26.5"), Decimal("353.6"), 4.4, 3537.0),
}
"""Unit: (the step of stage 1, the level of stage 3, lowest and highest value a patient can have)."""
STEP_WINDOW_H = 48.0
RATIO_WINDOW_H = 168.0
BASELINE_FROM_H, BASELINE_TO_H = -365 * 24.0, -7 * 24.0
ADULT, CHILD_EGFR = 18.0, 35.0
RATIOS = ((Decimal("3.0"), 3), (Decimal("2.0"), 2), (Decimal("1.5"), 1))


@dataclass(frozen=True, slots=True)
class Creatinine:
    """One result: hours after the end of surgery (negative before) and the value in the unit of the call."""

    hours: float
    value: float


@dataclass(frozen=True, slots=True)
class KdigoResult:
    """Highest stage until now: 0 no injury, None when nothing could be judged. `onset_h` is the hour of the first
    result that fulfils a criterion; `because` names the criteria of the stage; `missing` what was not known."""

    stage: int | None
    creatinine_stage: int | None
    urine_stage: int | None
    onset_h: float | None
    baseline: float | None
    baseline_kind: str
    because: tuple[str, ...]
    missing: tuple[str, ...]
    source: str = SOURCE

    @property
    def complete(self) -> bool:
        return not self.missing

    @property
    def text(self) -> str:
        if self.stage is None:
            return f"KDIGO not staged: {', '.join(self.missing)} missing"
        return (
            f"KDIGO {self.stage}"
            if self.complete
            else f"KDIGO at least {self.stage}: {', '.join(self.missing)} missing"
        )


def kdigo(
    creatinine: Sequence[Creatinine],
    *,
    unit: str,
    incision_h: float,
    urine: Sequence[Urine] = (),
    weight_kg: float | None = None,
    renal_replacement_h: float | None = None,
    age_years: float | None = None,
    egfr: float | None = None,
) -> KdigoResult:
    """The highest KDIGO stage of one patient over all that is given, in any order.

    unit: mg/dL or umol/L. incision_h: hour of incision (<= 0); results between incision and the end of surgery count
    neither as reference nor as injury. egfr (mL/min/1.73 m2, lowest) raises injury to stage 3 below 35 under 18
    years only. Raises ScoreRefused for an unknown unit or a value no patient can have.
    """
    if unit not in UNITS:
        raise ScoreRefused(f"creatinine is in {' or '.join(UNITS)}, not {unit!r}")
    rows = _decimals(creatinine, unit)
    base, kind = reference([(at, value) for at, value in rows if at < incision_h])
    found = [] if base is None else [*_judged([row for row in rows if row[0] >= 0], base, unit)]
    by_creatinine = max((stage for _, stage, _ in found), default=None)
    by_urine, urine_onset = urine_stage(urine, weight_kg)
    injured_h = min((at for at, level, _ in found if level), default=urine_onset)
    extra = _further(renal_replacement_h, injured_h, age_years, egfr)
    stage = max((s for s in (by_creatinine, by_urine, *(row[1] for row in extra)) if s is not None), default=None)
    onsets = [at for at, level, _ in (*found, *extra) if level] + ([urine_onset] if urine_onset is not None else [])
    because = [why for _, level, why in (*found, *extra) if level and level == stage]
    because += ["urine output"] if by_urine and by_urine == stage else []
    return KdigoResult(
        stage=stage,
        creatinine_stage=by_creatinine,
        urine_stage=by_urine,
        onset_h=min(onsets, default=None),
        baseline=None if base is None else float(base),
        baseline_kind=kind,
        because=tuple(dict.fromkeys(because)),
        missing=_missing(base, found, by_urine),
    )


def reference(before: Sequence[tuple[float, Decimal]]) -> tuple[Decimal | None, str]:
    """Reference creatinine from the results before incision: the median of those 7 to 365 days before the operation,
    else the last one before incision; (None, "none") without any."""
    outpatient = [value for at, value in before if BASELINE_FROM_H <= at <= BASELINE_TO_H]
    if outpatient:
        return median(outpatient), "median of 7 to 365 days before surgery"
    recent = [row for row in before if row[0] > BASELINE_TO_H]
    if recent:
        return max(recent)[1], "last before incision"
    return None, "none"


def stage_of(value: Decimal, base: Decimal, unit: str, risen_in_a_week: bool, stepped: bool) -> tuple[int, str]:
    """Stage of one result and the criterion. `risen_in_a_week`: a rise to 1.5 times the reference, if there is one,
    happened within 7 days; `stepped`: the step of stage 1 within 48 h."""
    ratio = next((stage for times, stage in RATIOS if value >= times * base), 0) if risen_in_a_week else 0
    if not ratio and not stepped:
        return 0, ""
    if value >= UNITS[unit][1]:
        return 3, f"creatinine of {UNITS[unit][1]} {unit} or more with injury"
    if ratio:
        return ratio, f"creatinine {RATIOS[3 - ratio][0]} times the reference or more"
    return 1, f"creatinine {UNITS[unit][0]} {unit} higher within 48 h"


def _judged(after: Sequence[tuple[float, Decimal]], base: Decimal, unit: str) -> Iterator[tuple[float, int, str]]:
    """(hour, stage, criterion) of each result after surgery. Once injured, later ratios are its course."""
    injured = False
    for i, (at, value) in enumerate(after):
        earlier = after[:i]
        in_time = injured or at <= RATIO_WINDOW_H or _rose(value, at, earlier)
        stage, why = stage_of(value, base, unit, in_time, _stepped(value, at, earlier, base, unit))
        injured = injured or stage > 0
        yield at, stage, why


def _rose(value: Decimal, at: float, earlier: Sequence[tuple[float, Decimal]]) -> bool:
    """After the first week a rise counts when it was seen within 7 days; the ratio itself stays to the reference."""
    return any(value >= RATIOS[-1][0] * past for hour, past in earlier if at - hour <= RATIO_WINDOW_H)


def _stepped(value: Decimal, at: float, earlier: Sequence[tuple[float, Decimal]], base: Decimal, unit: str) -> bool:
    """A step within 48 h, from no lower than the reference: a return from thinned blood is no injury. The reference
    stands at the end of surgery."""
    starts = [past for hour, past in ((0.0, base), *earlier) if at - hour <= STEP_WINDOW_H]
    return any(value - max(past, base) >= UNITS[unit][0] for past in starts)


def _decimals(creatinine: Sequence[Creatinine], unit: str) -> list[tuple[float, Decimal]]:
    _, _, low, high = UNITS[unit]
    name = f"creatinine in {unit}"
    return sorted((c.hours, Decimal(repr(charted(c.value, name, low, high, decimals=3)))) for c in creatinine)


def _further(
    renal_replacement_h: float | None, injured_h: float | None, age_years: float | None, egfr: float | None
) -> list[tuple[float, int, str]]:
    """Criteria of stage 3 other than creatinine and urine: (hour, 3, criterion)."""
    found = []
    if renal_replacement_h is not None:
        if renal_replacement_h < 0:
            raise ScoreRefused("renal replacement before the operation is no injury by it")
        found.append((renal_replacement_h, 3, "renal replacement therapy"))
    child = age_years is not None and age_years < ADULT
    if child and injured_h is not None and egfr is not None and egfr < CHILD_EGFR:
        found.append((injured_h, 3, "eGFR below 35 under 18 years"))
    return found


def _missing(base: Decimal | None, found: Sequence[object], by_urine: int | None) -> tuple[str, ...]:
    lacks = {
        "creatinine before surgery": base is None,
        "creatinine after surgery": base is not None and not found,
        "urine output": by_urine is None,
    }
    return tuple(name for name, absent in lacks.items() if absent)
