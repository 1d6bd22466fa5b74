"""JSON Patch does what RFC 6902 says, and what does not fit changes nothing."""

from typing import Any

import pytest

from integrations.fhir import patch, wire
from integrations.fhir.outcomes import FhirError
from recovery.exact_json import dumps


def op(name: str, path: str, **more: Any) -> dict[str, Any]:
    return {"op": name, "path": path, **more}


@pytest.mark.parametrize(
    ("operation", "wanted"),
    [
        (op("add", "/c", value=1), {"a": [1, 2], "b": {"x/y": 3}, "c": 1}),
        (op("add", "/a/1", value=9), {"a": [1, 9, 2], "b": {"x/y": 3}}),
        (op("add", "/a/-", value=9), {"a": [1, 2, 9], "b": {"x/y": 3}}),
        (op("remove", "/a/0"), {"a": [2], "b": {"x/y": 3}}),
        (op("remove", "/b/x~1y"), {"a": [1, 2], "b": {}}),
        (op("replace", "/a/0", value=None), {"a": [None, 2], "b": {"x/y": 3}}),
        (op("move", "/c", **{"from": "/a"}), {"b": {"x/y": 3}, "c": [1, 2]}),
        (op("copy", "/c", **{"from": "/a/1"}), {"a": [1, 2], "b": {"x/y": 3}, "c": 2}),
        (op("test", "/a", value=[1, 2]), {"a": [1, 2], "b": {"x/y": 3}}),
    ],
)
def test_each_operation(operation: dict[str, Any], wanted: object) -> None:
    before = {"a": [1, 2], "b": {"x/y": 3}}
    assert patch.apply(before, [operation]) == wanted
    assert before == {"a": [1, 2], "b": {"x/y": 3}}


@pytest.mark.parametrize(
    ("operations", "status"),
    [
        ([op("remove", "/none")], 422),
        ([op("replace", "/a/2", value=1)], 422),
        ([op("add", "/a/01", value=1)], 422),
        ([op("add", "/a/4", value=1)], 422),
        ([op("add", "/none/x", value=1)], 422),
        ([op("test", "/a/0", value=True)], 422),
        ([op("test", "/a", value=[1])], 422),
        ([op("remove", "")], 422),
        ([op("replace", "", value=[])], 422),
        ([op("move", "/b/z", **{"from": "/b"})], 422),
        ([op("add", "/c")], 400),
        ([op("delete", "/a")], 400),
        ([op("add", "a", value=1)], 400),
        ([op("add", "/a~2", value=1)], 400),
        ([op("copy", "/c")], 400),
        ([1], 400),
        ([], 400),
        ({}, 400),
        ([op("test", "/a/0", value=1)] * 501, 413),
        ([op("copy", f"/b/{n}", **{"from": "/b"}) for n in range(30)], 413),
        ([op("copy", "/b/c", **{"from": ""})] * 400, 413),
    ],
)
def test_what_does_not_fit_is_refused(operations: object, status: int) -> None:
    with pytest.raises(FhirError) as error:
        patch.apply({"a": [1, 2], "b": {"x": 3}}, operations)
    assert error.value.status == status


def test_decimals_are_compared_by_value_and_kept_as_written() -> None:
    held = wire.parse_object(b'{"v":36.90,"w":1}')
    patched = patch.apply(held, wire.parse(b'[{"op":"test","path":"/v","value":36.9},{"op":"remove","path":"/w"}]'))
    assert dumps(patched) == '{"v":36.90}'


def test_a_merge_replaces_removes_and_goes_into_objects() -> None:
    """The example of RFC 7396 section 3, as far as FHIR has its shapes."""
    held = {"title": "a", "author": {"givenName": "John", "familyName": "Doe"}, "tags": ["x", "y"], "content": "c"}
    changes = {"title": "b", "phoneNumber": "+01", "author": {"familyName": None}, "tags": ["x"]}
    wanted = {"title": "b", "author": {"givenName": "John"}, "tags": ["x"], "content": "c", "phoneNumber": "+01"}
    assert patch.apply(held, patch.of_merge(changes)) == wanted
    assert held["author"] == {"givenName": "John", "familyName": "Doe"}
    for body in ([], {}, "x", None):
        with pytest.raises(FhirError):
            patch.of_merge(body)
