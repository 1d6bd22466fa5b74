"""What clients read first: smart-configuration (SMART 2.2) and the OpenID Connect discovery document."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from integrations.smart.addresses import address, root_of
from integrations.smart.assertions import ALGORITHMS

# Only what is true: each is tested (tests/integration/integrations/smart).
CAPABILITIES = (
    "launch-ehr",
    "launch-standalone",
    "client-public",
    "client-confidential-symmetric",
    "client-confidential-asymmetric",
    "sso-openid-connect",
    "context-banner",
    "context-ehr-patient",
    "context-ehr-encounter",
    "context-standalone-patient",
    "permission-offline",
    "permission-online",
    "permission-patient",
    "permission-user",
    "permission-v1",
    "permission-v2",
)
SCOPES = (
    "openid",
    "fhirUser",
    "launch",
    "launch/patient",
    "offline_access",
    "online_access",
    "patient/*.cruds",
    "patient/*.rs",
    "user/*.cruds",
    "user/*.rs",
    "system/*.cruds",
    "system/*.rs",
)
GRANTS = ("authorization_code", "client_credentials", "refresh_token")
AUTH_METHODS = ("private_key_jwt", "client_secret_basic", "client_secret_post")


def smart_configuration(request: HttpRequest) -> dict[str, Any]:
    said: dict[str, Any] = {
        **_common(request),
        "capabilities": list(CAPABILITIES),
        "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
    }
    if settings.SMART_OPEN_REGISTRATION:
        said["registration_endpoint"] = address(request, "smart_register")
    return said


def openid_configuration(request: HttpRequest) -> dict[str, Any]:
    return {
        **_common(request),
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "claims_supported": ["sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "fhirUser", "profile"],
    }


def _common(request: HttpRequest) -> dict[str, Any]:
    return {
        "issuer": root_of(request),
        "jwks_uri": address(request, "smart_jwks"),
        "authorization_endpoint": address(request, "smart_authorize"),
        "token_endpoint": address(request, "smart_token"),
        "introspection_endpoint": address(request, "smart_introspect"),
        "revocation_endpoint": address(request, "smart_revoke"),
        "management_endpoint": address(request, "my_apps"),
        "grant_types_supported": list(GRANTS),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": list(AUTH_METHODS),
        "authorization_response_iss_parameter_supported": True,
        "scopes_supported": list(SCOPES),
    }
