"""$validate (R4 resource-operation-validate): would this server take the resource? Answered by OperationOutcome."""

from collections.abc import Mapping
from typing import Any

from integrations.fhir import guide, profiles, shelves, validation
from integrations.fhir.outcomes import FhirError, Issue, refused
from integrations.fhir.reach import Reach
from integrations.fhir.receiving import writable
from integrations.fhir.routes import Route

Json = Mapping[str, Any]
MODES = ("", "create", "update", "delete", "profile")
FINE = Issue("informational", "No issue was found.", severity="information")


def unpacked(body: Json) -> tuple[Json | None, str, str]:
    """Resource, mode and profile of a body that is the resource itself or Parameters. Raises FhirError 400."""
    if body.get("resourceType") != "Parameters":
        return body, "", ""
    given = body.get("parameter", [])
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise refused(400, "structure", "Parameters.parameter must be a list of objects.", "Parameters.parameter")
    named = {str(one.get("name")): one for one in given}
    resource = named.get("resource", {}).get("resource")
    if resource is not None and not isinstance(resource, dict):
        raise refused(400, "structure", "The parameter resource must be a resource.", "Parameters.parameter")
    mode = named.get("mode", {}).get("valueCode", "")
    profile = named.get("profile", {})
    return resource, str(mode), str(profile.get("valueUri") or profile.get("valueCanonical") or "")


def issues_of(route: Route, resource: Json | None, mode: str, profile: str, fhir_id: str, reach: Reach) -> list[Issue]:
    """What stands against it; a single informational issue when nothing does. Raises FhirError 400, 404."""
    if mode not in MODES:
        raise refused(400, "value", f"mode must be create, update, delete or profile, not {mode[:40]!r}.", "mode")
    if mode == "profile" and not profile:
        raise refused(400, "required", "The mode profile needs a profile.", "profile")
    found = _of_mode(route, mode, fhir_id, reach)
    if resource is not None:
        found += _of_content(route, resource, mode, fhir_id)
    elif mode != "delete" and not fhir_id:
        raise refused(400, "required", "There is no resource to validate.", "Parameters.parameter")
    elif mode != "delete":
        shelves.read(route, fhir_id, reach)  # what stands here was validated when it came in
    if resource is not None and not found:
        found += _of_profiles(resource, profile)
    elif profile and guide.profile(profile) is None:
        found.append(_unknown(profile))
    return found or [FINE]


def _of_profiles(resource: Json, asked: str) -> list[Issue]:
    """Against the profile asked for and those of ours that the resource claims, each once."""
    found: list[Issue] = []
    if asked and guide.profile(asked) is None:
        found.append(_unknown(asked))
    for url in dict.fromkeys([asked, *profiles.claimed(resource)]):
        known = guide.profile(url)
        found += profiles.breaches(resource, known) if known is not None else []
    return found


def _unknown(profile: str) -> Issue:
    sentence = f"{profile[:120]}: this server knows R4 itself and the profiles of its own guide, not this one."
    return Issue("not-supported", sentence, severity="warning")


def _of_mode(route: Route, mode: str, fhir_id: str, reach: Reach) -> list[Issue]:
    if mode not in ("create", "update", "delete"):
        return []
    try:
        writable(route.type)
        if mode == "delete" and fhir_id:
            shelves.read(route, fhir_id, reach)
    except FhirError as error:
        return list(error.issues)
    if mode == "delete" and not fhir_id:
        return [Issue("required", "Only a resource with an id can be deleted: $validate it at its own address.")]
    standing = shelves.concluded(route, fhir_id) if fhir_id else None
    concluded = standing is not None and reach.sees(standing, "read")
    return [Issue("not-supported", f"{route.type}/{fhir_id} is a conclusion of this server.")] if concluded else []


def _of_content(route: Route, resource: Json, mode: str, fhir_id: str) -> list[Issue]:
    try:
        validation.check(resource, route.type)
    except FhirError as error:
        return list(error.issues)
    where = f"{route.type}.id"
    if mode == "update" and "id" not in resource:
        return [Issue("required", f"{where}: an update needs the id of what it updates", where)]
    if fhir_id and resource.get("id", fhir_id) != fhir_id:
        return [Issue("invalid", f"{where}: the address names {fhir_id[:64]}", where)]
    return []
