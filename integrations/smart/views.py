"""The authorization server's doors for machines: tokens, keys, what it can, and asking about a token."""

import json
import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe
from jwcrypto.jwk import JWK
from oauth2_provider.models import get_access_token_model
from oauth2_provider.settings import oauth2_settings

from integrations.fhir.call import call_of
from integrations.smart import configuration, people, registering
from integrations.smart.addresses import fhir_of, has_nul, root_of
from integrations.smart.configuration import GRANTS
from integrations.smart.core import SmartCore
from integrations.smart.limits import Counter
from recovery import audit
from recovery.audit import Actor
from recovery.services import authorizations
from recovery.services.connections import authenticate

logger = logging.getLogger(__name__)
View = Callable[..., HttpResponse]
NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


def open_door(view: View) -> View:
    """A door without cookies: nobody is signed in, so nothing can be forged on their behalf."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        _ = request.body  # read as a whole: looking at a form's parts first would leave nothing to those who read JSON
        if has_nul(request):
            return JsonResponse({"error": "invalid_request"}, status=400, headers=NO_STORE)
        return view(request, *args, **kwargs)

    exempt = csrf_exempt(guarded)
    exempt.login_required = False  # type: ignore[attr-defined]
    return exempt


@open_door
@require_safe
def show_configuration(request: HttpRequest) -> HttpResponse:
    return JsonResponse(configuration.smart_configuration(request))


@open_door
@require_safe
def show_openid_configuration(request: HttpRequest) -> HttpResponse:
    return JsonResponse(configuration.openid_configuration(request))


@open_door
@require_safe
def show_keys(request: HttpRequest) -> HttpResponse:
    """The public keys that id_tokens are checked by."""
    pems = [oauth2_settings.OIDC_RSA_PRIVATE_KEY, *oauth2_settings.OIDC_RSA_PRIVATE_KEYS_INACTIVE]
    keys = [JWK.from_pem(pem.encode()) for pem in pems if pem]
    known = {"alg": "RS256", "use": "sig"}
    return JsonResponse(
        {"keys": [{**json.loads(one.export_public()), **known, "kid": one.thumbprint()} for one in keys]}
    )


@open_door
@require_POST
@sensitive_post_parameters("client_secret", "client_assertion", "refresh_token", "code", "code_verifier")
def give_token(request: HttpRequest) -> HttpResponse:
    if request.POST.get("grant_type") not in GRANTS:
        body = json.dumps({"error": "unsupported_grant_type"})
        _note(request, 400, body)
        return _answer(body, 400, {})
    counter = Counter.of(request, _now())
    if not counter.admits():
        return _too_many(counter)
    core = _core()
    _, headers, body, status = core.create_token_response(request)
    if status != 200:
        counter.note_refusal()
    _note(request, status, body)
    return _answer(body, status, headers)


def _too_many(counter: Counter) -> HttpResponse:
    """RFC 6585. Not in the trail, which a flood would fill: in the log."""
    logger.warning("token requests of client %s beyond the limit of one address", counter.client)
    sentence = f"Too many requests for tokens from this address: ask again in {counter.retry_after_s} s."
    body = json.dumps({"error": "temporarily_unavailable", "error_description": sentence})
    return _answer(body, 429, {"Retry-After": str(counter.retry_after_s)})


def _note(request: HttpRequest, status: int, body: str) -> None:
    """That a token was asked for, by whom and with what outcome; never the token."""
    said = json.loads(body) if body else {}
    grant = request.POST.get("grant_type", "")[:40]
    detail = {"grant_type": grant, "scope": str(said.get("scope", ""))[:500], "error": str(said.get("error", ""))[:60]}
    name = request.POST.get("client_id", "")[:100] or "unknown client"
    actor = Actor("connection", None, name, getattr(request, "request_id", ""))
    if status == 200:
        caller = authenticate(token=said["access_token"], now=_now(), request_id=actor.request_id)
        actor = caller.actor if caller is not None else actor
    outcome = "success" if status == 200 else "denied"
    kept = {key: value for key, value in detail.items() if value}
    audit.record(actor=actor, now=_now(), action="token", entity="oauth/token", outcome=outcome, detail=kept)


@open_door
@require_POST
def revoke_token(request: HttpRequest) -> HttpResponse:
    _, headers, body, status = _core().create_revocation_response(request)
    return _answer(body or "", status, headers)


@open_door
@require_POST
def introspect(request: HttpRequest) -> HttpResponse:
    """RFC 7662, for a client about its own tokens, and for systems that may read every patient."""
    now, core = _now(), _core()
    own = _client_id(core, request)
    if own is None and not _reads_everybody(request, now):
        return JsonResponse(
            {"error": "invalid_client"}, status=401, headers={"WWW-Authenticate": 'Bearer realm="oauth"'}
        )
    found = _about(request, request.POST.get("token", ""), own, now)
    return JsonResponse(found, headers=NO_STORE)


def _client_id(core: SmartCore, request: HttpRequest) -> str | None:
    uri, method, body, headers = core._extract_params(request)
    from oauthlib.common import Request as OauthlibRequest

    asked = OauthlibRequest(uri, method, body, headers)
    return str(asked.client.client_id) if core.server.request_validator.authenticate_client(asked) else None


def _reads_everybody(request: HttpRequest, now: datetime) -> bool:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    caller = authenticate(token=token.strip(), now=now) if scheme.lower() == "bearer" and token.strip() else None
    return caller is not None and call_of(caller, "", now).reach.is_unlimited("Patient", "read")


def _about(request: HttpRequest, token: str, own: str | None, now: datetime) -> dict[str, Any]:
    caller = authenticate(token=token, now=now) if token else None
    row = get_access_token_model().objects.filter(token_checksum=authorizations.hashed(token)).first()
    client_id = row.application.client_id if row is not None and row.application else ""
    if caller is None or (own is not None and client_id != own):
        return {"active": False}
    said: dict[str, Any] = {"active": True, "scope": caller.scopes, "client_id": client_id or caller.actor.name}
    said["iss"] = root_of(request)
    if row is not None:
        said["exp"] = int(row.expires.timestamp())
    if caller.user_id is not None:
        said["sub"] = str(caller.user_id)
        said |= _launch(request, token, caller.user_id, caller.scopes, now)
    return said


def _launch(request: HttpRequest, token: str, user_id: int, scopes: str, now: datetime) -> dict[str, str]:
    allowed = authorizations.of_access_token(authorizations.hashed(token))
    who = people.fhir_user(user_id, fhir_of(request), now) if "fhirUser" in scopes.split() else ""
    said = {
        "patient": allowed.patient if allowed else "",
        "encounter": allowed.encounter if allowed else "",
        "fhirUser": who,
    }
    return {key: value for key, value in said.items() if value}


@open_door
@require_POST
def register(request: HttpRequest) -> HttpResponse:
    status, said = registering.register(request.body, request_id=getattr(request, "request_id", ""), now=_now())
    return JsonResponse(said, status=status, headers=NO_STORE)


def _core() -> SmartCore:
    from oauth2_provider.oauth2_backends import get_oauthlib_core

    found: SmartCore = get_oauthlib_core()
    return found


def _answer(body: str, status: int, headers: Mapping[str, str]) -> HttpResponse:
    response = HttpResponse(body, status=status, content_type="application/json")
    for name, value in {**headers, **NO_STORE}.items():
        response[name] = value
    return response


def _now() -> datetime:
    return timezone.now()
