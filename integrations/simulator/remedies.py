"""What the demo's patients are given for pain, and who of them fell: synthetic, to colour the charts.

Drugs and doses are ordinary for the operation (general knowledge); nothing is advised by them.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from integrations.simulator.cast import OPERATIONS, Member
from integrations.simulator.resources import written
from integrations.simulator.ward import Ward
from recovery.twin.profile import SNOMED

Json = dict[str, Any]

# Hours from the end of surgery to the end of the order.
OPIOID_HOURS, PARACETAMOL_HOURS = 72, 240
FELL = {"demo-03": 62.0, "demo-15": 118.0}  # member -> hours after surgery


def remedies(ward: Ward, member: Member) -> Iterator[tuple[datetime, Json]]:
    """(when it was written, resource): a weak painkiller for ten days, after a large operation an opioid for three,
    halved on the second day."""
    end = ward.surgery_end(member)
    yield end, _order(member, "paracetamol", "Paracetamol", 1000, end, PARACETAMOL_HOURS)
    if OPERATIONS[member.operation].home_after_h >= 48:
        halved = end + timedelta(hours=36)
        yield end, _order(member, "oxycodone", "Oxycodone", 10, end, 36)
        yield halved, _order(member, "oxycodone-less", "Oxycodone", 5, halved, OPIOID_HOURS - 36)
    if member.key in FELL:
        at = end + timedelta(hours=FELL[member.key])
        yield at + timedelta(minutes=40), _fall(member, at)


def _order(member: Member, suffix: str, drug: str, milligrams: int, start: datetime, hours: int) -> Json:
    bounds = {"start": written(start), "end": written(start + timedelta(hours=hours))}
    dose = {"value": milligrams, "unit": "mg", "system": "http://unitsofmeasure.org", "code": "mg"}
    return {
        "resourceType": "MedicationRequest",
        "id": f"{member.key}-{suffix}",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": {"text": drug},
        "subject": {"reference": f"Patient/{member.key}"},
        "authoredOn": written(start),
        "dosageInstruction": [
            {"timing": {"repeat": {"boundsPeriod": bounds}}, "doseAndRate": [{"doseQuantity": dose}]}
        ],
    }


def _fall(member: Member, at: datetime) -> Json:
    return {
        "resourceType": "AdverseEvent",
        "id": f"{member.key}-fall",
        "actuality": "actual",
        "event": {"coding": [{"system": SNOMED, "code": "217082002", "display": "Accidental fall"}]},
        "subject": {"reference": f"Patient/{member.key}"},
        "date": written(at),
    }
