"""What the authorization server decides, on top of django-oauth-toolkit: who a client is, which scopes it gets, and
what an access token comes with (SMART App Launch 2.2).

- Clients show who they are by private_key_jwt (RS384, ES384) or by a secret; public apps by PKCE (S256) alone.
- Redirect addresses match to the letter.
- Scopes are cut to what the client is registered for; what is left is told in the answer.
- An access token of an app carries the launch: patient, encounter, who the person is.
"""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from oauth2_provider.oauth2_validators import OAuth2Validator

from integrations.smart import assertions, core, people
from integrations.smart.scopes import FOR_LATER, granted, read_scope
from recovery.audit import Actor
from recovery.selectors.connections import Client, client_by_id
from recovery.services import authorizations
from recovery.services.authorizations import Allowed
from recovery.texts import is_storable

logger = logging.getLogger(__name__)
# SMART Backend Services: a token of at most five minutes, as nobody can take it back from a log.
BACKEND_SECONDS = 300


class SmartScopes:
    """All scopes are spelled by clients; none is a list of ours (django-oauth-toolkit asks for one)."""

    def get_all_scopes(self) -> dict[str, str]:
        return {}

    def get_available_scopes(
        self, application: Any = None, request: Any = None, *args: Any, **kwargs: Any
    ) -> list[str]:
        return []

    def get_default_scopes(self, application: Any = None, request: Any = None, *args: Any, **kwargs: Any) -> list[str]:
        return []


class SmartValidator(OAuth2Validator):  # type: ignore[misc]  # the library has no types
    oidc_claim_scope = {"sub": "openid", "fhirUser": "fhirUser", "profile": "fhirUser"}

    # ---- who the client is ---

    def _load_application(self, client_id: str, request: Any) -> Any:
        """None as well for a connection that was revoked or is over."""
        found = super()._load_application(client_id, request) if is_storable(client_id or "") else None
        client = client_by_id(client_id) if found is not None else None
        if client is None or not client.is_usable(_now()):
            request.client = None
            return None
        return found

    def client_authentication_required(self, request: Any, *args: Any, **kwargs: Any) -> bool:
        return bool(_assertion(request)) or bool(super().client_authentication_required(request, *args, **kwargs))

    def authenticate_client(self, request: Any, *args: Any, **kwargs: Any) -> bool:
        assertion = _assertion(request)
        if assertion:
            return self._signed(assertion, request)
        if not super().authenticate_client(request, *args, **kwargs):
            return False
        return self._may_show_a_secret(request)

    def _may_show_a_secret(self, request: Any) -> bool:
        """A client that signs has to; a public one has no secret to show."""
        client = client_by_id(request.client.client_id)
        return client is not None and client.is_secret and not client.signs

    def _signed(self, assertion: str, request: Any) -> bool:
        try:
            client = assertions.client_of(assertion, audiences=(request.headers[core.TOKEN_ADDRESS],), now=_now())
        except assertions.NotShown as error:
            logger.warning("client assertion refused: %s", error)
            return False
        said = _param(request, "client_id")
        return said in ("", client.client_id) and self._load_application(client.client_id, request) is not None

    # ---- what it may ask for ---

    def validate_redirect_uri(self, client_id: str, redirect_uri: str, request: Any, *args: Any, **kwargs: Any) -> bool:
        return redirect_uri in request.client.redirect_uris.split()

    def is_pkce_required(self, client_id: str, request: Any) -> bool:
        return True

    def validate_scopes(
        self, client_id: str, scopes: Iterable[str], client: Any, request: Any, *args: Any, **kwargs: Any
    ) -> bool:
        """Cuts what was asked for to what the client may have; refused when nothing is left."""
        known = client_by_id(client.client_id)
        kept = scopes_for(known, scopes) if known is not None else []
        request.scopes = kept
        return bool(kept)

    def get_default_scopes(self, client_id: str, request: Any, *args: Any, **kwargs: Any) -> list[str]:
        known = client_by_id(request.client.client_id)
        return known.scopes.split() if known is not None and known.kind == "backend" else []

    # ---- what a token comes with ---

    def save_authorization_code(self, client_id: str, code: Any, request: Any, *args: Any, **kwargs: Any) -> None:
        with transaction.atomic():
            super().save_authorization_code(client_id, code, request, *args, **kwargs)
            authorizations.allow(
                client_id=client_id,
                code=code["code"],
                user=request.user,
                scopes=" ".join(request.scopes),
                context=request.smart_context,
                request_id=request.headers.get(core.REQUEST_ID, ""),
                now=_now(),
            )

    def validate_code(self, client_id: str, code: str, client: Any, request: Any, *args: Any, **kwargs: Any) -> bool:
        """A code that comes a second time has been stolen, or its first use was: what it gave is taken back."""
        allowed = authorizations.of_code(client.client_id, code)
        if super().validate_code(client_id, code, client, request, *args, **kwargs) and allowed is not None:
            request.allowed = allowed
            return bool(request.user.is_active)
        if allowed is not None:
            authorizations.withdraw(authorization_id=allowed.row_id, actor=Actor.system("oauth"), now=_now())
        return False

    def validate_refresh_token(self, refresh_token: str, client: Any, request: Any, *args: Any, **kwargs: Any) -> bool:
        if not super().validate_refresh_token(refresh_token, client, request, *args, **kwargs):
            return False
        request.allowed = authorizations.of_family(request.refresh_token_instance.token_family)
        return request.allowed is not None and bool(request.user.is_active) and not _is_over(request.allowed)

    def _save_bearer_token(self, token: dict[str, Any], request: Any, *args: Any, **kwargs: Any) -> None:
        allowed: Allowed | None = getattr(request, "allowed", None)
        if not set(FOR_LATER).intersection(request.scopes or ()):
            token.pop("refresh_token", None)
        if allowed is None:
            token["expires_in"] = BACKEND_SECONDS
        super()._save_bearer_token(token, request, *args, **kwargs)
        if allowed is not None:
            authorizations.bind_token(authorization_id=allowed.row_id, access_token=token["access_token"])
            token.update(launch_said(allowed, request.scopes, request.headers[core.FHIR]))

    def revoke_token(self, token: str, token_type_hint: str, request: Any, *args: Any, **kwargs: Any) -> None:
        """An app that gives a token back gives back all that the person allowed with it."""
        allowed = authorizations.of_access_token(authorizations.hashed(token))
        client = client_by_id(request.client.client_id) if request.client is not None else None
        super().revoke_token(token, token_type_hint, request, *args, **kwargs)
        if allowed is not None and client is not None and allowed.connection_id == client.row_id:
            authorizations.withdraw(authorization_id=allowed.row_id, actor=Actor.system("oauth"), now=_now())

    # ---- who the person is ---

    def validate_silent_login(self, request: Any) -> bool:
        return False

    def validate_silent_authorization(self, request: Any) -> bool:
        return False

    def get_additional_claims(self, request: Any) -> dict[str, str]:
        address = people.fhir_user(request.user.pk, request.headers[core.FHIR], _now())
        return {"fhirUser": address, "profile": address} if address else {}

    def get_oidc_issuer_endpoint(self, request: Any) -> str:
        return str(request.headers[core.ROOT])


