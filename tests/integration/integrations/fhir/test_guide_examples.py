"""The guide's examples for senders go through the door and come back as they were sent."""

from collections.abc import Iterator
from pathlib import Path

from integrations.fhir import wire
from recovery.models import Series
from tests.integration.integrations.fhir.conftest import Door, content
from tests.unit.integrations.fhir.guide_examples import rendered

EXAMPLES = Path(__file__).resolve().parents[4] / "docs" / "fhir" / "examples"
IN_ORDER = ("Patient", "Device", "DeviceMetric", "Observation", "Provenance")


def for_senders() -> Iterator[Path]:
    concluded = rendered()
    for kind in IN_ORDER:
        yield from (path for path in sorted(EXAMPLES.glob(f"{kind}-*.json")) if path.stem not in concluded)


def test_what_the_guide_tells_senders_to_send_is_taken_and_returned(door: Door) -> None:
    for path in for_senders():
        sent = wire.parse_object(path.read_bytes())
        address = f"{sent['resourceType']}/{sent['id']}"
        assert door.put(address, path.read_bytes()).status_code == 201, path.name
        back = content(door.get(address))
        assert {**back, "meta": 0} == {**sent, "meta": 0}
        assert sent.get("meta", {}).items() <= back["meta"].items()
    assert set(Series.objects.values_list("metric", flat=True)) == {"knee_rom", "walking_speed"}


def test_a_days_set_is_taken_as_one_and_adds_nothing_when_sent_again(door: Door) -> None:
    for path in for_senders():
        door.put(f"{path.stem.partition('-')[0]}/{wire.parse_object(path.read_bytes())['id']}", path.read_bytes())
    body = (EXAMPLES / "Bundle-implant-day3.json").read_bytes()
    before = content(door.get("Observation?patient=example&_summary=count"))["total"]
    for _ in range(2):
        assert door.post("", body).status_code == 200
    assert content(door.get("Observation?patient=example&_summary=count"))["total"] == before + 2
