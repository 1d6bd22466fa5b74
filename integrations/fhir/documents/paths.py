"""Walking a resource along an element path: dots go down, lists are entered, nothing missing is an error."""

from collections.abc import Iterator, Mapping
from typing import Any


def values_at(resource: Mapping[str, Any], path: str) -> Iterator[Any]:
    """Every value at `path`, lists flattened."""
    found: list[Any] = [resource]
    for step in path.split("."):
        found = [child for one in found if isinstance(one, Mapping) for child in _flat(one.get(step))]
    yield from found


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
