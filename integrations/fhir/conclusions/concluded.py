"""One resource that this server concludes, before it is written out."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Concluded:
    """`row_id`: its place among those of its type; `version` grows whenever `resource` changes."""

    row_id: int
    version: int
    updated_at: datetime
    patient_id: int | None
    resource: dict[str, Any]


def with_head(
    type_name: str, fhir_id: str, version: int, last_updated: str, body: dict[str, Any], profile: str = ""
) -> dict[str, Any]:
    """The resource with id and meta in front and without empty elements, which FHIR JSON does not allow.

    `profile`: canonical address of the profile that it keeps to.
    """
    meta: dict[str, Any] = {"versionId": str(version), "lastUpdated": last_updated}
    if profile:
        meta["profile"] = [profile]
    said = {key: value for key, value in body.items() if value not in ([], {}, "", None)}
    return {"resourceType": type_name, "id": fhir_id, "meta": meta, **said}
