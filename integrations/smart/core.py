"""The authorization server's link between Django and oauthlib: what the validator is told beside the request itself."""

from typing import Any

from django.http import HttpRequest
from oauth2_provider.oauth2_backends import OAuthLibCore

from integrations.smart.addresses import address, fhir_of, root_of
from recovery.services.authorizations import public_client_of

# Not names that a header of a request can take (those begin with HTTP_).
ROOT, FHIR, TOKEN_ADDRESS, REQUEST_ID = "TWINWEB_ROOT", "TWINWEB_FHIR", "TWINWEB_TOKEN", "TWINWEB_REQUEST_ID"


class SmartCore(OAuthLibCore):  # type: ignore[misc]  # the library has no types
    def extract_headers(self, request: HttpRequest) -> Any:
        headers = super().extract_headers(request)
        headers[ROOT], headers[FHIR] = root_of(request), fhir_of(request)
        headers[TOKEN_ADDRESS] = address(request, "smart_token")
        headers[REQUEST_ID] = getattr(request, "request_id", "")
        return headers

    def extract_body(self, request: HttpRequest) -> Any:
        """A public app that refreshes need not say who it is (SMART 2.2; the SMART JS client does not): only one has
        that refresh token."""
        body = list(super().extract_body(request))
        said = dict(body)
        is_bare = not {"client_id", "client_assertion"} & said.keys() and "Authorization" not in request.headers
        if said.get("grant_type") == "refresh_token" and is_bare:
            client_id = public_client_of(said.get("refresh_token", ""))
            body += [("client_id", client_id)] if client_id else []
        return body
