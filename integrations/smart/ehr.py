"""Our pages as a SMART app of an EHR: the EHR signs the person in and says which patient is open.

`/launch?iss=...&launch=...` comes from an EHR of settings.EHR_ISSUERS. We ask that EHR (PKCE, state, nonce), check its
id_token by its published keys, look up who its fhirUser is here (EhrIdentity) and open the patient's page. Nobody is
made a user by this, and nobody sees more than at their own sign-in.
"""

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from integrations.smart.addresses import address
from recovery import audit
from recovery.audit import Actor
from recovery.egress import Answer, call, check_url_may_be_called
from recovery.exceptions import RecoveryError
from recovery.selectors.ehr import episode_of, person_of_ehr

SCOPE = "launch openid fhirUser"
# Signatures of id_tokens: what hospital servers use; never none, never a shared secret.
ALGORITHMS = ["RS256", "RS384", "ES256", "ES384"]
KEPT, FRAMED = "ehr_launch", "ehr_frame"
SLACK_S = 60


class LaunchFailed(Exception):
    """The text is for the person in front of the EHR."""


@dataclass(frozen=True, slots=True)
class Pending:
    """What is remembered between going to the EHR and coming back."""

    iss: str
    client_id: str
    token_endpoint: str
    jwks_uri: str
    issuer: str
    state: str
    nonce: str
    verifier: str
    at: float


@require_GET
def begin(request: HttpRequest) -> HttpResponse:
    try:
        trusted = _trusted(request.GET.get("iss", ""))
        launch = request.GET.get("launch", "")
        if not launch:
            raise LaunchFailed("The EHR sent no launch.")
        return HttpResponseRedirect(_asking(request, trusted, launch))
    except LaunchFailed as failed:
        return _failed(request, str(failed))


def _trusted(iss: str) -> Mapping[str, Any]:
    for one in settings.EHR_ISSUERS:
        if iss and str(one.get("iss", "")).rstrip("/") == iss.rstrip("/"):
            found: Mapping[str, Any] = one
            return found
    raise LaunchFailed("This EHR is not one that this server trusts. An administrator adds it to EHR_ISSUERS.")


def _asking(request: HttpRequest, trusted: Mapping[str, Any], launch: str) -> str:
    iss = str(trusted["iss"]).rstrip("/")
    said = _get(f"{iss}/.well-known/smart-configuration")
    verifier = secrets.token_urlsafe(48)
    try:
        pending = Pending(
            iss=iss,
            client_id=str(trusted["client_id"]),
            token_endpoint=str(said["token_endpoint"]),
            jwks_uri=str(said["jwks_uri"]),
            issuer=str(said.get("issuer", iss)),
            state=secrets.token_urlsafe(24),
            nonce=secrets.token_urlsafe(24),
            verifier=verifier,
            at=timezone.now().timestamp(),
        )
        where = str(said["authorization_endpoint"])
    except KeyError as error:
        raise LaunchFailed(f"The EHR does not say its {error.args[0]}.") from error
    request.session[KEPT] = asdict(pending)
    asked = {
        "response_type": "code",
        "client_id": pending.client_id,
        "redirect_uri": address(request, "ehr_back"),
        "scope": str(trusted.get("scope", SCOPE)),
        "launch": launch,
        "aud": str(trusted["iss"]),
        "state": pending.state,
        "nonce": pending.nonce,
        "code_challenge": base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("="),
        "code_challenge_method": "S256",
    }
    return f"{where}{'&' if '?' in where else '?'}{urlencode(asked)}"


