"""Validation agrees with the official examples, and is never more lenient than the R4B models."""

import copy
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from integrations.fhir import resources, validation, wire
from integrations.fhir.outcomes import FhirError
from integrations.fhir.streams.mapping import map_observation
from tests.unit.integrations.fhir.observations import heart_rate, json_of, observation_texts, sampled

EXAMPLES = Path(__file__).resolve().parents[5] / "shared" / "data" / "fhir-r4-official-examples"
# What R4B refuses and this server takes, because R4 allows it: `_value[x]` inside an extension (fhir-bar 1.2).
R4B_FORGETS = "_value"


def examples(pattern: str = "*.json") -> list[Path]:
    found = sorted(EXAMPLES.glob(pattern))
    if not found:
        pytest.skip("the official examples are not beside this checkout")
    return found


def is_valid(resource: Any) -> bool:
    try:
        validation.check(resource)
    except FhirError:
        return False
    return True


# Official examples that are not valid R4, each with the element at fault.
WRONG_EXAMPLES = {
    "DeviceMetric-example": "DeviceMetric.parent.reference",  # R4: Reference(Device); it says DeviceDefinition
    "DeviceUseStatement-example": "DeviceUseStatement.reasonReference[0].reference",  # no Procedure among its targets
    "Observation-clinical-gender": "Observation.performer[0].reference",  # no Encounter among its targets
    "Questionnaire-qs1": "Questionnaire.item[0].item[0].linkId",  # required, and absent
}


def test_the_official_examples_are_read_all_but_the_four_that_are_wrong() -> None:
    found = {}
    for path in examples():
        try:
            validation.check(wire.parse(path.read_bytes()))
        except FhirError as error:
            found[path.stem] = error.issues[0].expression
    assert found == WRONG_EXAMPLES


def mutations(seed: int, count: int) -> Iterator[dict[str, Any]]:
    """Observations with one thing wrong somewhere (or, by luck, nothing): the other half of a differential test."""
    chance = random.Random(seed)
    wrong = [None, "", " ", 0, -1, 1.5, True, [], {}, [None], "x y", "2026-13-01", {"a": 1}, ["x"], "9" * 70, "final"]
    for _ in range(count):
        base = copy.deepcopy(
            chance.choice(
                [
                    heart_rate(issued="2026-01-05T09:00:00Z"),
                    sampled(),
                    heart_rate(
                        id="a", meta={"tag": [{"code": "c"}], "versionId": "1", "lastUpdated": "2026-01-05T09:00:00Z"}
                    ),
                ]
            )
        )
        spots = list(_spots(base))
        holder, key = chance.choice(spots)
        deed = chance.randrange(3)
        if deed == 0:
            holder[key] = chance.choice(wrong)
        elif deed == 1:
            del holder[key]
        elif isinstance(holder, dict):
            holder[chance.choice(["extra", "value", "code", "valueString", "extension", "id", "status", "period"])] = (
                chance.choice(wrong)
            )
        yield json_of(json.dumps(base))


def _spots(value: Any) -> Iterator[tuple[Any, Any]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in list(items):
        yield value, key
        yield from _spots(child)


def test_no_mutated_observation_that_r4b_refuses_is_taken_by_stream_or_document() -> None:
    taken, refused, leaks = 0, 0, []
    for observation in mutations(20260105, 4_000):
        if not isinstance(observation, dict):
            continue
        accepted = map_observation(0, observation) is not None or is_valid(observation)
        taken, refused = taken + accepted, refused + (not accepted)
        if (
            accepted
            and resources.model_errors("Observation", observation)
            and R4B_FORGETS not in json.dumps(observation, default=str)
        ):
            leaks.append(observation)
    assert leaks == []
    assert taken > 200 and refused > 1_000


@settings(max_examples=120, deadline=None)
@given(observation_texts())
def test_generated_observations_that_are_readings_are_valid_for_r4b_too(text: str) -> None:
    observation = json_of(text)
    if map_observation(0, observation) is not None and R4B_FORGETS not in text:
        assert resources.model_errors("Observation", observation) == []


def test_official_observations_that_are_readings_are_valid() -> None:
    for path in examples("Observation-*.json"):
        observation = wire.parse(path.read_bytes())
        if map_observation(0, observation) is not None:
            assert resources.model_errors("Observation", observation) == []


def test_a_primitive_extension_on_an_extensions_value_is_valid_r4() -> None:
    unknown = {
        "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}]
    }
    patient = {"resourceType": "Patient", "extension": [{"url": "urn:x", "_valueString": unknown}]}
    assert validation.check(patient) == "Patient"


def test_an_issue_names_element_and_reason() -> None:
    with pytest.raises(FhirError) as caught:
        validation.check(heart_rate(status="finished"))
    issue = caught.value.issues[0]
    assert (issue.code, issue.expression) == ("code-invalid", "Observation.status")
    assert "'finished' is not one of amended, cancelled" in issue.diagnostics


def capability(**elements: Any) -> dict[str, Any]:
    said = {"status": "active", "date": "2026-01-05", "kind": "requirements", "fhirVersion": "4.0.1"}
    rest = [{"mode": "server"}]
    return {"resourceType": "CapabilityStatement", **said, "format": ["json"], "rest": rest, **elements}


@pytest.mark.parametrize("word", ["application/fhir+json", "text/turtle; charset=utf-8", "json", "xml", "ttl"])
def test_a_format_is_any_mime_type_or_a_short_word_for_one(word: str) -> None:
    """R4 binds it to all MIME types; its short text "(xml | json | ttl | mime type)" is no list of codes."""
    assert validation.check(capability(format=[word])) == "CapabilityStatement"


@pytest.mark.parametrize("word", ["mime", "formats", "yaml", "application/", "/json", "application fhir", "a/b c/d"])
def test_a_format_that_is_no_mime_type_is_refused(word: str) -> None:
    with pytest.raises(FhirError) as caught:
        validation.check(capability(format=["application/fhir+json", word]))
    (issue,) = caught.value.issues
    assert (issue.code, issue.expression) == ("code-invalid", "CapabilityStatement.format[1]")


def test_a_format_of_patches_is_a_mime_type() -> None:
    assert is_valid(capability(patchFormat=["application/json-patch+json"]))
    assert not is_valid(capability(patchFormat=["json-patch"]))


def test_several_faults_are_told_at_once() -> None:
    with pytest.raises(FhirError) as caught:
        validation.check(heart_rate(status="finished", issued="yesterday", colour="red"))
    assert {issue.expression for issue in caught.value.issues} == {
        "Observation.status",
        "Observation.issued",
        "Observation.colour",
    }


def test_a_cached_shape_does_not_let_a_bad_value_through() -> None:
    assert map_observation(0, heart_rate()) is not None
    for value in ("72", True, None, [], {"value": 1}):
        bad = heart_rate(valueQuantity={**heart_rate()["valueQuantity"], "value": value})
        assert map_observation(0, bad) is None and not is_valid(bad)
