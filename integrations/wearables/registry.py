"""Which file imports there are: name to the dotted mapping module, looked up on first use."""

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

KINDS: Mapping[str, str] = {
    "lifesnaps": "integrations.wearables.lifesnaps.mapping",
    "furberg": "integrations.wearables.furberg.mapping",
    "nightsignal": "integrations.wearables.nightsignal.mapping",
}


def mapper(kind: str) -> Callable[[Path], Iterator[dict[str, Any]]]:
    """`resources(path)` of a kind: FHIR resources, people and devices before their readings."""
    found: Callable[[Path], Iterator[dict[str, Any]]] = import_module(KINDS[kind]).resources
    return found