def scopes_for(client: Client, asked: Iterable[str]) -> list[str]:
    """A backend service gets system/ scopes, an app those of a person; each what it is registered for at most."""
    kept = []
    for word in granted(asked, client.scopes):
        scope = read_scope(word)
        is_system = scope is not None and scope.context == "system"
        if is_system is (client.kind == "backend"):
            kept.append(word)
    return kept


def launch_said(allowed: Allowed, scopes: Iterable[str], fhir: str) -> dict[str, Any]:
    """What the token's answer says beside the token (SMART 2.2, launch context)."""
    said: dict[str, Any] = {}
    if allowed.patient:
        said |= {"patient": allowed.patient, "need_patient_banner": not allowed.is_launched}
    if allowed.encounter:
        said["encounter"] = allowed.encounter
    if {"fhirUser", "openid"} <= set(scopes):
        said["fhirUser"] = people.fhir_user(allowed.user_id, fhir, _now())
    return said


def _is_over(allowed: Allowed) -> bool:
    """No session lasts longer than SESSION_COOKIE_AGE, signed out of or not."""
    return allowed.is_online and allowed.created_at + timedelta(seconds=settings.SESSION_COOKIE_AGE) < _now()


def _assertion(request: Any) -> str:
    return _param(request, "client_assertion") if _param(request, "client_assertion_type") == assertions.TYPE else ""


def _param(request: Any, name: str) -> str:
    return str(getattr(request, name, None) or "")


def _now() -> datetime:
    return timezone.now()