@require_GET
def back(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    try:
        pending = _pending(request, now)
        token = _token(request, pending)
        claims = _claims(token, pending, now)
        return _opened(request, pending, claims, str(token.get("patient", "")), now)
    except LaunchFailed as failed:
        return _failed(request, str(failed))


def _pending(request: HttpRequest, now: datetime) -> Pending:
    kept = request.session.pop(KEPT, None)
    if kept is None or not secrets.compare_digest(str(kept["state"]), request.GET.get("state", "")):
        raise LaunchFailed("This launch was not begun here, or it was answered already. Open it again from the EHR.")
    if now.timestamp() - kept["at"] > 600:
        raise LaunchFailed("This launch took too long. Open it again from the EHR.")
    if request.GET.get("error") or not request.GET.get("code"):
        raise LaunchFailed(f"The EHR refused: {request.GET.get('error', 'no code')[:100]}.")
    return Pending(**kept)


def _token(request: HttpRequest, pending: Pending) -> Mapping[str, Any]:
    trusted = _trusted(pending.iss)
    body = {
        "grant_type": "authorization_code",
        "code": request.GET["code"],
        "redirect_uri": address(request, "ehr_back"),
        "code_verifier": pending.verifier,
        "client_id": pending.client_id,
    }
    if trusted.get("client_secret"):
        body["client_secret"] = str(trusted["client_secret"])
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    return _read(_called(pending.token_endpoint, "POST", urlencode(body).encode(), headers))


def _claims(token: Mapping[str, Any], pending: Pending, now: datetime) -> Mapping[str, Any]:
    """The id_token's, checked: signature, issuer, audience, times and nonce."""
    try:
        keys = KeySet.import_key_set(_get(pending.jwks_uri))  # type: ignore[arg-type]  # checked by the import
        claims = jwt.decode(str(token.get("id_token", "")), keys, algorithms=ALGORITHMS).claims
    except (JoseError, ValueError, KeyError, TypeError) as error:
        raise LaunchFailed("The EHR did not say who you are in a way that can be checked.") from error
    aud = claims.get("aud")
    said = (
        claims.get("iss") in (pending.issuer, pending.iss),
        pending.client_id in (aud if isinstance(aud, list) else [aud]),
        claims.get("nonce") == pending.nonce,
        isinstance(claims.get("exp"), int | float) and claims["exp"] > now.timestamp() - SLACK_S,
        isinstance(claims.get("iat", 0), int | float) and claims.get("iat", 0) < now.timestamp() + SLACK_S,
    )
    if not all(said):
        raise LaunchFailed("What the EHR says about you is not meant for this launch.")
    return claims


def _opened(
    request: HttpRequest, pending: Pending, claims: Mapping[str, Any], patient: str, now: datetime
) -> HttpResponse:
    fhir_user = str(claims.get("fhirUser") or claims.get("profile") or "")
    user: Any = person_of_ehr(pending.iss, fhir_user)
    if user is None:
        actor = Actor("connection", None, "EHR launch", getattr(request, "request_id", ""))
        audit.record(actor=actor, now=now, action="sign_in", outcome="denied", entity="launch")
        told = f"You are {fhir_user or 'nobody'} there, and that is nobody here yet. An administrator links the two."
        raise LaunchFailed(told)
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    request.session[FRAMED] = True
    actor = Actor.of_user(user, getattr(request, "request_id", ""))
    audit.record(actor=actor, now=now, action="sign_in", entity="launch", detail={"ehr": pending.iss[:200]})
    key = episode_of(user, patient, now) if patient else None
    return HttpResponseRedirect(reverse("patient", args=[key]) if key is not None else reverse("home"))


def _get(url: str) -> Mapping[str, Any]:
    return _read(_called(url, "GET", b"", {"Accept": "application/json"}))


def _called(url: str, method: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    try:
        place = check_url_may_be_called(url, allow_loopback=settings.SMART_ALLOW_LOOPBACK)
        return call(place, method=method, body=body, headers=headers)
    except RecoveryError as error:
        raise LaunchFailed(f"The EHR cannot be reached: {error.message}") from error


def _read(answer: Answer) -> Mapping[str, Any]:
    try:
        said = json.loads(answer.body) if answer.status == 200 else None
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise LaunchFailed(f"The EHR answered with {answer.status}, not with what was asked for.")
    return said


def _failed(request: HttpRequest, reason: str) -> HttpResponse:
    return render(request, "smart/launch_failed.html", {"reason": reason}, status=400)


for _view in (begin, back):
    _view.login_required = False  # type: ignore[attr-defined]  # the EHR signs the person in
