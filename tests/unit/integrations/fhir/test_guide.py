"""The published guide says what this server does: its codes are the product's, its examples what the views render."""

from pathlib import Path
from typing import Any

import pytest

from integrations.cds_hooks import cards
from integrations.fhir import guide, profiles, validation, wire
from integrations.fhir.capability import capability_statement
from integrations.fhir.conclusions import alert_codes, codes, risk_assessment
from integrations.fhir.operations.table import BULK, OPERATIONS, SUBSCRIPTIONS
from recovery.exact_json import dumps
from recovery.presenters.wording import STATES
from recovery.twin.incidence import OUTCOMES
from recovery.twin.metrics import IMPLANT_CODES, METRICS, QUESTIONNAIRE_CODES
from recovery.twin.milestones import ALL_MILESTONES
from tests.unit.integrations.fhir import guide_examples

GUIDE = Path(__file__).resolve().parents[4] / "docs" / "fhir"
FILES = sorted(GUIDE.rglob("*.json"))
EXAMPLES = sorted((GUIDE / "examples").glob("*.json"))
DEVIATIONS = {f"deviation-{codes.coded(key)}" for key in METRICS}

CODES = {
    "implant-metric": {code.code for one in METRICS.values() for code in one.codes if code.system == IMPLANT_CODES},
    "questionnaire-score": {
        code.code for one in METRICS.values() for code in one.codes if code.system == QUESTIONNAIRE_CODES
    },
    "outcome": set(OUTCOMES),
    "alert-kind": {name.replace("_", "-") for name in alert_codes.LABELS},
    "recovery-state": {name.replace("_", "-") for name in STATES},
    "recovery-index": {"recovery-state", "derived", *DEVIATIONS},
    "milestone": {codes.coded(key) for key in ALL_MILESTONES},
    "method": {"recovery-twin"},
    "gate-decision": {"accepted", "down-weighted", "rejected"},
    "card-override": {code for code, _ in cards.REASONS},
}


# Bulk Data and the Subscriptions backport are served as their own guides define them; the others are narrowed here.
OURS = [one for one in OPERATIONS if not one.definition.startswith((BULK, SUBSCRIPTIONS))]


def read(path: Path) -> Any:
    return wire.parse(path.read_bytes())


@pytest.mark.parametrize("name", guide_examples.rendered())
def test_a_rendered_example_is_what_the_view_renders(name: str) -> None:
    rendered = wire.parse(dumps(guide_examples.rendered()[name]).encode())
    assert read(GUIDE / "examples" / f"{name}.json") == rendered


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_file_of_the_guide_is_valid_r4(path: Path) -> None:
    assert path.name.startswith(validation.check(read(path)))


@pytest.mark.parametrize("name", CODES)
def test_a_code_system_has_just_the_codes_in_use_and_a_value_set_of_all_of_them(name: str) -> None:
    system = read(GUIDE / f"CodeSystem-{name}.json")
    assert {one["code"] for one in system["concept"]} == CODES[name] and system["count"] == len(CODES[name])
    assert guide.codes_of(system["valueSet"]) == {(system["url"], code) for code in CODES[name]}


def test_the_urls_in_the_guide_are_those_on_the_wire() -> None:
    used = {risk_assessment.INTERVAL, risk_assessment.OUTCOMES, alert_codes.ALERT_KINDS, IMPLANT_CODES}
    used |= {codes.METHODS, codes.RECOVERY, codes.STATES, codes.MILESTONES, cards.OVERRIDE_REASONS}
    assert used <= guide.by_url().keys()


def test_the_implementation_guide_lists_every_definition() -> None:
    listed = read(GUIDE / "ImplementationGuide-recovery-twin.json")["definition"]["resource"]
    held = {f"{one['resourceType']}/{one['id']}" for one in guide.definitions()} - {"ImplementationGuide/recovery-twin"}
    assert {one["reference"]["reference"] for one in listed} == held


@pytest.mark.parametrize("operation", OURS, ids=lambda one: one.name)
def test_every_operation_is_defined_on_what_it_is_claimed_on(operation: Any) -> None:
    said = read(GUIDE / f"OperationDefinition-{operation.name}.json")
    assert (said["code"], said["base"]) == (operation.name, operation.definition)
    assert said["resource"] == [operation.type or "Resource"]
    claimed = capability_statement("http://x/fhir", guide_examples.AT)["rest"][0]["resource"]
    assert any(operation.definition in str(one.get("operation")) for one in claimed)


