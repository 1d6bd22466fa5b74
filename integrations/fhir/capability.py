"""The CapabilityStatement, made from the routes table: what is not routed is not claimed."""

from datetime import datetime
from typing import Any

from integrations.fhir import guide, patch
from integrations.fhir.operations.table import BULK, SYSTEM_OPERATIONS, operations_of
from integrations.fhir.parameters import DEFINITIONS
from integrations.fhir.routes import COMMON_PARAMS, ROUTES, Route
from integrations.subscriptions.topics import BACKPORT, TOPICS
from recovery.services.documents import instant

# The parser is fhir.resources R4B (4.3.0), whose elements are those of R4 for every type here (fhir-bar 1.1).
FHIR_VERSION = "4.0.1"
TOPIC_OFFERED = f"{BACKPORT}capabilitystatement-subscriptiontopic-canonical"
_SECURITY_SERVICE = "http://terminology.hl7.org/CodeSystem/restful-security-service"
OAUTH_URIS = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"


def capability_statement(base: str, now: datetime) -> dict[str, Any]:
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": instant(now),
        "kind": "instance",
        "software": {"name": "twinweb"},
        "implementation": {"description": "Postoperative recovery twin", "url": base},
        "fhirVersion": FHIR_VERSION,
        "instantiates": [f"{BULK}/CapabilityStatement/bulk-data"],
        "implementationGuide": guide.addresses_of("ImplementationGuide"),
        "format": ["application/fhir+json", "json"],
        "patchFormat": [patch.MEDIA_TYPE, patch.MERGE_TYPES[0]],
        "rest": [
            {
                "mode": "server",
                "security": _security(base),
                "resource": [_resource(route) for route in sorted(ROUTES.values(), key=lambda one: one.type)],
                "interaction": [{"code": code} for code in ("transaction", "batch", "history-system")],
                "operation": [{"name": one.name, "definition": one.definition} for one in SYSTEM_OPERATIONS],
            }
        ],
    }


def _security(base: str) -> dict[str, Any]:
    """How to come in: SMART App Launch (its older extension too, which some clients still read).

    The extension has the parts that R4's own package defines; smart-configuration says the rest.
    """
    root = base.removesuffix("/fhir")
    return {
        "cors": True,
        "service": [
            {
                "coding": [{"system": _SECURITY_SERVICE, "code": "SMART-on-FHIR"}],
                "text": "OAuth2 using SMART-on-FHIR profile (see http://docs.smarthealthit.org)",
            }
        ],
        "description": "Every request but this one needs a bearer token with SMART scopes.",
        "extension": [
            {
                "url": OAUTH_URIS,
                "extension": [{"url": name, "valueUri": f"{root}/oauth/{name}"} for name in ("authorize", "token")],
            }
        ],
    }


def _resource(route: Route) -> dict[str, Any]:
    writes = "create" in route.interactions
    said: dict[str, Any] = {
        "type": route.type,
        "interaction": [{"code": code} for code in route.interactions],
        "versioning": "versioned" if writes else "no-version",
        "readHistory": "vread" in route.interactions,
        "updateCreate": writes,
        "conditionalCreate": writes,
        "conditionalRead": "full-support",
        "conditionalUpdate": writes,
        "conditionalDelete": "single" if writes else "not-supported",
    }
    supported = guide.profiles_of(route.type)
    if supported:
        said["supportedProfile"] = supported
    said["operation"] = operations_of(route.type)
    if route.type == "Subscription":
        said["extension"] = [{"url": TOPIC_OFFERED, "valueCanonical": url} for url in TOPICS]
    if route.params or COMMON_PARAMS:
        said["searchInclude"] = _includes(route)
        said["searchRevInclude"] = _reverse_includes(route)
        said["searchParam"] = _params(route)
    return said


def _params(route: Route) -> list[dict[str, str]]:
    common = [
        {"name": name, "definition": f"{DEFINITIONS}Resource-{name.removeprefix('_')}", "type": kind}
        for name, kind in COMMON_PARAMS.items()
    ]
    return common + [
        {"name": one.name, **({"definition": one.definition} if one.definition else {}), "type": one.kind}
        for one in route.params
    ]


def _includes(route: Route) -> list[str]:
    return ["*", *(f"{route.type}:{one.name}" for one in route.params if one.kind == "reference")]


def _reverse_includes(route: Route) -> list[str]:
    """What names the type as a target; what may point anywhere is told for Provenance, as US Core asks."""
    named = [
        f"{other.type}:{one.name}"
        for other in ROUTES.values()
        for one in other.params
        if one.kind == "reference" and route.type in one.targets
    ]
    return sorted({*named, "Provenance:target"})
