"""Walking a resource along an element path: dots go down, lists are entered, nothing missing is an error.

`[key=value]` after a step keeps only the elements that say so.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

_STEP = re.compile(r"([A-Za-z]+)(?:\[([A-Za-z]+)=([^\]]*)\])?")
Step = tuple[str, str, str]  # element, and the key and value that it must have ("" for any)


@lru_cache(maxsize=4096)
def _steps(path: str) -> tuple[Step, ...]:
    return tuple((match.group(1), match.group(2) or "", match.group(3) or "") for match in _STEP.finditer(path))


def values_at(resource: Mapping[str, Any], path: str) -> Iterator[Any]:
    """Every value at `path`, lists flattened."""
    found: list[Any] = [resource]
    for step in _steps(path):
        found = [child for one in found if isinstance(one, Mapping) for child in _children(one, step)]
    yield from found


def parts_at(resource: Mapping[str, Any], path: str) -> Iterator[tuple[int, Any]]:
    """Every value at `path` with the number of the part it stands in: 1 and up in a list of parts, 0 outside."""
    first, *rest = _steps(path)
    if not rest:
        yield from ((0, value) for value in _children(resource, first))
        return
    in_list = isinstance(resource.get(first[0]), list)
    for number, part in enumerate(_children(resource, first), 1 if in_list else 0):
        found = [part]
        for step in rest:
            found = [child for one in found if isinstance(one, Mapping) for child in _children(one, step)]
        yield from ((number, value) for value in found)


def _children(parent: Mapping[str, Any], step: Step) -> list[Any]:
    name, key, wanted = step
    children = _flat(parent.get(name))
    return [one for one in children if isinstance(one, Mapping) and one.get(key) == wanted] if key else children


def _flat(value: Any) -> list[Any]:
    if value is None:
        return []
    return [item for item in value if item is not None] if isinstance(value, list) else [value]


def first(resource: Mapping[str, Any], *paths: str) -> Any:
    """The first value at the first of `paths` that has one, or None."""
    for path in paths:
        for value in values_at(resource, path):
            return value
    return None


def text(resource: Mapping[str, Any], *paths: str) -> str:
    found = first(resource, *paths)
    return found if isinstance(found, str) else ""
