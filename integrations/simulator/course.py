"""One made-up patient's readings: hourly values from `recovery.twin.simulate`, minute values drawn around them.

A pure function of (seed, member, time): whoever asks again gets the same numbers, so a sender may stop, start and
repeat itself. Hours are counted from `Ward.zero`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from integrations.fhir import codes
from integrations.simulator.cast import OPERATIONS, Member, Trouble
from integrations.simulator.ward import DAY, HOUR, Ward, number_of
from recovery.twin.cold_start import cold_start
from recovery.twin.measurement import Samples
from recovery.twin.metrics import METRICS
from recovery.twin.profile import SNOMED, Profile
from recovery.twin.simulate import DRAWN, IMPLANTED, WATCHED, simulate

Floats = NDArray[np.float64]

FIRST_HOUR, LAST_HOUR = -7 * 24, 31 * 24
HOURLY = (*WATCHED, "steps")
DAILY = (*IMPLANTED, "qualified_steps")
NONE = Samples.of([], [])
BOUT_STREAM = 11  # of the random numbers that share out steps; those of vital signs are numbered by the catalogue
ASSAY = 2 * HOUR  # from the draw to the result: assumed
MINUTES = 60
SECONDS = 3600
# Minute values scatter around the hourly one by this share of the metric's spread within a bin (assumed: a device
# that reports minutes has already averaged).
MINUTE_SCATTER = 0.4
# Steps come in bouts: this share of the minutes of an hour with steps has any (assumed).
WALKING_MINUTES = 0.3


@dataclass(frozen=True, slots=True)
class Report:
    """One value that is not hourly: pain, the day's gait from the implant, a blood value. at: when it began."""

    metric: str
    at: datetime
    sent: datetime
    value: float


@dataclass(frozen=True, eq=False)
class Course:
    """hourly: metric -> (hours,) value of hour FIRST_HOUR + i, nan where the watch was off. reports: in time order."""

    ward: Ward
    member: Member
    hourly: Mapping[str, Floats]
    reports: tuple[Report, ...]

    def index(self, moment: datetime) -> int:
        """Place of the hour that holds `moment`; may lie outside the course."""
        return (moment - self.ward.zero(self.member)) // HOUR - FIRST_HOUR

    def hour_values(self, metric: str, start: datetime, hours: int) -> Floats:
        """(hours,) values of whole hours from `start` on; nan outside the course and when not worn."""
        first = self.index(start)
        wanted = np.arange(first, first + hours)
        series = self.hourly[metric]
        inside = (wanted >= 0) & (wanted < len(series))
        return np.where(inside, series[np.clip(wanted, 0, len(series) - 1)], np.nan)

    def reports_between(self, start: datetime, end: datetime) -> list[Report]:
        """Reports with start <= sent < end."""
        return [one for one in self.reports if start <= one.sent < end]

    def vital_at(self, metric: str, moment: datetime) -> float | None:
        """The value of one second of an hourly metric, or None while the watch is off."""
        hour = float(self.hour_values(metric, moment, 1)[0])
        if np.isnan(hour):
            return None
        scatter = _scatter(self.ward.seed, number_of(self.member), metric, self.index(moment))
        value = hour + MINUTE_SCATTER * METRICS[metric].noise.within * scatter[_second(moment)]
        low, high = METRICS[metric].plausible
        inside = float(np.clip(value, low, high)) if low <= hour <= high else hour
        return round(inside, METRICS[metric].decimals)

    def steps_in(self, minute: datetime) -> int | None:
        """Steps of one minute; the 60 of an hour add up to its hourly value. None while the watch is off."""
        hour = float(self.hour_values("steps", minute, 1)[0])
        if np.isnan(hour):
            return None
        shares = _bouts(self.ward.seed, number_of(self.member), self.index(minute))
        walked = np.round(hour * np.concatenate([[0.0], np.cumsum(shares)]))
        return int(walked[minute.minute + 1] - walked[minute.minute])


def _second(moment: datetime) -> int:
    return moment.minute * MINUTES + moment.second


@lru_cache(maxsize=512)
def _scatter(seed: int, number: int, metric: str, hour: int) -> Floats:
    """(3600,) standard normal numbers of one hour."""
    rng = np.random.default_rng([seed, number, list(METRICS).index(metric), hour])
    return rng.standard_normal(SECONDS)


@lru_cache(maxsize=128)
def _bouts(seed: int, number: int, hour: int) -> Floats:
    """(60,) shares of the hour's steps, adding up to 1."""
    rng = np.random.default_rng([seed, number, BOUT_STREAM, hour])
    weight = rng.gamma(2.0, size=MINUTES) * (rng.random(MINUTES) < WALKING_MINUTES)
    weight[int(rng.integers(MINUTES))] += 1.0
    return np.asarray(weight / weight.sum())


