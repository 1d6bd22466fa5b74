"""The page where a person allows an app: standalone, or opened from a patient's page or an EHR (SMART App Launch 2.2).

Nothing is kept between showing the page and its answer: the answer comes to the same address, and everything in it is
checked again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods
from oauth2_provider.exceptions import FatalClientError, OAuthToolkitError
from oauth2_provider.oauth2_backends import get_oauthlib_core

from integrations.smart.addresses import fhir_of, has_nul, origin_of, root_of
from integrations.smart.scopes import read_scope
from integrations.smart.wording import Said, said
from recovery.exceptions import NotFound
from recovery.selectors.app_patients import Choice, choices
from recovery.selectors.connections import Client, client_by_id
from recovery.selectors.who import who
from recovery.services import authorizations
from recovery.services.authorizations import Context

MOST_PATIENTS = 50
SHORTEST_CHALLENGE, LONGEST_CHALLENGE = 43, 128  # RFC 7636 section 4.2
LONGEST_SCOPES, LONGEST_NONCE = 2_000, 255


class Stopped(Exception):
    """The app is told why, by its redirect address."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code, self.sentence = code, sentence


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that can be answered. `context`: what a launch stands for; `picks`: a patient has to be chosen."""

    client: Client
    scopes: tuple[str, ...]
    credentials: Mapping[str, Any]
    context: Context
    launch: str
    picks: bool

    @property
    def redirect_uri(self) -> str:
        return str(self.credentials["redirect_uri"])

    @property
    def words(self) -> list[Said]:
        """What it wants of the records first, then what it wants to know of the person."""
        return sorted(said(self.scopes), key=lambda one: read_scope(one.word) is None)

    @property
    def host(self) -> str:
        return urlsplit(self.redirect_uri).netloc


@require_http_methods(["GET", "POST"])
def authorize(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    if has_nul(request):
        return _refused(request, "The request holds a character that no client means.")
    try:
        scopes, credentials = get_oauthlib_core().validate_authorization_request(request)
    except FatalClientError as error:
        return _refused(request, str(error.oauthlib_error.description or error.oauthlib_error.error))
    except OAuthToolkitError as error:
        return _told_by(request, error)
    try:
        asked = _understood(request, scopes, credentials, now)
        if request.method == "POST":
            return _answered(request, asked, now)
        if asked.context.is_launched and _was_allowed(request, asked):
            return _allowed(request, asked, asked.context, now)
    except Stopped as stopped:
        return _told(request, credentials, stopped)
    return _page(request, asked, now)


def _understood(request: HttpRequest, scopes: Any, credentials: Mapping[str, Any], now: datetime) -> Asked:
    if credentials.get("code_challenge_method") != "S256":
        raise Stopped("invalid_request", "code_challenge_method must be S256.")
    if not SHORTEST_CHALLENGE <= len(str(credentials.get("code_challenge"))) <= LONGEST_CHALLENGE:
        raise Stopped("invalid_request", "code_challenge has no length that RFC 7636 knows.")
    if len(" ".join(scopes)) > LONGEST_SCOPES or len(str(credentials.get("nonce") or "")) > LONGEST_NONCE:
        raise Stopped("invalid_request", "scope or nonce is too long.")
    if _one(request, "aud").rstrip("/") != fhir_of(request):
        raise Stopped("invalid_request", f"aud must be the FHIR address {fhir_of(request)}.")
    client = client_by_id(str(credentials["client_id"]))
    if client is None or client.kind != "app":
        raise Stopped("unauthorized_client", "This client is no app that people open.")
    context, launch = _context(request, client, list(scopes), now)
    picks = not context.patient and _needs_patient(scopes)
    if picks and not choices(_person(request).pk, "", now, 1):
        raise Stopped("access_denied", "There is no patient whom this person may open.")
    return Asked(client, tuple(scopes), credentials, context, launch, picks)


def _context(request: HttpRequest, client: Client, scopes: list[str], now: datetime) -> tuple[Context, str]:
    launch = _one(request, "launch")
    session = request.session.session_key or "" if "online_access" in scopes else ""
    if "launch" not in scopes:
        return _own(request, scopes, session), ""
    found = authorizations.launch_context(handle=launch, connection_id=client.row_id, user=_person(request), now=now)
    if found is None:
        raise Stopped("invalid_request", "This launch is unknown, used or over: open the app again.")
    return replace(found, session=session), launch


def _own(request: HttpRequest, scopes: list[str], session: str) -> Context:
    """A patient need not choose; whoever looks after patients always does, so that nobody is opened by accident."""
    person = who(_person(request).pk) if _needs_patient(scopes) else None
    return Context(person.patient if person is not None else "", session=session)


def _needs_patient(scopes: Any) -> bool:
    found = [scope for word in scopes if (scope := read_scope(word)) is not None]
    return "launch/patient" in scopes or any(scope.context == "patient" for scope in found)


def _was_allowed(request: HttpRequest, asked: Asked) -> bool:
    """An app opened from a patient's page asks once: later the same scopes are allowed already."""
    return authorizations.was_allowed(
        connection_id=asked.client.row_id, user=_person(request), scopes=" ".join(asked.scopes)
    )


