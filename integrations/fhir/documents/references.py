"""What a resource points at on this server: references `Type/id` to types that are kept here. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from integrations.fhir.primitives import LOCAL_REFERENCE
from integrations.fhir.routes import ROUTES
from recovery.services.intake import Reference


def references_of(value: Any, path: str, own: tuple[str, str | None] | None = None) -> dict[Reference, str]:
    """What `value` points at, but for itself (`own`) -> path of the element.

    Types that are not kept here cannot be looked up and are somebody else's; so are URLs and logical references.
    """
    return {one: where for one, where in _walk(value, path) if one != own}


def _walk(value: Any, path: str) -> Iterator[tuple[Reference, str]]:
    if isinstance(value, list):
        for place, item in enumerate(value):
            if isinstance(item, dict | list):
                yield from _walk(item, f"{path}[{place}]")
        return
    reference = value.get("reference")
    if isinstance(reference, str):
        match = LOCAL_REFERENCE.fullmatch(reference)
        if match is not None and match.group(1) in ROUTES:
            yield (match.group(1), match.group(2)), path
    for name, child in value.items():
        if isinstance(child, dict | list):
            yield from _walk(child, f"{path}.{name}")


def localised(value: Any, base: str) -> Any:
    """`value` with references to this server's own address (`base`) as relative ones; the same object without any."""
    if isinstance(value, list):
        items = [localised(item, base) for item in value]
        return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
    if not isinstance(value, dict):
        return value
    changed = {key: new for key, child in value.items() if (new := localised(child, base)) is not child}
    reference = value.get("reference")
    if isinstance(reference, str) and reference.startswith(f"{base}/"):
        changed["reference"] = reference.removeprefix(f"{base}/")
    return {**value, **changed} if changed else value


def named(references: Mapping[Reference, str], reference: str, path: str) -> dict[Reference, str]:
    """`references` and one more that is written as text."""
    match = LOCAL_REFERENCE.fullmatch(reference)
    return {**references, (match.group(1), match.group(2)): path} if match else dict(references)