@lru_cache(maxsize=64)
def course_of(ward: Ward, member: Member) -> Course:
    """The whole course of a member, from a week before surgery to a month after it."""
    samples = _samples(ward, member)
    hourly = {key: _on_grid(samples[key].hours, samples[key].values) for key in HOURLY}
    if member.slow is not None:
        hourly["steps"] = _slowed(hourly["steps"], member.slow.share, _hour(ward, member, member.slow.hours_ago))
    for values in hourly.values():
        _silence(ward, member, values)
    return Course(ward, member, hourly, tuple(_reports(ward, member, samples)))


def _samples(ward: Ward, member: Member) -> Mapping[str, Samples]:
    """The generator's samples. With trouble, the same patient is drawn well and ill, and the difference is scaled."""
    well = _drawn(ward, member, None)
    if member.trouble is None:
        return well
    ill, severity = _drawn(ward, member, member.trouble), member.trouble.severity
    scaled = {}
    for key, sick in ill.items():
        values = np.clip(well[key].values + severity * (sick.values - well[key].values), *METRICS[key].plausible)
        kept = np.where(sick.values == well[key].values, sick.values, np.round(values, METRICS[key].decimals))
        scaled[key] = replace(sick, values=kept)
    return scaled


def _drawn(ward: Ward, member: Member, trouble: Trouble | None) -> Mapping[str, Samples]:
    return simulate(
        1000 * ward.seed + number_of(member),
        cold_start(),
        profile_of(ward, member),
        first_hour=FIRST_HOUR,
        last_hour=LAST_HOUR,
        complication=trouble.kind if trouble else None,
        onset_hour=_hour(ward, member, trouble.hours_ago) if trouble else 0.0,
        implant=member.has_smart_knee,
        laboratory=True,
    ).samples


def _hour(ward: Ward, member: Member, hours_ago: float) -> float:
    """The member's hour that lay `hours_ago` before the anchor."""
    return (ward.anchor - ward.zero(member)) / HOUR - hours_ago


def profile_of(ward: Ward, member: Member) -> Profile:
    """The member as the twin will know them from the documents; the hour is that of the grid."""
    return Profile(
        procedure=codes.procedure_of([(SNOMED, OPERATIONS[member.operation].snomed)]) or None,
        sex=member.sex,
        bmi=member.bmi,
        surgery_end_hour_of_day=float(member.ended_at[0]),
    )


def _on_grid(hours: Floats, values: Floats) -> Floats:
    grid = np.full(LAST_HOUR - FIRST_HOUR, np.nan)
    grid[np.floor(hours).astype(int) - FIRST_HOUR] = values
    return grid


def _slowed(steps: Floats, share: float, from_hour: float) -> Floats:
    after = np.arange(len(steps)) + FIRST_HOUR >= from_hour
    return np.asarray(np.where(after, np.round(steps * share), steps))


def _silence(ward: Ward, member: Member, values: Floats) -> None:
    """No readings before the watch was given, nor after it fell silent."""
    if not member.baseline:
        values[:-FIRST_HOUR] = np.nan
    stopped = ward.stopped_at(member)
    if stopped is not None:
        values[max(0, (stopped - ward.zero(member)) // HOUR - FIRST_HOUR) :] = np.nan


def _reports(ward: Ward, member: Member, samples: Mapping[str, Samples]) -> list[Report]:
    """Every report that is sent at all, in order of sending."""
    zero, stopped = ward.zero(member), ward.stopped_at(member)
    found = []
    for key in ("pain", *DAILY):
        made = samples.get(key, NONE)
        for i in range(len(made)):
            # The generator names the middle of what a value covers; a day's total is sent when its day is over.
            at = zero + int(np.floor(made.hours[i] - made.span_hours[i] / 2)) * HOUR
            sent = at + (made.span_hours[i] > 1) * DAY
            if stopped is None or sent < stopped:
                found.append(Report(key, at, sent, float(made.values[i])))
    return sorted(found + _drawn_on_the_ward(ward, member, samples), key=lambda one: (one.sent, one.metric))


def _drawn_on_the_ward(ward: Ward, member: Member, samples: Mapping[str, Samples]) -> list[Report]:
    """Blood values from before surgery until discharge, told by the laboratory when they are done."""
    zero, stay_h = ward.zero(member), OPERATIONS[member.operation].home_after_h
    drawn = [(key, h, v) for key in DRAWN for h, v in zip(samples[key].hours, samples[key].values, strict=True)]
    at = [(key, zero + int(np.floor(h)) * HOUR, float(v)) for key, h, v in drawn if h < stay_h]
    return [Report(key, when, when + ASSAY, value) for key, when, value in at]
