"""Two made-up people whose operations are ordered and who are nobody's patients yet: what enrolment begins with."""

from collections.abc import Iterator
from datetime import timedelta

from integrations.fhir import codes
from integrations.simulator.resources import NUMBERS, ORIGIN_TAG, Json, written
from integrations.simulator.ward import Ward
from recovery.twin.profile import SNOMED

# key, given, family, sex, born, operation by SNOMED CT and in words, days from the anchor
_COMING = (
    ("demo-coming-1", "Leonie", "Vandersteen", "female", "1956-09-12", "609588000", "Total knee replacement", 1.5),
    ("demo-coming-2", "Tomasz", "Wiśniewski", "male", "1971-04-30", "45595009", "Laparoscopic cholecystectomy", 2.2),
)


def ordered(ward: Ward) -> Iterator[Json]:
    """A Patient and a ServiceRequest each, as the hospital's record would announce them."""
    for key, given, family, sex, born, code, words, days in _COMING:
        yield {
            "resourceType": "Patient",
            "id": key,
            "meta": {"tag": [ORIGIN_TAG], "security": [{"system": codes.TEST_DATA[0], "code": codes.TEST_DATA[1]}]},
            "identifier": [{"system": NUMBERS, "value": key.upper()}],
            "active": True,
            "name": [{"use": "official", "family": family, "given": [given]}],
            "gender": sex,
            "birthDate": born,
        }
        yield {
            "resourceType": "ServiceRequest",
            "id": f"{key}-order",
            "status": "active",
            "intent": "order",
            "code": {"coding": [{"system": SNOMED, "code": code, "display": words}], "text": words},
            "subject": {"reference": f"Patient/{key}"},
            "occurrenceDateTime": written(ward.anchor + timedelta(days=days)),
        }
