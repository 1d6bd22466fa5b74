"""The inputs of the risk model for one patient, by name, each with the measured fact that a person may read.

Static inputs come from the profile and the history, recent ones from the twin. What is not known is nan,
never zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from math import log, nan

import numpy as np
from numpy.typing import NDArray

from recovery.twin.facts import Fact
from recovery.twin.incidence import INCIDENCE, procedure_class
from recovery.twin.profile import Profile
from recovery.twin.signals import VITALS, Signal, by_metric, newest_worn_h
from recovery.twin.surprise import RecoveryFeatures
from recovery.twin.survival import HazardModel

SMALLEST_BLOOD_LOSS_ML = 10.0
"""Estimated blood loss below this is written down as none; the logarithm needs a floor."""
SHORTEST_OPERATION_H = 0.2
FOLLOWED = (*VITALS, "steps", "pain")
"""Metrics the risk model may read."""


@dataclass(frozen=True, slots=True)
class RiskFactors:
    """History and operation facts that move the risk; None is not known, which is neither present nor absent.

    asa: physical status class 1-5. duration_h: skin to skin, hours. blood_loss_ml: estimated.
    """

    asa: float | None = None
    diabetes: bool | None = None
    copd: bool | None = None
    heart_failure: bool | None = None
    kidney_disease: bool | None = None
    atrial_fibrillation: bool | None = None
    smoker: bool | None = None
    duration_h: float | None = None
    blood_loss_ml: float | None = None


HISTORY_LABELS = {
    "diabetes": "diabetes",
    "copd": "chronic lung disease",
    "heart_failure": "heart failure",
    "kidney_disease": "chronic kidney disease",
    "atrial_fibrillation": "earlier atrial fibrillation",
    "smoker": "current smoker",
}


@dataclass(frozen=True, slots=True)
class RiskInputs:
    """Named values (nan when not known) and, where there is something to say, the fact behind each."""

    values: Mapping[str, float]
    facts: Mapping[str, Fact]
    has_twin: bool
    data_age_h: float | None

    def value(self, key: str, default: float = nan) -> float:
        """The value, or `default` when it is not known."""
        found = self.values.get(key, nan)
        return default if np.isnan(found) else found

    def in_order_of(self, model: HazardModel) -> NDArray[np.float64]:
        return np.array([self.value(f.key) for f in model.features])


def risk_inputs(
    profile: Profile,
    features: RecoveryFeatures | None,
    factors: RiskFactors,
    lasting: Mapping[str, float] | None = None,
) -> RiskInputs:
    """All inputs of one patient now. `lasting` is for how many hours a metric has been on its worse side,
    where the caller remembers it (`alerts.lasting`); it enters the facts, not the numbers."""
    static = static_inputs(profile, factors)
    history = static_facts(profile, factors)
    if features is None:
        return RiskInputs(static, history, False, None)
    found = by_metric(features)
    age = newest_worn_h(features)
    return RiskInputs(
        static | recent_inputs(found, age), history | recent_facts(found, age, lasting or {}), bool(found), age
    )


def recent_inputs(found: Mapping[str, Signal], age: float | None) -> dict[str, float]:
    """Per metric, on the worse side: z (deviation), surprise (mean of the last day), shift (from the expected
    course); then the wear of the last day and the age of the newest reading. Nothing read is nan."""
    values: dict[str, float] = {}
    for metric in FOLLOWED:
        signal = found.get(metric)
        current = signal is not None and signal.is_current
        values[f"z_{metric}"] = signal.z if signal and current else nan
        values[f"surprise_{metric}"] = _number(signal.surprise) if signal and current else nan
        values[f"shift_{metric}"] = signal.worse_shift if signal and current else nan
    worn = [signal.worn_fraction for key, signal in found.items() if key in VITALS]
    return values | {"not_worn": 1.0 - max(worn) if worn else nan, "data_age": _number(age)}


def recent_facts(found: Mapping[str, Signal], age: float | None, lasting: Mapping[str, float]) -> dict[str, Fact]:
    """One fact per metric, shared by its inputs, so that a reason about a metric is told once."""
    told: dict[str, Fact] = {}
    for metric, signal in found.items():
        fact = signal.fact(lasting.get(metric))
        told |= dict.fromkeys((f"z_{metric}", f"surprise_{metric}", f"shift_{metric}"), fact)
    worn = [signal.worn_fraction for key, signal in found.items() if key in VITALS]
    if worn:
        told["not_worn"] = Fact("worn", "wear", "", max(worn), "1")
    if age is not None:
        told["data_age"] = Fact("data_age", "data_age", "", age, "h")
    return told


def static_inputs(profile: Profile, factors: RiskFactors) -> dict[str, float]:
    """Age in decades, BMI with its square (both thin and heavy patients fare worse), the rest as given; one
    0/1 per kind of operation, by which a site departs from the published incidence."""
    bmi = _number(profile.bmi)
    given = {f.name: _number(getattr(factors, f.name)) for f in fields(factors)}
    blood_loss, duration = given.pop("blood_loss_ml"), given.pop("duration_h")
    return {
        "age_decades": _number(profile.age_years) / 10,
        "male": {"male": 1.0, "female": 0.0}.get(profile.sex or "", nan),
        "bmi": bmi,
        "bmi_squared_off_28": (bmi - 28.0) ** 2,
        "frailty": _number(profile.frailty),
        "log_duration": log(max(duration, SHORTEST_OPERATION_H)) if duration == duration else nan,
        "log_blood_loss": log(max(blood_loss, SMALLEST_BLOOD_LOSS_ML)) if blood_loss == blood_loss else nan,
        **given,
        **{f"operation_{name}": float(procedure_class(profile.procedure) == name) for name in INCIDENCE},
    }


def static_facts(profile: Profile, factors: RiskFactors) -> dict[str, Fact]:
    """The facts a clinician would recognise; sex and squares have none."""
    told = {key: _history_fact(key, getattr(factors, key)) for key in HISTORY_LABELS}
    return {key: fact for key, fact in (told | _measured_facts(profile, factors)).items() if fact is not None}


def _history_fact(key: str, present: bool | None) -> Fact | None:
    if present is None:
        return None
    return Fact("has" if present else "has_not", key, HISTORY_LABELS[key], float(present))


def _measured_facts(profile: Profile, factors: RiskFactors) -> dict[str, Fact | None]:
    return {
        "age_decades": _fact("age", "age", "age", profile.age_years, "a"),
        "bmi": _fact("measured", "bmi", "body mass index", profile.bmi, "kg/m2"),
        "asa": _fact("measured", "asa", "ASA class", factors.asa, ""),
        "log_duration": _fact("measured", "duration", "operation lasted", factors.duration_h, "h"),
        "log_blood_loss": _fact("measured", "blood_loss", "blood loss", factors.blood_loss_ml, "mL"),
    }


def _fact(key: str, about: str, label: str, value: float | None, unit: str) -> Fact | None:
    return None if value is None else Fact(key, about, label, float(value), unit)


def _number(value: float | bool | None) -> float:
    return nan if value is None else float(value)
