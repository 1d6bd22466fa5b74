"""Opening an app for a patient: from the patient's page here, or for an EHR that registers the launch with us."""

import json
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from integrations.fhir.call import call_of
from integrations.fhir.primitives import ID
from integrations.smart.addresses import fhir_of, origin_of
from integrations.smart.views import NO_STORE, open_door
from integrations.smart.wording import said
from recovery.audit import Actor
from recovery.exceptions import NotFound, RecoveryError
from recovery.selectors.connections import Client, client_by_id, launchable_apps
from recovery.selectors.people import find_episode, person_of
from recovery.services.authorizations import LAUNCH_LASTS, open_launch
from recovery.services.connections import Caller, authenticate

LONGEST_BODY = 16 * 1024
# What an EHR's connection must be registered with, beside reading patients, to register launches.
SCOPE = "launch"


@require_http_methods(["GET", "POST"])
def apps_of_patient(request: HttpRequest, key: UUID) -> HttpResponse:
    """The apps that can be opened for this patient; a POST opens one. Raises NotFound for a stranger's patient."""
    user: Any = request.user
    now = timezone.now()
    episode = find_episode(user, key, now)
    apps = launchable_apps()
    if request.method == "POST":
        chosen = next((one for one in apps if str(one.row_id) == request.POST.get("app")), None)
        if chosen is None:
            raise NotFound("This app cannot be opened from here.")
        handle = open_launch(
            connection_id=chosen.row_id,
            patient=episode.patient.fhir_id,
            encounter="",
            user=user,
            actor=Actor.of_user(user, getattr(request, "request_id", "")),
            now=now,
        )
        return _sent_to(request, chosen, handle)
    lines: list[dict[str, Any]] = [
        {"app": one, "words": said(one.scopes.split())} for one in apps if one.is_usable(now)
    ]
    context = {"apps": lines, "person": person_of(episode.patient), "key": key}
    response = render(request, "smart/apps_of_patient.html", context)
    # Browsers hold a form's redirect to form-action as well: the apps' addresses must be in it.
    response._csp_update = {"form-action": sorted({origin_of(one["app"].launch_url) for one in lines})}  # type: ignore[attr-defined]
    return response


def _sent_to(request: HttpRequest, app: Client, handle: str) -> HttpResponse:
    join = "&" if "?" in app.launch_url else "?"
    return HttpResponseRedirect(f"{app.launch_url}{join}{urlencode({'iss': fhir_of(request), 'launch': handle})}")


@open_door
@require_POST
def register_launch(request: HttpRequest) -> HttpResponse:
    """{client_id, patient, encounter?} from an EHR's connection -> {launch, iss, launch_url, expires_in}.

    The person who then opens the app signs in here, and must be allowed to see the patient.
    """
    now = timezone.now()
    caller = _caller(request)
    if caller is None:
        wrong = {"error": "invalid_token"}
        return JsonResponse(wrong, status=401, headers={"WWW-Authenticate": 'Bearer realm="oauth"', **NO_STORE})
    if not _may(caller, now):
        sentence = f"The connection needs the scopes {SCOPE} and system/Patient.r."
        return JsonResponse({"error": "insufficient_scope", "error_description": sentence}, status=403)
    given = _body(request)
    app = client_by_id(str(given.get("client_id", "")))
    patient, encounter = str(given.get("patient", "")), str(given.get("encounter", ""))
    if app is None or app.kind != "app" or not app.is_usable(now):
        return _wrong("client_id names no app that is registered here.")
    if not ID.fullmatch(patient) or (encounter and not ID.fullmatch(encounter)):
        return _wrong("patient (and encounter) are ids of resources here.")
    try:
        handle = open_launch(
            connection_id=app.row_id, patient=patient, encounter=encounter, user=None, actor=caller.actor, now=now
        )
    except RecoveryError as error:
        return _wrong(error.message)
    told = {
        "launch": handle,
        "iss": fhir_of(request),
        "launch_url": app.launch_url,
        "expires_in": int(LAUNCH_LASTS.total_seconds()),
    }
    return JsonResponse({name: value for name, value in told.items() if value}, status=201, headers=NO_STORE)


def _caller(request: HttpRequest) -> Caller | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        return None
    return authenticate(token=token.strip(), now=timezone.now(), request_id=getattr(request, "request_id", ""))


def _may(caller: Caller, now: Any) -> bool:
    reads = call_of(caller, "", now).reach.is_unlimited("Patient", "read")
    return caller.user_id is None and SCOPE in caller.scopes.split() and reads


def _body(request: HttpRequest) -> dict[str, Any]:
    try:
        given = json.loads(request.body[:LONGEST_BODY])
    except (ValueError, RecursionError):
        return {}
    return given if isinstance(given, dict) else {}


def _wrong(sentence: str) -> HttpResponse:
    return JsonResponse({"error": "invalid_request", "error_description": sentence}, status=400, headers=NO_STORE)
