"""The guide's own definitions as resources of this server: read by id, searched by address, the same to everybody."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache, partial

from integrations.fhir import guide
from integrations.fhir.conclusions.concluded import Concluded, with_head
from integrations.fhir.primitives import to_ms
from recovery.services.documents import instant


@cache
def _all(type_name: str) -> tuple[Concluded, ...]:
    found = [one for one in guide.definitions() if one["resourceType"] == type_name]
    return tuple(_concluded(place, one) for place, one in enumerate(found, 1))


def _concluded(place: int, one: guide.Json) -> Concluded:
    at = datetime.fromisoformat(one["date"]).replace(tzinfo=UTC)
    body = {key: value for key, value in one.items() if key not in ("resourceType", "id", "meta")}
    version = to_ms(at)
    return Concluded(place, version, at, None, with_head(one["resourceType"], one["id"], version, instant(at), body))


def one(type_name: str, fhir_id: str) -> Concluded | None:
    return next((found for found in _all(type_name) if found.resource["id"] == fhir_id), None)


def many(type_name: str, patients: Sequence[str] | None, after: int, limit: int) -> list[Concluded]:
    if patients is not None:
        return []
    return [found for found in _all(type_name) if found.row_id > after][:limit]


def sources() -> dict[str, tuple[partial[Concluded | None], partial[list[Concluded]]]]:
    return {name: (partial(one, name), partial(many, name)) for name in guide.TYPES}
