"""Half a character (a lone surrogate), which JSON can spell and UTF-8 cannot: refused wherever it stands."""

from typing import Any

from tests.integration.integrations.fhir.conftest import Door, content
from tests.unit.integrations.fhir.observations import heart_rate

HALF = "\ud800"
CREATE = {"method": "POST", "url": "Observation"}
ENTRIES: tuple[dict[str, Any], ...] = (
    {"resource": heart_rate(), "request": {**CREATE, "ifNoneExist": HALF}},
    {"resource": heart_rate(), "request": {**CREATE, "ifNoneExist": f"identifier={HALF}"}},
    {"resource": heart_rate(), "request": {"method": "PUT", "url": f"Observation?identifier={HALF}"}},
    {"resource": heart_rate(), "request": {"method": f"PUT{HALF}", "url": "Observation/1"}},
    {"resource": heart_rate(), "request": {"method": "PUT", "url": "Observation/1", "ifMatch": HALF}},
    {"request": {"method": "DELETE", "url": f"Observation?identifier={HALF}"}},
    {"request": {"method": "GET", "url": f"Observation?identifier={HALF}"}},
    {"request": {"method": "GET", "url": f"Patient/p1/Observation?code={HALF}"}},
    {"request": {"method": "GET", "url": f"Patient/{HALF}"}},
    {"fullUrl": f"http://a/{HALF}/Observation/1", "resource": heart_rate(), "request": CREATE},
    {"resource": heart_rate(subject={"reference": f"Patient?identifier={HALF}"}), "request": CREATE},
    {"resource": heart_rate(subject={"reference": f"urn:uuid:{HALF}"}), "request": CREATE},
    {"resource": {**heart_rate(), HALF: 1}, "request": CREATE},
    {"resource": {"resourceType": HALF}, "request": CREATE},
)


def test_half_a_character_costs_its_entry_of_a_batch_and_the_whole_transaction(door: Door, patient: str) -> None:
    for entry in ENTRIES:
        bundle = {"resourceType": "Bundle", "entry": [entry]}
        answered = door.post("", {**bundle, "type": "batch"})
        assert answered.status_code == 200, (entry, answered.content)
        response = content(answered)["entry"][0]["response"]
        assert response["status"][0] == "4" and response["outcome"]["issue"][0]["diagnostics"], entry
        refused = door.post("", {**bundle, "type": "transaction"})
        assert 400 <= refused.status_code < 500 and content(refused)["issue"][0]["diagnostics"], entry
    assert door.post("Observation", {**heart_rate(), HALF: 1}).status_code == 400
    assert content(door.get("Observation?_summary=count"))["total"] == 0
