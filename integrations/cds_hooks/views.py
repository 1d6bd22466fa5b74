"""The doors of CDS Hooks: discovery is open, a service and its feedback ask who calls. No cookie counts here."""

import json
import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import wraps
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from integrations.cds_hooks import cards
from integrations.cds_hooks.calling import NotTrusted, caller_of
from integrations.cds_hooks.identity import Meant, patient_meant
from integrations.cds_hooks.services import SERVICES, Service
from integrations.fhir import wire
from integrations.fhir.call import Call, base_of, body_of, call_of
from integrations.fhir.outcomes import FhirError, refused
from integrations.fhir.primitives import moment_of
from recovery import audit
from recovery.audit import Actor
from recovery.exceptions import Invalid, NotFound, RecoveryError
from recovery.selectors.cards import Followed, followed
from recovery.services.cards import Feedback, NewCard, show_cards, take_feedback
from recovery.services.connections import Caller

logger = logging.getLogger(__name__)
LONGEST_BODY = 2 * 1024 * 1024
MOST_FEEDBACK = 100
View = Callable[..., HttpResponse]
_STATUS = {"NotFound": 404, "Forbidden": 403, "Invalid": 400}


def door(**by_method: View) -> View:
    """Dispatch by method; every error leaves as a JSON object that says what was wrong."""

    @csrf_exempt
    @wraps(next(iter(by_method.values())))
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        view = by_method.get(request.method or "")
        if view is None:
            return _answer(405, {"error": f"{request.method} is not offered here."}, Allow=", ".join(by_method))
        try:
            return view(request, *args, **kwargs)
        except NotTrusted as error:
            return _not_trusted(request, str(error))
        except FhirError as error:
            return _answer(error.status, {"error": "; ".join(one.diagnostics for one in error.issues)})
        except RecoveryError as error:
            return _answer(_STATUS.get(type(error).__name__, 422), {"error": error.message})
        except Exception:
            number = getattr(request, "request_id", "unknown")
            logger.exception("a CDS call failed", extra={"request_id": number})
            return _answer(500, {"error": f"Something went wrong here. Quote the number {number} to the operator."})

    guarded.login_required = False  # type: ignore[attr-defined]
    return guarded


def _answer(status: int, said: Mapping[str, Any], **headers: str) -> HttpResponse:
    response = HttpResponse(json.dumps(said), status=status, content_type="application/json")
    response["Cache-Control"] = "no-store"
    for name, value in headers.items():
        response[name.replace("_", "-")] = value
    return response


def _not_trusted(request: HttpRequest, why: str) -> HttpResponse:
    unknown = Actor("connection", None, "unknown", getattr(request, "request_id", ""))
    audit.record(
        actor=unknown,
        now=timezone.now(),
        action="authenticate",
        entity=request.path[:200],
        outcome="denied",
        detail={"why": why},
    )
    return _answer(401, {"error": f"Not trusted: {why}."}, WWW_Authenticate='Bearer realm="cds-services"')


def discover(request: HttpRequest) -> HttpResponse:
    """Open to everybody, and the same for everybody."""
    return _answer(200, {"services": [one.as_json() for one in SERVICES.values()]})


def run_service(request: HttpRequest, service_id: str) -> HttpResponse:
    now = timezone.now()
    service = _service(service_id)
    caller, call = _opened(request, service, now)
    said = _body(request)
    _check(said, service)
    meant = patient_meant(said, caller.connection_id, call.base)
    found = followed(meant.patient) if meant.patient is not None and not meant.patient.died else None
    if found is not None and not _may_see(call, meant, found):
        found = None
    made = cards.cards_for(service, found, _keys(), _place(said, call)) if found is not None else []
    _note(service, caller, meant, found, [one.kept for one in made], now)
    shown = [one.said for one in made] or ([cards.refusal_card(meant.doubt, uuid4())] if meant.doubt else [])
    return _answer(200, {"cards": shown})


def _service(service_id: str) -> Service:
    service = SERVICES.get(service_id)
    if service is None:
        raise NotFound("There is no such service.")
    return service


def _opened(request: HttpRequest, service: Service, now: datetime) -> tuple[Caller, Call]:
    """Raises NotTrusted, and FhirError 403 where the scopes do not reach risks."""
    base = base_of(request)
    root = base.removesuffix("/fhir")
    address = f"{root}/cds-services/{service.id}"
    caller = caller_of(
        request.headers.get("Authorization", ""),
        audiences=(address, f"{address}/feedback", f"{root}/cds-services"),
        now=now,
        request_id=getattr(request, "request_id", ""),
    )
    call = call_of(caller, base, now)
    if not call.allows("RiskAssessment", "read"):
        raise refused(403, "forbidden", "The scopes of this system do not allow reading RiskAssessment.")
    return caller, call


