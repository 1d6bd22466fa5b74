"""Our published guide (docs/fhir) as data: profiles, extensions, codes and operations, by address."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from integrations.fhir import wire

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "fhir"
TYPES = ("StructureDefinition", "CodeSystem", "ValueSet", "OperationDefinition", "ImplementationGuide")

Json = Mapping[str, Any]


@cache
def definitions() -> tuple[Json, ...]:
    """Every definition of the guide, by type and name of file."""
    return tuple(
        wire.parse_object(path.read_bytes()) for name in TYPES for path in sorted(FOLDER.glob(f"{name}-*.json"))
    )


@cache
def by_url() -> Mapping[str, Json]:
    return MappingProxyType({one["url"]: one for one in definitions()})


def profile(url: str) -> Json | None:
    """One of our profiles or extensions; a version after `|` must be the published one."""
    address, _, version = url.partition("|")
    found = by_url().get(address)
    fits = found is not None and found["resourceType"] == "StructureDefinition"
    return found if fits and found is not None and version in ("", found["version"]) else None


def addresses_of(type_name: str) -> list[str]:
    return [one["url"] for one in definitions() if one["resourceType"] == type_name]


def profiles_of(type_name: str) -> list[str]:
    """Addresses of our profiles of a resource type."""
    held = (one for one in definitions() if one["resourceType"] == "StructureDefinition")
    return [one["url"] for one in held if one["type"] == type_name]


@cache
def codes_of(value_set: str) -> frozenset[tuple[str, str]] | None:
    """(system, code) of one of our value sets, all of them whole code systems of ours; None for another's."""
    found = by_url().get(value_set)
    if found is None or found["resourceType"] != "ValueSet":
        return None
    systems = [by_url()[part["system"]] for part in found["compose"]["include"]]
    return frozenset((system["url"], one["code"]) for system in systems for one in system["concept"])
