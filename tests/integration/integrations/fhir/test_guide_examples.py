"""The guide's examples for senders go through the door and come back as they were sent."""

from pathlib import Path

from integrations.fhir import wire
from recovery.models import Series
from tests.integration.integrations.fhir.conftest import Door, content

EXAMPLES = Path(__file__).resolve().parents[4] / "docs" / "fhir" / "examples"
IN_ORDER = ("Patient", "Device", "DeviceMetric", "Observation", "Provenance")


def test_what_the_guide_tells_senders_to_send_is_taken_and_returned(door: Door) -> None:
    for kind in IN_ORDER:
        for path in sorted(EXAMPLES.glob(f"{kind}-*.json")):
            sent = wire.parse_object(path.read_bytes())
            address = f"{kind}/{sent['id']}"
            assert door.put(address, path.read_bytes()).status_code == 201, path.name
            back = content(door.get(address))
            assert {**back, "meta": 0} == {**sent, "meta": 0}
            assert sent.get("meta", {}).items() <= back["meta"].items()
    assert set(Series.objects.values_list("metric", flat=True)) == {"knee_rom", "walking_speed"}
