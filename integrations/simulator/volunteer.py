"""One real record on the demo ward: a healthy volunteer of LifeSnaps, so that real days can be looked at too.

No patient and no operation: day zero is an arbitrary date of the record, all its days are shifted so that day 20 begins
at the seeding, and whatever shows the person says so. The values are the published ones, to the digit.
Source and licence: integrations/wearables/lifesnaps/SOURCE.txt.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path

from integrations.fhir import codes
from integrations.simulator.cast import WARD_B
from integrations.simulator.resources import Json, written
from integrations.simulator.ward import DAY, Ward
from integrations.wearables import lifesnaps
from integrations.wearables.lifesnaps.mapping import resources
from recovery.twin.profile import SNOMED

SAMPLE = Path(lifesnaps.__file__).with_name("sample.csv")
TEAM = WARD_B
NAME = "Healthy volunteer (real wearable data, no operation)"
NO_OPERATION = "No operation: healthy volunteer, day zero is an arbitrary date"
# Days from the record's first reading to day zero: what the twin takes for the own baseline.
ZERO_DAY = 28
SHOWN_DAY = 20


@dataclass(frozen=True, slots=True)
class Sent:
    """One resource and when it is sent."""

    at: datetime
    resource: Json


def key() -> str:
    """The volunteer's Patient id."""
    return str(_record()[0]["id"])


def zero(ward: Ward) -> datetime:
    """Day zero: so long before the seeding that a day of the record has just ended then."""
    return ward.anchor - SHOWN_DAY * DAY


def sent_between(ward: Ward, begin: datetime, end: datetime) -> list[Json]:
    """What is sent of the volunteer in begin <= t < end, in its order."""
    return [one.resource for one in _story(ward) if begin <= one.at < end]


def first_sent(ward: Ward) -> datetime:
    return _story(ward)[0].at


@lru_cache(maxsize=4)
def _story(ward: Ward) -> tuple[Sent, ...]:
    met = zero(ward) - ZERO_DAY * DAY
    readings = sorted(_readings(ward), key=lambda one: one.at)
    people = [Sent(met, one) for one in _record() if one["resourceType"] == "Device"]
    return (Sent(met, _patient()), *people, Sent(met, _procedure(ward)), *readings)


def _readings(ward: Ward) -> Iterator[Sent]:
    """Each day's values, shifted; the id follows the shifted day, so that it names one reading of this ward."""
    record = [one for one in _record() if one["resourceType"] == "Observation"]
    shift = zero(ward) - _start(record[0]) - ZERO_DAY * DAY
    for one in record:
        start = _start(one) + shift
        period = {"start": written(start), "end": written(start + DAY)}
        kind = one["id"].rpartition("-")[0]
        shifted = one | {"id": f"{kind}-{start:%Y%m%d}", "effectivePeriod": period}
        # A day's values are sent in its last second, so that they are there when it is over.
        yield Sent(start + DAY - timedelta(seconds=1), shifted)


def _start(observation: Json) -> datetime:
    return datetime.fromisoformat(observation["effectivePeriod"]["start"])


@lru_cache(maxsize=1)
def _record() -> tuple[Json, ...]:
    return tuple(resources(SAMPLE))


def _patient() -> Json:
    """Unnamed in the data, and so named for what it is."""
    return _record()[0] | {"name": [{"text": NAME}]}


def _procedure(ward: Ward) -> Json:
    """What gives the record a day zero. Filed as an operation because only operations begin an episode."""
    surgical = {"system": SNOMED, "code": codes.SURGICAL_PROCEDURE[1], "display": "Surgical procedure"}
    return {
        "resourceType": "Procedure",
        "id": f"{key()}-day-zero",
        "status": "completed",
        "category": {"coding": [surgical]},
        "code": {"text": NO_OPERATION},
        "subject": {"reference": f"Patient/{key()}"},
        "performedPeriod": {"start": written(zero(ward) - timedelta(hours=1)), "end": written(zero(ward))},
        "note": [{"text": f"{NO_OPERATION}. The record is shown because its readings are real."}],
    }