def resources_in(path: Path) -> list[Any]:
    """The example, or what a Bundle holds."""
    held = read(path)
    return [one["resource"] for one in held["entry"]] if held["resourceType"] == "Bundle" else [held]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_an_example_keeps_to_the_profiles_that_it_claims(path: Path) -> None:
    for resource in resources_in(path):
        ours = profiles.claimed(resource)
        assert ours or resource["resourceType"] in ("Patient", "AuditEvent")
        for url in ours:
            assert profiles.breaches(resource, guide.profile(url) or {}) == []


def test_every_profile_has_an_example() -> None:
    shown = {url for path in EXAMPLES for one in resources_in(path) for url in profiles.claimed(one)}
    held = {one["url"] for one in guide.definitions() if one["resourceType"] == "StructureDefinition"}
    assert shown == {url for url in held if (guide.profile(url) or {})["type"] != "Extension"}


def test_every_extension_of_ours_is_used_by_an_example() -> None:
    text = "".join(path.read_text() for path in EXAMPLES)
    extensions = [one["url"] for one in guide.definitions() if one.get("type") == "Extension"]
    assert extensions and all(url in text for url in extensions)


def changed(path: str, value: Any, name: str = "Observation-recovery-index") -> dict[str, Any]:
    """A rendered example with one element replaced (None: taken away); numbers in the path are places in lists."""
    resource = wire.parse(dumps(guide_examples.rendered()[name]).encode())
    *steps, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    holder: Any = resource
    for step in steps:
        holder = holder[step]
    if value is None:
        del holder[last]
    else:
        holder[last] = value
    return resource


@pytest.mark.parametrize(
    ("path", "value", "where"),
    [
        ("subject", None, "Observation.subject"),
        ("subject.reference", "Device/x", "Observation.subject"),
        ("derivedFrom.0.reference", "Patient/x", "Observation.derivedFrom[0]"),
        ("code.coding.0.code", "derived", "Observation.code.coding[0]"),
        ("valueCodeableConcept.coding.0.code", "splendid", "Observation.valueCodeableConcept.coding[0]"),
        ("valueQuantity", {"value": 1}, "Observation.valueQuantity"),
        ("method.coding.0.version", None, "Observation.method.coding[0].version"),
        ("component.0.valueQuantity.code", "1", "Observation.component[0].valueQuantity.code"),
        ("component.0.extension.0.valueString", "x", "Observation.component[0].extension[0].value"),
        ("component.0.extension.1.extension.0", None, "Observation.component[0].extension[1].extension"),
        (
            "component.0.extension.0.extension.0",
            {"url": "now", "valueString": "x"},
            "Observation.component[0].extension[0].extension(now).value",
        ),
        (
            "component.0.extension",
            [{"url": codes.profile("expected-course"), "extension": [{"url": "now"}]}] * 2,
            "Observation.component[0].extension",
        ),
    ],
)
def test_a_breach_of_a_profile_is_seen_and_named(path: str, value: Any, where: str) -> None:
    profile = guide.profile(codes.profile("recovery-index")) or {}
    found = profiles.breaches(changed(path, value), profile)
    assert any(one.expression.startswith(where) for one in found), found


def test_a_profile_of_another_type_or_version_is_not_kept_to() -> None:
    profile = guide.profile(codes.profile("smart-implant") + "|0.1.0")
    assert profile is not None and guide.profile(codes.profile("smart-implant") + "|9") is None
    assert [one.code for one in profiles.breaches({"resourceType": "Patient"}, profile)] == ["invalid"]
    missing = [one.expression for one in profiles.breaches({"resourceType": "Device"}, profile)]
    assert missing == ["Device.udiCarrier", "Device.type", "Device.patient"]


def test_the_capability_statement_names_the_guide_and_its_profiles() -> None:
    said = capability_statement("http://x/fhir", guide_examples.AT)
    assert said["implementationGuide"] == ["https://twinweb.example/ImplementationGuide/recovery-twin"]
    supported = {one["type"]: one.get("supportedProfile", []) for one in said["rest"][0]["resource"]}
    assert codes.profile("recovery-goal") in supported["Goal"] and supported["Patient"] == []
    assert validation.check(wire.parse(dumps(said).encode())) == "CapabilityStatement"
