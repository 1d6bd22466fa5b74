"""The CapabilityStatement, made from the routes table: what is not routed is not claimed."""

from datetime import datetime
from typing import Any

from integrations.fhir import patch
from integrations.fhir.operations.table import operations_of
from integrations.fhir.routes import COMMON_PARAMS, ROUTES, Route
from recovery.services.documents import instant

# The parser is fhir.resources R4B (4.3.0), whose elements are those of R4 for every type here (fhir-bar 1.1).
FHIR_VERSION = "4.0.1"
_SECURITY_SERVICE = "http://terminology.hl7.org/CodeSystem/restful-security-service"


def capability_statement(base: str, now: datetime) -> dict[str, Any]:
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": instant(now),
        "kind": "instance",
        "software": {"name": "twinweb"},
        "implementation": {"description": "Postoperative recovery twin", "url": base},
        "fhirVersion": FHIR_VERSION,
        "format": ["application/fhir+json", "json"],
        "patchFormat": [patch.MEDIA_TYPE],
        "rest": [
            {
                "mode": "server",
                "security": {
                    "cors": False,
                    "service": [{"coding": [{"system": _SECURITY_SERVICE, "code": "OAuth"}]}],
                    "description": "Every request but this one needs a bearer token with SMART system scopes.",
                },
                "resource": [_resource(route) for route in sorted(ROUTES.values(), key=lambda one: one.type)],
                "interaction": [{"code": "transaction"}, {"code": "batch"}],
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
    said["operation"] = operations_of(route.type)
    if route.params or COMMON_PARAMS:
        said["searchParam"] = _params(route)
    return said


def _params(route: Route) -> list[dict[str, str]]:
    common = [{"name": name, "type": kind} for name, kind in COMMON_PARAMS.items()]
    return common + [{"name": one.name, "type": one.kind} for one in route.params]
