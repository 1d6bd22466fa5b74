"""What every request passes through."""

import logging
import secrets
from collections.abc import Callable
from typing import cast

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.db import DatabaseError, DataError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.cache import add_never_cache_headers

from recovery import audit, exceptions
from recovery.audit import Actor
from recovery.models import User
from recovery.views import errors, portal_dress

logger = logging.getLogger(__name__)
GetResponse = Callable[[HttpRequest], HttpResponse]

# Doors that bring their own identity (bearer tokens) or that must answer strangers (health, static, login).
OPEN_PREFIXES = ("/static/", "/livez", "/readyz", "/metrics", "/fhir", "/cds-services", "/.well-known/")


def new_request_id() -> str:
    """Twelve digits that a person can read out."""
    return secrets.token_hex(6)


class RequestIdMiddleware:
    """Gives each request a number that the person can quote and the log holds."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.request_id = new_request_id()  # type: ignore[attr-defined]
        response = self.get_response(request)
        response["X-Request-Id"] = request.request_id  # type: ignore[attr-defined]
        return response


class CompressPagesMiddleware(GZipMiddleware):
    """Pages travel compressed; nothing else does: event streams must not wait, and systems pay no processor time.

    Secrets in a page are not told by its length: CSRF tokens are masked anew in each answer, a padding of random length
    is added (Django's answer to BREACH), and cookies are not sent with requests of other sites (SameSite).
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        is_page = response.get("Content-Type", "").startswith("text/html") and not response.streaming
        return super().process_response(request, response) if is_page else response


class HospitalClockMiddleware:
    """Whatever a page prints, and whatever time is typed into it, is of the hospital's clock; stored is UTC."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with timezone.override(settings.HOSPITAL_TIME_ZONE):
            return self.get_response(request)


class LoginByDefaultMiddleware:
    """Closed by default: a page needs a signed-in person unless its view says `login_not_required`."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: object, kwargs: object
    ) -> HttpResponse | None:
        if request.path.startswith(OPEN_PREFIXES) or not getattr(view, "login_required", True):
            return None
        if request.user.is_authenticated:
            return None
        if request.method == "POST" and portal_dress.is_page(request):
            place = portal_dress.page_before(request) or request.path
            return redirect(portal_dress.sign_in_address(place, "while sending"))
        return redirect_to_login(request.get_full_path())


class NoStoreMiddleware:
    """Nothing with patient data is kept by a browser or a proxy: after sign-out, 'back' shows nothing."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not request.path.startswith(settings.STATIC_URL) and "Cache-Control" not in response:
            add_never_cache_headers(response)
            response["Cache-Control"] = "no-store"
        return response


def _note_refusal(request: HttpRequest, status: int) -> None:
    """A page or an action that a signed-in person was not given: who asked for which address, and no more."""
    actor = Actor.of_user(cast(User, request.user), getattr(request, "request_id", ""))
    try:
        audit.record(
            actor=actor,
            now=timezone.now(),
            action="view" if request.method in ("GET", "HEAD") else "change",
            entity=request.path[:200],
            outcome="refused",
            detail={"status": status},
        )
    except DatabaseError:
        logger.exception("a refusal could not be noted")


class DomainErrorMiddleware:
    """Domain errors to pages, in one table. Unknown errors show a reference number, never their text."""

    STATUS: dict[type[exceptions.RecoveryError], int] = {
        exceptions.NotFound: 404,
        exceptions.Forbidden: 403,
        exceptions.Invalid: 400,
        exceptions.Conflict: 409,
        exceptions.Gone: 410,
    }

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, DataError | UnicodeEncodeError):
            # What a form let through and no column holds: NUL, half a character, a number beyond all numbers.
            logger.exception("a request held what cannot be kept", extra={"request_id": request.request_id})  # type: ignore[attr-defined]
            error = exceptions.Invalid("Something in this request cannot be kept. Please write it differently.")
        if not isinstance(error, exceptions.RecoveryError):
            return None
        status = self.STATUS.get(type(error), 400)
        if isinstance(error, exceptions.Forbidden | exceptions.NotFound) and request.user.is_authenticated:
            _note_refusal(request, status)
        return errors.refused(request, status, error.message)