def _answered(request: HttpRequest, asked: Asked, now: datetime) -> HttpResponse:
    if request.POST.get("decision") != "allow":
        raise Stopped("access_denied", "The person did not allow it.")
    context = asked.context
    if asked.picks:
        chosen = request.POST.get("patient", "")
        if not chosen:
            return _page(request, asked, now, "Choose a patient first.")
        context = replace(context, patient=chosen)
    return _allowed(request, asked, context, now)


def _allowed(request: HttpRequest, asked: Asked, context: Context, now: datetime) -> HttpResponse:
    if asked.launch and not authorizations.spend_launch(handle=asked.launch, now=now):
        raise Stopped("invalid_request", "This launch was used already: open the app again.")
    credentials = {**asked.credentials, "smart_context": context}
    try:
        uri, _, _, _ = get_oauthlib_core().create_authorization_response(
            request, scopes=list(asked.scopes), credentials=credentials, allow=True
        )
    except NotFound as error:
        raise Stopped("access_denied", error.message) from error
    except OAuthToolkitError as error:
        return _told_by(request, error)
    return HttpResponseRedirect(_with(uri, {"iss": root_of(request)}))


# ---- answers ---


def _page(request: HttpRequest, asked: Asked, now: datetime, problem: str = "") -> HttpResponse:
    query = _one(request, "find")
    shown = choices(_person(request).pk, query, now, MOST_PATIENTS + 1) if asked.picks else []
    known = {name: values for name, values in request.GET.lists() if name != "find"}
    response = render(
        request,
        "smart/consent.html",
        {
            "asked": asked,
            "problem": problem,
            "patients": shown[:MOST_PATIENTS],
            "has_more": len(shown) > MOST_PATIENTS,
            "find": query,
            "carried": [(name, value) for name, values in known.items() for value in values],
            "patient": _name_of(asked.context, request, now),
            "answer_to": f"{request.path}?{urlencode(known, doseq=True)}",
        },
        status=400 if problem else 200,
    )
    # Browsers hold a form's redirect to form-action as well: the app's address must be in it.
    response._csp_update = {"form-action": [origin_of(asked.redirect_uri)]}  # type: ignore[attr-defined]
    return response


def _name_of(context: Context, request: HttpRequest, now: datetime) -> Choice | None:
    if not context.patient:
        return None
    return next((one for one in choices(_person(request).pk, "", now, 1, context.patient)), None)


def _refused(request: HttpRequest, reason: str) -> HttpResponse:
    """Nothing in the request can be trusted, its redirect address least."""
    return render(request, "smart/refused.html", {"reason": reason}, status=400)


def _told_by(request: HttpRequest, error: OAuthToolkitError) -> HttpResponse:
    wrong = error.oauthlib_error
    if not wrong.redirect_uri:
        return _refused(request, str(wrong.description or wrong.error))
    return HttpResponseRedirect(_with(wrong.in_uri(wrong.redirect_uri), {"iss": root_of(request)}))


def _told(request: HttpRequest, credentials: Mapping[str, Any], stopped: Stopped) -> HttpResponse:
    said_so = {"error": stopped.code, "error_description": stopped.sentence, "iss": root_of(request)}
    if credentials.get("state"):
        said_so["state"] = str(credentials["state"])
    return HttpResponseRedirect(_with(str(credentials["redirect_uri"]), said_so))


def _with(address: str, said_so: Mapping[str, str]) -> str:
    known = parse_qs(urlsplit(address).query)
    rest = {name: value for name, value in said_so.items() if name not in known}
    return f"{address}{'&' if '?' in address else '?'}{urlencode(rest)}" if rest else address


def _one(request: HttpRequest, name: str) -> str:
    return request.GET.get(name, "").strip()


def _person(request: HttpRequest) -> Any:
    return request.user
