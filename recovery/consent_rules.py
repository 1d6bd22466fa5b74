"""What a patient can allow and withdraw: purposes, types of data, and what holds before they have said anything.

The legal ground of care is care itself, so it holds until withdrawn; improving the service of the own hospital
likewise, as the patient is told and can say no; research holds only once the patient has said yes (ADR of consents).
"""

from collections.abc import Mapping

from recovery.twin.metrics import METRICS

CARE, IMPROVEMENT, RESEARCH = "care", "improvement", "research"
ACTIVITY, VITALS, IMPLANT, ANSWERS, RECORDS = "activity", "vitals", "implant", "answers", "records"
PURPOSES = (CARE, IMPROVEMENT, RESEARCH)
DATA_TYPES = (ACTIVITY, VITALS, IMPLANT, ANSWERS, RECORDS)
ALLOWED_AT_FIRST: Mapping[str, bool] = {CARE: True, IMPROVEMENT: True, RESEARCH: False}
# Without the operation and its blood values on record nobody can be cared for.
NOT_SWITCHABLE = frozenset({(CARE, RECORDS)})

_IMPLANT_ONLY = ("qualified_steps", "knee_rom", "contact_force", "implant_temperature", "relative_implant_load")
_ANSWERED = ("pain", "qor15")
_FAMILIES = {"vital": VITALS, "activity": ACTIVITY, "gait": ACTIVITY, "laboratory": RECORDS}


def type_of_metric(metric: str) -> str:
    """The type of data that a metric of the twin is, from whatever device."""
    if metric in _IMPLANT_ONLY:
        return IMPLANT
    return ANSWERS if metric in _ANSWERED else _FAMILIES[METRICS[metric].family]


METRICS_OF: Mapping[str, tuple[str, ...]] = {
    kind: tuple(key for key in METRICS if type_of_metric(key) == kind) for kind in DATA_TYPES
}
