"""Is this a valid FHIR R4 resource? First the JSON form (`structure`), then the R4B model, then invariants.

Raises FhirError 400 with one issue per fault, each naming its element.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from integrations.fhir import resources, structure
from integrations.fhir.outcomes import FhirError, Issue, refused
from integrations.fhir.primitives import span
from integrations.fhir.streams import packets

_CODES = {"missing": "required", "extra_forbidden": "structure"}


def type_of(resource: object) -> str:
    """The resourceType of a JSON value. Raises FhirError 400 when it is no resource of FHIR R4."""
    if not isinstance(resource, dict):
        raise refused(400, "structure", "A resource must be a JSON object.", "Resource")
    name = resource.get("resourceType")
    if not isinstance(name, str) or not name:
        raise refused(400, "structure", "The resource has no resourceType.", "Resource.resourceType")
    if not resources.has_type(name):
        raise refused(400, "structure", f"FHIR R4 has no resource type {name[:60]!r}.", "Resource.resourceType")
    return name


def check(resource: Mapping[str, Any], expected: str | None = None) -> str:
    """The type of a valid resource. Raises FhirError 400."""
    name = type_of(resource)
    if expected is not None and name != expected:
        sentence = f"The address is for {expected}, the body is a {name}."
        raise refused(400, "invalid", sentence, f"{name}.resourceType")
    issues = structure.check(name, resource) or _model_issues(name, resource) or list(_invariants(name, resource))
    if issues:
        raise FhirError(400, *issues)
    return name


def _model_issues(name: str, resource: Mapping[str, Any]) -> list[Issue]:
    found = resources.model_errors(name, _without_value_extensions(resource))
    return [_issue(name, error) for error in found[: structure.MOST_ISSUES]]


def _issue(name: str, error: resources.ModelError) -> Issue:
    path = name
    for step in error.where:
        path += f"[{step}]" if isinstance(step, int) else f".{step}"
    message = error.message.removeprefix("Value error, ")
    code = _CODES.get(error.kind, "invariant" if "expected from this list" in message else "value")
    if "missing" in error.kind or "required" in message.lower():
        code = "required"
    return Issue(code, f"{path}: {message}", path)


def _without_value_extensions(value: Any) -> Any:
    """A copy without `_value[x]` of extensions, which R4 allows and the model does not know."""
    if isinstance(value, dict):
        is_extension = "url" in value
        return {
            key: _without_value_extensions(child)
            for key, child in value.items()
            if not (is_extension and key.startswith("_value"))
        }
    if isinstance(value, list):
        return [_without_value_extensions(item) for item in value]
    return value


def _invariants(name: str, resource: Mapping[str, Any]) -> Iterable[Issue]:
    yield from _periods(resource, name)
    if name == "Observation":
        yield from _observation(resource)


def _periods(value: Any, path: str) -> Iterable[Issue]:
    """per-1: a period starts before it ends. Looks at every object with both start and end texts."""
    if isinstance(value, dict):
        start, end = value.get("start"), value.get("end")
        if isinstance(start, str) and isinstance(end, str) and _is_reversed(start, end):
            yield Issue("invariant", f"{path}: the period ends ({end}) before it starts ({start}) (per-1)", path)
        for key, child in value.items():
            yield from _periods(child, f"{path}.{key}")
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from _periods(item, f"{path}[{place}]")


def _is_reversed(start: str, end: str) -> bool:
    try:
        return span(end).high_ms <= span(start).low_ms
    except ValueError:
        return False


def _observation(resource: Mapping[str, Any]) -> Iterable[Issue]:
    """obs-6 and obs-7 (FHIR R4 observation.html#invs)."""
    has_value = any(key.startswith("value") for key in resource)
    if has_value and "dataAbsentReason" in resource:
        where = "Observation.dataAbsentReason"
        yield Issue("invariant", f"{where}: only allowed where there is no value (obs-6)", where)
    yield from _lasting(resource.get("valueSampledData"), "Observation.valueSampledData")
    for place, part in enumerate(resource.get("component", ())):
        yield from _lasting(part.get("valueSampledData"), f"Observation.component[{place}].valueSampledData")
        if any(key.startswith("value") for key in part) and "dataAbsentReason" in part:
            where = f"Observation.component[{place}].dataAbsentReason"
            yield Issue("invariant", f"{where}: only allowed where there is no value (obs-6)", where)
        if has_value and part.get("code") == resource.get("code"):
            where = f"Observation.component[{place}].code"
            yield Issue("invariant", f"{where}: the Observation itself has a value for this code (obs-7)", where)


def _lasting(sampled: Mapping[str, Any] | None, path: str) -> Iterable[Issue]:
    """Times that no date can name are no measurement."""
    if sampled is not None and packets.is_too_long(str(sampled.get("data", "")), sampled):
        where = f"{path}.period"
        yield Issue("value", f"{where}: with it the data would reach beyond the last date that FHIR can write", where)
