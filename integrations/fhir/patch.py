"""JSON Patch (RFC 6902) and Merge Patch (RFC 7396) on parsed JSON: all of it or none. Decimals keep their text. Pure.

Raises FhirError 400 for what is no JSON Patch, 422 for one that does not fit the resource, or whose test fails.
"""

import re
from copy import deepcopy
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from integrations.fhir.outcomes import FhirError, refused
from recovery.exact_json import ExactDecimal

MEDIA_TYPE = "application/json-patch+json"
# The second is how fhirpy and others send a few changed elements.
MERGE_TYPES = ("application/merge-patch+json", "application/json")
MOST_OPERATIONS = 500
# Values that all copies of one patch may add: copying a copy doubles it.
MOST_COPIED = 50_000
_INDEX = re.compile(r"0|[1-9][0-9]{0,8}")
_NEEDS_VALUE, _NEEDS_FROM = ("add", "replace", "test"), ("move", "copy")
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Merge:
    """A JSON Merge Patch: elements that are there replace, null removes, objects are gone into."""

    changes: Json


def of_merge(body: Any) -> Merge:
    """Raises FhirError 400."""
    if not isinstance(body, dict) or not body:
        raise refused(400, "structure", f"A patch of {MERGE_TYPES[0]} is an object with what changes.")
    return Merge(body)


def apply(resource: Json, operations: Any) -> Json:
    """A patched copy of `resource`. `operations`: of a JSON Patch, or a Merge."""
    is_merge = isinstance(operations, Merge)
    if not is_merge and (not isinstance(operations, list) or not operations):
        raise refused(400, "structure", "A JSON Patch is a list of operations.")
    if not is_merge and len(operations) > MOST_OPERATIONS:
        raise refused(413, "too-costly", f"A patch may have {MOST_OPERATIONS} operations.")
    try:
        document = _merged(resource, operations.changes) if is_merge else _patched(deepcopy(resource), operations)
    except RecursionError as error:
        raise refused(422, "too-costly", "This patch nests values too deeply.") from error
    if not isinstance(document, dict):
        raise refused(422, "structure", "The patched resource is no longer an object.")
    return document


def _merged(held: Any, changes: Any) -> Any:
    if not isinstance(changes, dict):
        return changes
    found = dict(held) if isinstance(held, dict) else {}
    for name, value in changes.items():
        if value is None:
            found.pop(name, None)
        else:
            found[name] = _merged(found.get(name), value)
    return found


def _patched(document: Any, operations: list[Any]) -> Any:
    copied = 0
    for place, operation in enumerate(operations):
        name, path, source = _read(operation, place)
        if name == "copy":
            copied += _size(_get(document, source, place))
            if copied > MOST_COPIED:
                raise refused(413, "too-costly", "This patch copies too much.", f"operation[{place}]")
        document = _do(document, name, path, source, operation.get("value"), place)
    return document


def _read(operation: Any, place: int) -> tuple[str, list[str], list[str]]:
    where = f"operation[{place}]"
    if not isinstance(operation, dict):
        raise refused(400, "structure", f"{where} must be an object.", where)
    name = operation.get("op")
    if name not in ("remove", *_NEEDS_VALUE, *_NEEDS_FROM):
        raise refused(400, "value", f"{where}: op {str(name)[:20]!r} is not one of RFC 6902.", where)
    if name in _NEEDS_VALUE and "value" not in operation:
        raise refused(400, "required", f"{where}: {name} needs a value.", where)
    path = _steps(operation.get("path"), where)
    source = _steps(operation.get("from"), where) if name in _NEEDS_FROM else []
    if name == "move" and path[: len(source)] == source and len(path) > len(source):
        raise refused(422, "value", f"{where}: a value cannot be moved into itself.", where)
    return name, path, source


def _steps(pointer: Any, where: str) -> list[str]:
    """A JSON Pointer (RFC 6901) as its unescaped steps."""
    if not isinstance(pointer, str) or (pointer and not pointer.startswith("/")) or re.search("~(?![01])", pointer):
        raise refused(400, "value", f"{where}: {str(pointer)[:80]!r} is not a JSON Pointer.", where)
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def _do(document: Any, name: str, path: list[str], source: list[str], value: Any, place: int) -> Any:
    if name == "test":
        if not _equal(_get(document, path, place), value):
            where = f"operation[{place}]"
            raise refused(422, "value", f"{where}: the test of /{'/'.join(path)[:80]} failed.", where)
        return document
    if name in _NEEDS_FROM:
        value = _get(document, source, place)
    if name in ("remove", "replace", "move"):
        gone = source if name == "move" else path
        _get(document, gone, place)
        if name == "replace" and not path:
            return deepcopy(value)
        _remove(document, gone, place)
    if name == "remove":
        return document
    return _add(document, path, deepcopy(value), place)


def _get(document: Any, path: list[str], place: int) -> Any:
    for step in path:
        if isinstance(document, dict) and step in document:
            document = document[step]
        elif isinstance(document, list) and _INDEX.fullmatch(step) and int(step) < len(document):
            document = document[int(step)]
        else:
            raise _missing(path, place)
    return document


def _missing(path: list[str], place: int) -> FhirError:
    return refused(422, "not-found", f"operation[{place}]: there is no /{'/'.join(path)[:80]}.", f"operation[{place}]")


def _remove(document: Any, path: list[str], place: int) -> None:
    if not path:
        raise refused(422, "value", f"operation[{place}]: a resource is deleted, not removed.", f"operation[{place}]")
    parent = _get(document, path[:-1], place)
    del parent[int(path[-1]) if isinstance(parent, list) else path[-1]]


def _add(document: Any, path: list[str], value: Any, place: int) -> Any:
    if not path:
        return value
    parent, last = _get(document, path[:-1], place), path[-1]
    if isinstance(parent, dict):
        parent[last] = value
    elif isinstance(parent, list) and last == "-":
        parent.append(value)
    elif isinstance(parent, list) and _INDEX.fullmatch(last) and int(last) <= len(parent):
        parent.insert(int(last), value)
    else:
        raise _missing(path, place)
    return document


def is_same(one: Any, other: Any) -> bool:
    """Whether two values are written alike: 1.50 is not 1.5, and the order of names says nothing."""
    if isinstance(one, ExactDecimal) and isinstance(other, ExactDecimal):
        return one.text == other.text
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(is_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(is_same(*pair) for pair in zip(one, other, strict=True))
    return type(one) is type(other) and bool(one == other)


def _equal(held: Any, said: Any) -> bool:
    """RFC 6902 4.6: numbers by value, the rest by structure; true is not 1."""
    if isinstance(held, dict) and isinstance(said, dict):
        return held.keys() == said.keys() and all(_equal(held[key], said[key]) for key in held)
    if isinstance(held, list) and isinstance(said, list):
        return len(held) == len(said) and all(_equal(one, other) for one, other in zip(held, said, strict=True))
    if isinstance(held, bool) or isinstance(said, bool):
        return held is said
    if isinstance(held, int | Decimal) and isinstance(said, int | Decimal):
        return held == said
    return type(held) is type(said) and bool(held == said)


def _size(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + sum(_size(one) for one in value.values())
    return 1 + sum(_size(one) for one in value) if isinstance(value, list) else 1
