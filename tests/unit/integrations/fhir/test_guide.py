"""The published guide says what this server does: its codes are the product's, its examples what the views render."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from integrations.fhir import validation, wire
from integrations.fhir.conclusions import alert_codes, risk_assessment
from integrations.fhir.conclusions.detected_issue import detected_issue
from recovery.exact_json import dumps
from recovery.presenters.wording import STATES
from recovery.selectors.alerts import AlertSeen, Step
from recovery.selectors.fhir_alerts import AlertSaid
from recovery.selectors.fhir_risks import EpisodeSaid
from recovery.selectors.snapshot import read_snapshot
from recovery.twin.incidence import LABELS, OUTCOMES
from recovery.twin.metrics import IMPLANT_CODES, METRICS

GUIDE = Path(__file__).resolve().parents[4] / "docs" / "fhir"
FILES = sorted(GUIDE.rglob("*.json"))
EXAMPLES = sorted((GUIDE / "examples").glob("*.json"))
AT = datetime(2026, 1, 9, 12, tzinfo=UTC)
KEY = UUID("6a0ad0f6-6c9c-4b6f-9a1f-0b8a3f0f9b11")

CODES = {
    "implant-metric": {code.code for one in METRICS.values() for code in one.codes if code.system == IMPLANT_CODES},
    "outcome": set(OUTCOMES),
    "alert-kind": {name.replace("_", "-") for name in alert_codes.LABELS},
    "recovery-state": {name.replace("_", "-") for name in STATES},
}
# The profile that each rendered example follows; the others name theirs in meta.profile.
RENDERED = {"RiskAssessment-example.json": "recovery-risk", "DetectedIssue-example.json": "recovery-alert"}


def read(path: Path) -> Any:
    return wire.parse(path.read_bytes())


def risks() -> dict[str, Any]:
    """A synthetic episode: one estimate, one abstention."""
    reason = {"text": "respiratory rate 4 /min above own expected curve for 6 h", "direction": "raises"}
    estimate = {"outcome": "complication", "label": LABELS["complication"], "horizon_h": 168, "probability": 0.12}
    estimate |= {"low": 0.07, "high": 0.19, "reasons": [{**reason, "contribution": 1}]}
    abstained = {"outcome": "vte", "label": LABELS["vte"], "horizon_h": 72, "abstained": "no reading for 24 h"}
    content = {"risks": [estimate, abstained]}
    said = read_snapshot(content, made_at=AT, data_until=AT, model_version="example")
    return risk_assessment.risk_assessment(EpisodeSaid(1, 1, KEY, "operation", 1, "example", said))


def alert() -> dict[str, Any]:
    steps = (Step(AT, "open", "twinweb", ""), Step(AT, "acknowledged", "nurse", ""))
    seen = AlertSeen(
        key=KEY,
        version=2,
        kind="physiological",
        severity="high",
        status="acknowledged",
        headline="Several readings off their own course",
        because=("respiratory rate 6 /min above own expected curve for 5 h",),
        suggestions=(),
        raised_at=AT,
        last_hit_at=AT,
        hits=1,
        snoozed_until=None,
        resolved_at=None,
        outcome="",
        owner="nurse",
        steps=steps,
    )
    return detected_issue(AlertSaid(1, 2, AT, KEY, "operation", 1, "example", seen))


def test_the_rendered_examples_are_what_the_views_render() -> None:
    for name, resource in (("RiskAssessment", risks()), ("DetectedIssue", alert())):
        assert read(GUIDE / "examples" / f"{name}-example.json") == wire.parse(dumps(resource).encode())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_file_of_the_guide_is_valid_r4(path: Path) -> None:
    assert path.name.startswith(validation.check(read(path)))


@pytest.mark.parametrize("name", CODES)
def test_a_code_system_has_just_the_codes_in_use(name: str) -> None:
    system = read(GUIDE / f"CodeSystem-{name}.json")
    assert {one["code"] for one in system["concept"]} == CODES[name] and system["count"] == len(CODES[name])


def test_the_urls_in_the_guide_are_those_on_the_wire() -> None:
    urls = {read(path)["url"] for path in GUIDE.glob("*.json")}
    assert {risk_assessment.INTERVAL, risk_assessment.OUTCOMES, alert_codes.ALERT_KINDS, IMPLANT_CODES} <= urls


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_an_example_keeps_to_its_profile(path: Path) -> None:
    resource = read(path)
    claimed = [url.rpartition("/")[2] for url in resource.get("meta", {}).get("profile", ())]
    for name in [*claimed, *([RENDERED[path.name]] if path.name in RENDERED else [])]:
        assert breaches(resource, read(GUIDE / f"StructureDefinition-{name}.json")) == []


def test_a_resource_without_what_its_profile_asks_for_is_seen() -> None:
    profile = read(GUIDE / "StructureDefinition-smart-implant.json")
    assert breaches({"resourceType": "Device"}, profile) == ["Device.udiCarrier", "Device.type", "Device.patient"]


def breaches(resource: dict[str, Any], profile: dict[str, Any]) -> list[str]:
    """Elements of the differential (min, max, fixed and pattern codes, types of a choice) that are not as asked."""
    wrong = []
    for element in profile["differential"]["element"]:
        steps = element["path"].split(".")[1:]
        for holder in holders(resource, steps[:-1]):
            values = values_of(holder, steps[-1], element.get("type", ()))
            few, many = element.get("min", 0), element.get("max", "*")
            pattern = element.get("patternCode", element.get("fixedUri"))
            if len(values) < few or (many != "*" and len(values) > int(many)):
                wrong.append(element["path"])
            elif pattern is not None and values != [pattern]:
                wrong.append(element["path"])
    return wrong


def holders(value: Any, steps: list[str]) -> list[Any]:
    found = [value]
    for step in steps:
        found = [child for one in found for child in values_of(one, step, ())]
    return found


def values_of(holder: dict[str, Any], step: str, types: Any) -> list[Any]:
    names = [step]
    if step.endswith("[x]"):
        bare = step.removesuffix("[x]")
        names = [name for name in holder if name.startswith(bare)]
        if types:
            names = [bare + one["code"][0].upper() + one["code"][1:] for one in types]
    found = [holder[name] for name in names if name in holder]
    return [item for one in found for item in (one if isinstance(one, list) else [one])]


if __name__ == "__main__":
    for kind, example in (("RiskAssessment", risks()), ("DetectedIssue", alert())):
        text = json.dumps(json.loads(dumps(example)), indent=2, ensure_ascii=False) + "\n"
        (GUIDE / "examples" / f"{kind}-example.json").write_text(text, encoding="utf-8")
