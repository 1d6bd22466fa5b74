"""No input gives a 500, stores anything, or leaves the sender guessing: each refusal names the element."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps

from tests.integration.integrations.fhir.conftest import Door, content
from tests.unit.integrations.fhir.observations import UCUM, heart_rate, sampled

Case = tuple[str, str, str | bytes, str]  # name, method and path, body, part of an expression or of the diagnostics


def _observation(title: str, where: str, **changes: Any) -> Case:
    return title, "POST Observation", json.dumps(heart_rate(**changes)), where


def _patient(title: str, where: str, **elements: Any) -> Case:
    return title, "POST Patient", json.dumps({"resourceType": "Patient", **elements}), where


def _raw(name: str, body: str | bytes, where: str = "") -> Case:
    return name, "POST Observation", body, where


def not_json() -> Iterator[Case]:
    whole = json.dumps(heart_rate())
    for cut in range(1, len(whole), 29):
        yield _raw(f"truncated at {cut}", whole[:cut])
    for name, body in {
        "empty": "",
        "null": "null",
        "list": "[]",
        "string": '"x"',
        "number": "42",
        "two values": "{} {}",
        "single quotes": "{'resourceType': 'Observation'}",
        "comment": '{"resourceType": "Observation" /* no */}',
        "trailing comma": '{"resourceType": "Observation",}',
        "not utf-8": b'{"resourceType": "Observation", "status": "\xff"}',
        "utf-16": json.dumps(heart_rate()).encode("utf-16"),
        "byte order mark": b"\xef\xbb\xbf" + whole.encode(),
        "control character": '{"resourceType": "Observation\n"}',
        "deep lists": "[" * 100_000,
        "deep objects": '{"a":' * 50_000 + "1" + "}" * 50_000,
        "xml": "<Observation/>",
        "form": "resourceType=Observation",
        "same name twice": '{"resourceType": "Observation", "status": "final", "status": "amended"}',
    }.items():
        yield _raw(name, body)


def numbers() -> Iterator[Case]:
    whole = json.dumps(heart_rate())
    for said in (
        "NaN",
        "Infinity",
        "-Infinity",
        "1e400",
        "-1e400",
        "1e-400",
        "01",
        "1.",
        ".5",
        "+1",
        "0x10",
        "1_000",
        "9" * 5000,
    ):
        yield _raw(f"value {said[:12]}", whole.replace('"value": 72', f'"value": {said}'))
    for said in ('"72"', "true", "null", "[72]", "{}", '""'):
        yield _raw(f"value is {said}", whole.replace('"value": 72', f'"value": {said}'), "valueQuantity")
    for said in (2**31, -(2**31) - 1, 1.5, "6", True):
        yield _observation(f"valueInteger {said}", "valueInteger", valueQuantity=None, valueInteger=said)


def wrong_kinds() -> Iterator[Case]:
    for element in (
        "status",
        "category",
        "code",
        "subject",
        "device",
        "effectiveDateTime",
        "issued",
        "identifier",
        "valueQuantity",
    ):
        for name, wrong in {
            "number": 5,
            "empty string": "",
            "empty list": [],
            "empty object": {},
            "list of null": [None],
        }.items():
            yield _observation(f"{element} is a {name}", element, **{element: wrong})
    yield _observation("status is null", "status", **{"status": [None]})
    for element in ("id", "meta", "language", "text", "contained", "extension", "note", "component"):
        yield _observation(f"{element} is a number", element, **{element: 5})


def codes() -> Iterator[Case]:
    for status in ("finished", "FINAL", "final ", "+", "done"):
        yield _observation(f"status {status!r}", "Observation.status", status=status)
    yield _observation("comparator", "comparator", valueQuantity={"value": 1, "comparator": "="})
    yield _observation("identifier use", "use", identifier=[{"use": "mine", "value": "1"}])
    yield _patient("gender", "Patient.gender", gender="x")
    yield _patient("name use", "use", name=[{"use": "stage", "family": "A"}])
    yield _patient("telecom system", "system", telecom=[{"system": "pigeon", "value": "1"}])
    yield (
        "encounter status",
        "POST Encounter",
        json.dumps({"resourceType": "Encounter", "status": "over", "class": {"code": "IMP"}}),
        "Encounter.status",
    )
    clinical = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "bad"}]}
    condition = {"resourceType": "Condition", "subject": {"reference": "Patient/p1"}, "clinicalStatus": clinical}
    yield "clinical status", "POST Condition", json.dumps(condition), "Condition.clinicalStatus"


def dates() -> Iterator[Case]:
    for said in (
        "yesterday",
        "2026-13",
        "2026-02-30",
        "2026-1-5",
        "20260105",
        "2026-01-05T08:00",
        "2026-01-05T08:00:00",
        "2026-01-05T24:00:00Z",
        "2026-01-05T08:60:00Z",
        "2026-01-05T08:00:61Z",
        "2026-01-05 08:00:00Z",
        "2026-01-05T08:00:00+15:00",
        "2026-01-05T08:00:00z",
        "0000-01-01",
        "26-01-05",
        "2026-W01-1",
        "٢٠٢٦-01-05",
        "2026-01-05T08:00:00.Z",
        " 2026-01-05",
    ):
        yield _observation(f"effective {said}", "effectiveDateTime", effectiveDateTime=said)
    for said in ("2026-01-05", "2026", "now"):
        yield _observation(f"issued {said}", "Observation.issued", issued=said)
    yield _patient("birth date with a time", "birthDate", birthDate="1980-01-01T00:00:00Z")
    yield _patient("birth date", "birthDate", birthDate="1980-02-31")
    turned = {"start": "2026-01-06T00:00:00Z", "end": "2026-01-05T00:00:00Z"}
    yield _observation(
        "period that ends before it starts", "effectivePeriod", effectiveDateTime=None, effectivePeriod=turned
    )
    yield _observation("two times", "effective", effectivePeriod={"start": "2026-01-05"})


def references() -> Iterator[Case]:
    for said in (
        "Patient",
        "p1",
        "Patient/",
        "Patient/p 1",
        "Patient/" + "x" * 65,
        "/Patient/p1",
        "patient/p1",
        "Patient/p1/_history/",
        "?x",
    ):
        yield _observation(f"subject {said[:20]}", "subject", subject={"reference": said})
    for said in ("Medication/1", "Practitioner/1", "Foo/1", "http://x.example/fhir/Medication/1"):
        yield _observation(f"subject is {said}", "subject", subject={"reference": said})
    yield _observation("device is a patient", "device", device={"reference": "Patient/p1"})
    yield _observation("unknown patient", "subject", subject={"reference": "Patient/nobody"})
    yield _observation("contained that is not there", "device", device={"reference": "#d"})
    yield _observation(
        "contained with contained", "contained", contained=[{"resourceType": "Patient", "contained": [], "id": "c"}]
    )
    yield _observation("contained of no type", "contained", contained=[{"id": "c"}])
    yield (
        "procedure of a device",
        "POST Procedure",
        json.dumps({"resourceType": "Procedure", "status": "completed", "subject": {"reference": "Device/d1"}}),
        "subject",
    )


def structure() -> Iterator[Case]:
    yield _observation("unknown element", "colour", colour="red")
    yield _observation("R5 element triggeredBy", "triggeredBy", triggeredBy=[{"type": "reflex"}])
    yield _observation("R5 element instantiatesCanonical", "instantiatesCanonical", instantiatesCanonical="urn:x")
    yield _observation("R5 element bodyStructure", "bodyStructure", bodyStructure={"reference": "BodyStructure/1"})
    yield _observation("R5 value", "valueAttachment", valueQuantity=None, valueAttachment={"url": "http://x.example"})
    yield _observation(
        "R5 value reference", "valueReference", valueQuantity=None, valueReference={"reference": "Patient/p1"}
    )
    yield _observation(
        "R4B extension value",
        "valueRatioRange",
        extension=[{"url": "urn:x", "valueRatioRange": {"denominator": {"value": 1}}}],
    )
    yield _observation("two values", "value", valueString="72")
    yield _observation("no status", "status", status=None)
    yield _observation("no code", "code", code=None)
    yield _observation("absent and present", "dataAbsentReason", dataAbsentReason={"text": "off"})
    yield _observation("extension without url", "url", extension=[{"valueString": "x"}])
    yield _observation("quantity of unknown parts", "amount", valueQuantity={"value": 1, "amount": 2})
    yield _observation("unit is a number", "unit", valueQuantity={"value": 1, "unit": 5})
    yield _observation("unit code with space", "code", valueQuantity={"value": 1, "system": UCUM, "code": " /min"})
    yield _observation("id too long", "id", id="x" * 65)
    yield _observation("id with space", "id", id="a b")
    yield _observation("nested too deep", "", extension=_deep(80))
    yield _observation("control character", "text", code={"text": "a\u0001b"})
    yield _observation("half a character", "", code={"text": "\ud800"})
    yield _observation(
        "component says the same code", "component", component=[{"code": heart_rate()["code"], "valueInteger": 1}]
    )
    yield _patient("active is text", "Patient.active", active="true")
    yield _patient("multiple births", "multipleBirth", multipleBirthInteger=2, multipleBirthBoolean=True)
    for name, div in {
        "script": "<script>x()</script>",
        "event": '<p onclick="x()">a</p>',
        "frame": '<iframe src="http://x.example"/>',
        "javascript link": '<a href="java&#10;script:x()">a</a>',
        "style url": '<p style="background: url(http://x.example)">a</p>',
        "form": "<form>a</form>",
    }.items():
        text = {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{div}</div>'}
        yield _patient(f"narrative with {name}", "Patient.text.div", text=text)
    yield _patient("narrative not closed", "Patient.text.div", text={"status": "generated", "div": "<div>"})
    entity = '<!DOCTYPE div [<!ENTITY a "b">]><div xmlns="http://www.w3.org/1999/xhtml">&a;</div>'
    yield _patient("narrative with entities", "Patient.text.div", text={"status": "generated", "div": entity})


def _deep(levels: int) -> list[Any]:
    inner: list[Any] = [{"url": "urn:x", "valueBoolean": True}]
    for _ in range(levels):
        inner = [{"url": "urn:x", "extension": inner}]
    return inner


def sampled_data() -> Iterator[Case]:
    base = sampled()["valueSampledData"]
    for name, change in {
        "no dimensions": {"dimensions": None},
        "zero dimensions": {"dimensions": 0},
        "no period": {"period": None},
        "text period": {"period": "1000"},
        "no origin": {"origin": None},
        "data is a list": {"data": [1, 2]},
        "R5 interval": {"interval": 5},
        "factor is text": {"factor": "2"},
        "period beyond all dates": {"period": 1e300},
        "data that ends beyond all dates": {"period": 10**14},
    }.items():
        value = {key: said for key, said in {**base, **change}.items() if said is not None}
        yield "sampled " + name, "POST Observation", json.dumps(sampled(valueSampledData=value)), "valueSampledData"
    noted = sampled(valueSampledData={**base, "period": 1e300}, note=[{"text": "a document, not a stream"}])
    yield "sampled period beyond all dates in a document", "POST Observation", json.dumps(noted), "valueSampledData"


def wrong_places() -> Iterator[Case]:
    yield "patient at observation", "POST Observation", json.dumps({"resourceType": "Patient"}), "Patient.resourceType"
    yield "unknown type", "POST Observation", json.dumps({"resourceType": "Foo"}), "resourceType"
    yield "no type", "POST Observation", json.dumps({"status": "final"}), "resourceType"
    yield "type is a number", "POST Observation", json.dumps({"resourceType": 5}), "resourceType"
    yield "data type", "POST Observation", json.dumps({"resourceType": "HumanName"}), "resourceType"
    yield "R4B type", "POST Patient", json.dumps({"resourceType": "SubscriptionTopic"}), ""
    yield "address of no type", "POST Nonsense", json.dumps(heart_rate()), "Nonsense"
    yield "put without id", "PUT Observation/a", json.dumps(heart_rate()), "Observation.id"
    yield "put with another id", "PUT Observation/a", json.dumps(heart_rate(id="b")), "Observation.id"
    yield "put to a type", "PUT Observation", json.dumps(heart_rate(id="a")), ""
    yield "put by unknown condition", "PUT Patient?colour=red", json.dumps({"resourceType": "Patient"}), "colour"
    yield "delete of a type", "DELETE Observation", "", ""
    yield "delete by chained condition", "DELETE Observation?subject.name=x", "", "subject.name"


def bundles() -> Iterator[Case]:
    def case(name: str, where: str, **elements: Any) -> Case:
        said = {"resourceType": "Bundle", "type": "transaction", **elements}
        return "bundle " + name, "POST ", json.dumps(said), where

    def entry(**changes: Any) -> list[dict[str, Any]]:
        one = {"resource": heart_rate(), "request": {"method": "POST", "url": "Observation"}, **changes}
        return [{key: value for key, value in one.items() if value is not None}]

    yield "bundle that is an observation", "POST ", json.dumps(heart_rate()), "Bundle.resourceType"
    for kind in ("collection", "searchset", "document", "", None, 5):
        yield case(f"of type {kind}", "Bundle.type", type=kind)
    for name, wrong in {"an object": {}, "text": "x", "a number": 5}.items():
        yield case(f"whose entry is {name}", "Bundle.entry", entry=wrong)
    for wrong in (None, 5, "x", [], {}):
        yield case(f"with entry {wrong}", "Bundle.entry[0]", entry=[wrong])
    yield case("without request", "Bundle.entry[0]", entry=entry(request=None))
    yield case("without resource", "Bundle.entry[0]", entry=entry(resource=None))
    yield case("with resource 5", "Bundle.entry[0]", entry=entry(resource=5))
    for method in ("OPTIONS", "post", "", None, 5, {"a": 1}, ["POST"]):
        yield case(
            f"with method {method}", "Bundle.entry[0]", entry=entry(request={"method": method, "url": "Observation"})
        )
    for url in (
        "",
        None,
        5,
        "observation",
        "Observation/a b",
        "Observation/a/b/c",
        "http://elsewhere.example/Observation",
        "Observation/x",
        "Foo",
        "?x",
    ):
        yield case(f"with url {url}", "Bundle.entry[0]", entry=entry(request={"method": "POST", "url": url}))
    yield case("put without id", "Bundle.entry[0]", entry=entry(request={"method": "PUT", "url": "Observation"}))
    yield case("of another type", "Bundle.entry[0]", entry=entry(request={"method": "POST", "url": "Patient"}))
    yield case(
        "with bad condition",
        "Bundle.entry[0]",
        entry=entry(request={"method": "POST", "url": "Observation", "ifNoneExist": 5}),
    )
    yield case(
        "with unknown condition",
        "Bundle.entry[0]",
        entry=entry(request={"method": "POST", "url": "Observation", "ifNoneExist": "a=b"}),
    )
    yield case(
        "that fails in the second entry", "Bundle.entry[1]", entry=entry() + entry(resource=heart_rate(status="bad"))
    )
    yield case(
        "of an unknown patient",
        "Bundle.entry[0]",
        entry=entry(resource=heart_rate(subject={"reference": "Patient/none"})),
    )
    yield case(
        "with a dangling urn",
        "Bundle.entry[0]",
        entry=entry(resource=heart_rate(subject={"reference": "urn:uuid:none"})),
    )
    yield case(
        "with an unmatched search",
        "Bundle.entry[0]",
        entry=entry(resource=heart_rate(subject={"reference": "Patient?identifier=none"})),
    )
    twice = entry(resource=heart_rate(id="t"), request={"method": "PUT", "url": "Observation/t"})
    yield case("that writes one thing twice", "Bundle.entry[1]", entry=twice * 2)
    yield case(
        "with full urls that are lists",
        "Bundle.entry[0]",
        entry=entry(fullUrl=[], resource=heart_rate(subject={"reference": "urn:uuid:x"})),
    )
    yield case("of too many entries", "Bundle.entry", entry=entry() * 5001)


CASES = [
    case
    for family in (
        not_json,
        numbers,
        wrong_kinds,
        codes,
        dates,
        references,
        structure,
        sampled_data,
        wrong_places,
        bundles,
    )
    for case in family()
]


def test_there_are_at_least_two_hundred_distinct_cases() -> None:
    assert len({(method, body) for _, method, body, _ in CASES}) >= 200


def row_counts() -> dict[str, int]:
    return {model.__name__: model.objects.count() for model in apps.get_app_config("recovery").get_models()}


@pytest.mark.parametrize(("method", "body", "where"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_bad_input_is_refused_by_name_and_leaves_nothing_behind(
    door: Door, patient: str, method: str, body: str | bytes, where: str
) -> None:
    before = row_counts()
    verb, _, path = method.partition(" ")
    response = door.send(verb, path, body)
    said = content(response)
    assert 400 <= response.status_code < 500, said
    assert said["resourceType"] == "OperationOutcome" and said["issue"]
    words = " ".join(f"{issue.get('expression', '')} {issue['diagnostics']}" for issue in said["issue"])
    assert where in words and all(issue["diagnostics"] for issue in said["issue"])
    after = row_counts()
    assert {name: count for name, count in after.items() if name != "AuditEvent"} == {
        name: count for name, count in before.items() if name != "AuditEvent"
    }


def _nested(levels: int, kind: str) -> str:
    return "[" * levels + "1" + "]" * levels if kind == "list" else '{"a":' * levels + "1" + "}" * levels


@pytest.mark.parametrize("kind", ["list", "object"])
@pytest.mark.parametrize("levels", [60, 130, 260, 400, 600, 800, 900, 950, 990])
def test_no_depth_is_answered_with_a_500(door: Door, patient: str, levels: int, kind: str) -> None:
    deep = _nested(levels, kind)
    resource = json.dumps(heart_rate(subject={"reference": "urn:uuid:x"}))[:-1] + f', "extension": {deep}}}'
    entry = (
        f'{{"fullUrl": "urn:uuid:x", "resource": {resource}, "request": {{"method": "POST", "url": "Observation"}}}}'
    )
    value = f'[{{"op": "add", "path": "/extension", "value": {deep}}}]'
    data = base64.b64encode(value.encode()).decode()
    binary = {"resourceType": "Binary", "contentType": "application/json-patch+json", "data": data}
    patched = json.dumps({"resource": binary, "request": {"method": "PATCH", "url": "Patient/p1"}})
    for answer in (
        door.post("Observation", resource),
        door.post("", f'{{"resourceType": "Bundle", "type": "batch", "entry": [{entry}, {patched}]}}'),
        door.send("PATCH", "Patient/p1", value, "application/json-patch+json"),
        door.post("Observation/$validate", resource),
    ):
        assert answer.status_code < 500, answer.content
        assert b"exception" not in answer.content
