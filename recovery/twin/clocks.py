"""Clocks of devices: when a reading's own time cannot be right."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from recovery.twin.source import Source
from recovery.twin.transform import Floats

AHEAD_H = 5.0 / 60.0
"""A reading dated further ahead of the clock than this is held out until its time has come."""
AHEAD_SOURCE = Source(
    "G",
    "Five minutes: the difference that systems which must agree on the time bear with by custom (RFC 4120 names it for"
    " Kerberos); a phone or a device set by a network strays by seconds, so that more is a wrong clock or time zone."
    " Less than the hour in which the twin counts, so that waiting changes no number",
)
MS_AN_HOUR = 3_600_000
AHEAD_MS = round(AHEAD_H * MS_AN_HOUR)


def hours_ahead(at_ms: float, now_ms: float) -> float:
    """How far ahead of the clock a reading is dated, in hours; 0 within what clocks may differ."""
    ahead = (at_ms - now_ms) / MS_AN_HOUR
    return ahead if at_ms - now_ms > AHEAD_MS else 0.0


LEAST_DELIVERIES, MOST_DELIVERIES = 5, 12
"""How many of the newest deliveries are asked; four in five must come before their time. A reading cannot arrive before
it was taken, so one such delivery is a fault already, and five are a habit; three honest ones of twelve and the clock
counts as mended [G: this project's choice]."""
AHEAD_SHARE = 0.8
TROUGH_HOUR, TROUGH_SD = 3.5, 1.5
"""Local time at which the harmonic of a day of pulse or steps is lowest, and how people differ in it: mid-sleep on
workdays and free days between 3 and 4.5, SD about 1.4 h (Munich Chronotype Questionnaire, Roenneberg 2007) [G]."""
PHASE_OFF_H = 4.0 * TROUGH_SD
"""Off by more than four standard deviations is the clock, or a time zone, not the person [D: 6 in 100,000]."""
LEAST_DAYS, DAY_HOURS = 4, 18
SAME_PHASE, LEAST_SHAPE = 0.7, 0.4
"""Days must agree in their phase (mean resultant length) and the mean day must look like day and night (share of its
variance in one harmonic): who has no rhythm, as in the first days after a large operation, is not judged. With these
no week of 296 of two healthy people's real step counts is called shifted; 12 h put in are found in 41 % of the weeks,
8 h in 43 % of the one who keeps usual hours and in none of the early riser's [M: NightSignal sample]."""


def ahead_by(newest_lags_h: Sequence[float]) -> float | None:
    """Hours by which a clock is ahead, from how long after its own newest reading each delivery came (oldest first;
    negative: before). None where deliveries do not say so."""
    lags = np.asarray(newest_lags_h[-MOST_DELIVERIES:], float)
    if len(lags) < LEAST_DELIVERIES:
        return None
    early = lags < -AHEAD_H
    return float(-np.median(lags[early])) if early.mean() >= AHEAD_SHARE else None


def phase_off(clock_hours: ArrayLike, values: ArrayLike) -> float | None:
    """Hours by which day and night come later (positive) or earlier than anybody's, beyond PHASE_OFF_H; else None.

    clock_hours (n,): local hours since any midnight, by the device's clock, of hourly values (n,) of pulse or steps.
    """
    hours, found = np.asarray(clock_hours, float), np.asarray(values, float)
    days = [_harmonic(hours[here], found[here]) for here in _whole_days(hours)]
    if len(days) < LEAST_DAYS:
        return None
    turns = np.array([one / abs(one) for one in days if abs(one) > 0.0])
    if len(turns) < LEAST_DAYS or abs(turns.mean()) < SAME_PHASE or _shape(hours, found) < LEAST_SHAPE:
        return None
    peak = np.angle(turns.mean()) * 24.0 / (2.0 * np.pi)
    off = (peak + 12.0 - TROUGH_HOUR + 12.0) % 24.0 - 12.0
    return float(off) if abs(off) > PHASE_OFF_H else None


def _whole_days(hours: Floats) -> list[NDArray[np.bool_]]:
    """One mask for each day with values in DAY_HOURS of its hours or more."""
    day = np.floor(hours / 24.0)
    masks = [day == one for one in np.unique(day)]
    return [mask for mask in masks if len(np.unique(np.floor(hours[mask]))) >= DAY_HOURS]


def _harmonic(hours: Floats, values: Floats) -> complex:
    """The first harmonic of one day; its angle is the hour of the peak."""
    return complex(((values - values.mean()) * np.exp(2j * np.pi * hours / 24.0)).mean())


def _shape(hours: Floats, values: Floats) -> float:
    """Share of the mean day's variance that lies in its first harmonic."""
    clock = np.floor(hours % 24.0).astype(int)
    n = np.bincount(clock, minlength=24)
    seen = n > 0
    mean_day = (np.bincount(clock, values, minlength=24) / np.maximum(n, 1))[seen]
    spread = float(mean_day.var())
    if spread == 0.0:
        return 0.0
    middles = np.asarray(np.flatnonzero(seen) + 0.5, float)
    return 2.0 * abs(_harmonic(middles, np.asarray(mean_day, float))) ** 2 / spread