def _body(request: HttpRequest) -> dict[str, Any]:
    body = body_of(request)
    if len(body) > LONGEST_BODY:
        raise Invalid(f"The body is larger than {LONGEST_BODY // 1024} kB: prefetch the patient alone.")
    return wire.parse_object(body)


def _check(said: Mapping[str, Any], service: Service) -> None:
    """What CDS Hooks requires of a call."""
    if said.get("hook") != service.hook:
        raise Invalid(f"This service is for the hook {service.hook}.", field="hook")
    if not isinstance(said.get("hookInstance"), str) or not said["hookInstance"]:
        raise Invalid("hookInstance is required.", field="hookInstance")
    context = said.get("context")
    if not isinstance(context, dict) or not isinstance(context.get("patientId"), str) or not context["patientId"]:
        raise Invalid("context.patientId is required.", field="context")


def _may_see(call: Call, meant: Meant, found: Followed) -> bool:
    """Whether the scopes reach this patient's risks."""
    if call.reach.is_unlimited("RiskAssessment", "read"):
        return True
    fhir_id = meant.patient.fhir_id if meant.patient is not None else ""
    about = {"resourceType": "RiskAssessment", "status": "final", "subject": {"reference": f"Patient/{fhir_id}"}}
    return call.reach.takes(about, "RiskAssessment", str(found.operation.key), "read")


def _keys() -> list[UUID]:
    return [uuid4() for _ in range(1 + cards.MOST_ALERTS)]


def _place(said: Mapping[str, Any], call: Call) -> cards.Place:
    root = call.base.removesuffix("/fhir")
    knows_us = any(
        str(one.get("iss", "")).rstrip("/") == str(said.get("fhirServer", "")).rstrip("/") for one in _ehrs()
    )
    launch = f"{root}/launch" if knows_us else ""
    return cards.Place(root, launch, ZoneInfo(settings.HOSPITAL_TIME_ZONE), call.place.now)


def _ehrs() -> list[Mapping[str, Any]]:
    return [one for one in settings.EHR_ISSUERS if isinstance(one, dict)]


def _note(
    service: Service, caller: Caller, meant: Meant, found: Followed | None, made: list[NewCard], now: datetime
) -> None:
    show_cards(
        service=service.id,
        cards=made,
        episode_id=found.episode_id if found is not None else None,
        patient_id=meant.patient.row_id if meant.patient is not None else None,
        connection_id=caller.connection_id,
        actor=caller.actor,
        now=now,
    )


def take(request: HttpRequest, service_id: str) -> HttpResponse:
    """Feedback (CDS Hooks 2.0.1): what became of the cards that this system was shown."""
    now = timezone.now()
    service = _service(service_id)
    caller, _ = _opened(request, service, now)
    given = _body(request).get("feedback")
    if not isinstance(given, list) or not given or len(given) > MOST_FEEDBACK:
        raise Invalid(f"feedback is a list of 1 to {MOST_FEEDBACK}.", field="feedback")
    taken = take_feedback(
        service=service.id,
        feedback=[_feedback(one) for one in given],
        connection_id=caller.connection_id,
        actor=caller.actor,
        now=now,
    )
    return _answer(200, {"taken": taken})


def _feedback(said: Any) -> Feedback:
    if not isinstance(said, dict):
        raise Invalid("Each feedback is an object.", field="feedback")
    try:
        card = UUID(str(said.get("card")))
        at = moment_of(said["outcomeTimestamp"]) if isinstance(said.get("outcomeTimestamp"), str) else None
    except ValueError as error:
        raise Invalid("Each feedback names its card by uuid, and its time as an instant.", field="feedback") from error
    why = said.get("overrideReason")
    why = why if isinstance(why, dict) else {}
    reason = why.get("reason") if isinstance(why.get("reason"), dict) else {}
    return Feedback(
        card, str(said.get("outcome")), at, _text((reason or {}).get("code")), _text(why.get("userComment"))
    )


def _text(said: Any) -> str:
    """What a database can keep: without NUL, which JSON can say."""
    return str(said).replace("\x00", "") if isinstance(said, str) else ""
