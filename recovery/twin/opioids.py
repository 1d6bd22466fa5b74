"""Off opioids: when a person who takes opioids after an operation is expected to take none, as a distribution.

Known are the times for which orders, statements and administrations speak. While one speaks, the time to the end is the
published one, given that it has not come yet; an order with an end is mostly the end. Without any, nothing is said.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, inf, log

import numpy as np

from recovery.twin.milestones import OFF_OPIOIDS, Arrival, day_of_share

_HALF_DAYS, _TENTH_DAYS, _TENTH = (25.0 + 32.0) / 2.0, 90.0, 0.095
"""Hah 2018 (JAMA Surg 153:303): median to cessation 25 and 32 days in the two arms; Hah 2020 (J Pain Res 13:2959), same
410 people: 9.5 % still took opioids after 3 months [V]. The two points fix a Weibull law [D]."""
SHAPE = log(log(1.0 / _TENTH) / log(2.0)) / log(_TENTH_DAYS / _HALF_DAYS)
SCALE_DAYS = _HALF_DAYS / log(2.0) ** (1.0 / SHAPE)
BEFORE_RATIO = 0.60
"""Hazard ratio of cessation for those who took opioids before the operation (Hah 2020) [V]."""
REFILLED = 0.191
"""Share of first prescriptions after common operations that were filled again (Scully 2018, JAMA Surg 153:37; 215,140
people) [V]: so often an order's end is not the end."""
BEFORE_HOURS = -24.0
"""Begun earlier than a day before the end of surgery, it is no premedication."""

_NAMES = re.compile(
    r"morph(?:in|on)|cod(?:ein|on)|tramadol|tapentadol|fentan[iy]l|buprenorphin|methadon|piritramid|pethidin|meperidin"
    r"|tilidin|nalbuphin|pentazocin|meptazinol|butorphanol|levorphanol|opium|dipidolor|diamorphin|nicomorphin"
)
ATC_OPIOIDS = "N02A"
OPIOID = "opioid"
"""Key of the finding that a drug document makes; its code: id of the Medication that alone says which drug it is, blank
where the document says so itself."""


def is_opioid(words: str) -> bool:
    """By the name of the substance, as English and German lists write it. Apomorphine is none."""
    said = words.casefold()
    return bool(_NAMES.search(said)) and "apomorph" not in said


@dataclass(frozen=True, slots=True)
class OpioidUse:
    """One document speaks for an opioid from one hour after surgery end to another (inf: it names no end). is_planned:
    the end is that of an order or statement, not of a dose's own time."""

    from_hour: float
    until_hour: float
    is_planned: bool = False


def off_opioids(uses: Sequence[OpioidUse], hour: float, horizon_days: int) -> Arrival | None:
    """Seen from the whole day that begins at or after `hour`; None where nothing is known of opioids after surgery.

    Who takes none now has arrived: the drug module counts a drug as given until 48 h after its last dose.
    """
    known = [one for one in uses if one.until_hour > 0.0 and one.from_hour <= hour]
    if not known:
        return None
    first = int(np.ceil(hour / 24.0))
    days = np.asarray(np.arange(first, max(horizon_days, first) + 1), float)
    now = [one for one in known if one.until_hour > hour]
    by_day = np.array([_off_by(24.0 * day + 12.0, hour, known, now) for day in days])
    early, median, late = (day_of_share(by_day, days, share) for share in (0.1, 0.5, 0.9))
    return Arrival(OFF_OPIOIDS.key, first, by_day, early, median, late, 0.0, "personal", False, "")


def _off_by(at: float, hour: float, known: Sequence[OpioidUse], now: Sequence[OpioidUse]) -> float:
    """P(off by the hour `at`), given what speaks `now`."""
    if not now:
        return 1.0
    ratio = BEFORE_RATIO if any(one.from_hour < BEFORE_HOURS for one in known) else 1.0
    still = _still(at, ratio) / _still(hour, ratio)
    end = _planned_end(now)
    return 1.0 - still * (REFILLED if end is not None and at >= end else 1.0)


def _planned_end(now: Sequence[OpioidUse]) -> float | None:
    """Where every document that speaks now has an end, and an order or statement names the last one of them."""
    if any(one.until_hour == inf for one in now):
        return None
    return max((one.until_hour for one in now if one.is_planned), default=None)


def _still(hour: float, ratio: float) -> float:
    """Share that still takes opioids at an hour after surgery."""
    return exp(-ratio * (max(hour, 0.0) / 24.0 / SCALE_DAYS) ** SHAPE)
