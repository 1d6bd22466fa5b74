"""What is known of the patient besides readings: the profile of the twin and the factors of the risk model."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from math import inf
from typing import Any, Literal
from zoneinfo import ZoneInfo

from recovery.models import Episode, Finding
from recovery.services import gait_aids
from recovery.twin.gait_aid import AidUse
from recovery.twin.opioids import OPIOID, OpioidUse
from recovery.twin.profile import Profile
from recovery.twin.risk_inputs import RiskFactors

SEXES: Mapping[str, Literal["female", "male", "other"]] = {"female": "female", "male": "male", "other": "other"}
HISTORY = ("diabetes", "copd", "heart_failure", "kidney_disease", "atrial_fibrillation", "smoker")
DAYS_A_YEAR = 365.2425


@dataclass(frozen=True, slots=True)
class Known:
    """Everything but readings, as known at one time."""

    profile: Profile
    factors: RiskFactors
    diagnosed: frozenset[str]
    aids: tuple[AidUse, ...] = ()
    opioids: tuple[OpioidUse, ...] = ()


def known_at(episode: Episode, now: datetime) -> Known:
    """What was recorded about the episode's patient by `now`. Not recorded is not known, which is not 'no'."""
    findings = list(Finding.objects.filter(patient_id=episode.patient_id).order_by("recorded_at", "pk"))
    recorded = [one for one in findings if one.recorded_at is None or one.recorded_at <= now]
    numbers = {one.key: one.number for one in recorded if one.key and one.number is not None}
    history = [one for one in recorded if one.kind == Finding.Kind.COMORBIDITY]
    return Known(
        _profile(episode, numbers),
        _factors(episode, numbers, history),
        _diagnosed(episode, recorded),
        gait_aids.uses_of(episode, recorded),
        _opioids(episode, recorded),
    )


def _opioids(episode: Episode, recorded: list[Finding]) -> tuple[OpioidUse, ...]:
    """In hours after surgery end; `Finding.number` 1: the end was said, not drawn from a dose's time."""
    zero = episode.day_zero
    return tuple(
        OpioidUse(
            (one.onset_at - zero).total_seconds() / 3600.0,
            inf if one.ended_at is None else (one.ended_at - zero).total_seconds() / 3600.0,
            one.number == 1.0,
        )
        for one in recorded
        if one.key == OPIOID and one.onset_at
    )


def _profile(episode: Episode, numbers: Mapping[str, float]) -> Profile:
    patient = episode.patient
    local = episode.day_zero.astimezone(ZoneInfo(episode.time_zone))
    age = None
    if patient.birth_date is not None:
        age = (episode.day_zero.date() - patient.birth_date).days / DAYS_A_YEAR
    return Profile(
        procedure=episode.procedure or None,
        age_years=age,
        sex=SEXES.get(patient.sex),
        bmi=numbers.get("bmi"),
        frailty=numbers.get("frailty"),
        skin_tone=numbers.get("skin_tone"),
        surgery_end_hour_of_day=local.hour + local.minute / 60 + local.second / 3600,
    )


def _factors(episode: Episode, numbers: Mapping[str, float], history: list[Finding]) -> RiskFactors:
    """Once a history has been sent, what it does not name is taken as absent; without any, nothing is known."""
    named = {one.key for one in history}
    known: dict[str, Any] = {key: (key in named) if history else None for key in HISTORY}
    if "smoker" in numbers:
        known["smoker"] = bool(numbers["smoker"])
    duration = None
    if episode.surgery_start is not None and episode.surgery_end is not None:
        duration = (episode.surgery_end - episode.surgery_start).total_seconds() / 3600
    return RiskFactors(asa=numbers.get("asa"), blood_loss_ml=numbers.get("blood_loss_ml"), duration_h=duration, **known)


def _diagnosed(episode: Episode, recorded: list[Finding]) -> frozenset[str]:
    """Complications of this episode that are already diagnosed."""
    after = [
        one
        for one in recorded
        if one.kind == Finding.Kind.COMPLICATION and one.recorded_at and one.recorded_at >= episode.day_zero
    ]
    return frozenset(one.key for one in after if one.key)
