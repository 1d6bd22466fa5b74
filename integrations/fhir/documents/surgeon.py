"""Who operated, from Procedure.performer: a name, and the id of their Practitioner where there is one."""

from collections.abc import Mapping
from typing import Any

from integrations.fhir.documents.paths import first, text, values_at
from integrations.fhir.streams.shape import codings_of
from recovery.twin.profile import SNOMED

Json = Mapping[str, Any]

# SNOMED CT occupations of R4's performer-role value set that are "the surgeon".
SURGEONS = frozenset({(SNOMED, "304292004"), (SNOMED, "158966004")})
_PEOPLE = ("Practitioner/", "PractitionerRole/")


def surgeon_of(resource: Json) -> tuple[str, str]:
    """(name, id), either blank: whose function is surgeon; where no function is said, the only performer."""
    performers = [one for one in values_at(resource, "performer") if isinstance(one.get("actor"), Mapping)]
    named = [one for one in performers if _is_surgeon(one)]
    alone = performers if len(performers) == 1 and "function" not in performers[0] else []
    for one in (*named, *alone):
        name, key = _who(one["actor"], resource)
        if name or key:
            return name, key
    return "", ""


def _is_surgeon(performer: Json) -> bool:
    function = performer.get("function")
    words = text(performer, "function.text", "function.coding.display").casefold()
    return bool(SURGEONS.intersection(codings_of(function))) or words.strip() in ("surgeon", "operating surgeon")


def _who(actor: Json, resource: Json) -> tuple[str, str]:
    """An organisation or a device may perform, but is nobody's surgeon."""
    reference = text(actor, "reference")
    name = text(actor, "display")
    if reference.startswith("#"):
        inside: Json = next((one for one in values_at(resource, "contained") if one.get("id") == reference[1:]), {})
        return (name or name_of(inside), "") if inside.get("resourceType") == "Practitioner" else ("", "")
    if not reference:
        kind = text(actor, "type")
        return (name, "") if kind in ("", "Practitioner", "PractitionerRole") else ("", "")
    local = reference.rpartition("/")[2] if reference.startswith(_PEOPLE) else ""
    is_person = bool(local) or any(f"/{kind}" in reference for kind in _PEOPLE)
    return (name, local[:64]) if is_person else ("", "")


def name_of(practitioner: Json) -> str:
    """ "Dr. Ann Example", as the Practitioner's first name has it."""
    if written := text(practitioner, "name.text"):
        return written
    one = first(practitioner, "name")
    if not isinstance(one, Mapping):
        return ""
    parts = [*values_at(one, "prefix"), *values_at(one, "given"), one.get("family")]
    return " ".join(part for part in parts if isinstance(part, str))
