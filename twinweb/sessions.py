"""How long a session lasts, and what a person must have done before they see anything.

A session ends after a quiet time (staff 15 min, patients 30 min: security reference S4) and at the latest
SESSION_COOKIE_AGE after sign-in. The quiet time is the session's own expiry in the store, so that live streams, which
look their session up, end with it. What a page fetches by itself is no sign of a person.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from allauth.mfa.utils import is_mfa_enabled
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils import timezone

from recovery.models import User
from recovery.selectors.account import SEEN_AT, idle_seconds, keep_on

GetResponse = Callable[[HttpRequest], HttpResponse]
SIGNED_IN_AT = "signed_in_at"
# Written at most this often: a session row is not rewritten for each click.
WRITE_AFTER = timedelta(seconds=30)
# What a person without their second factor may still open: where they add it, and the way out.
WITHOUT_SECOND_FACTOR = ("/account/", "/login/", "/logout/", "/help/", "/static/", "/session/")


@receiver(user_logged_in)
def start_the_clock(request: HttpRequest, user: User, **_: Any) -> None:
    now = timezone.now()
    request.session[SIGNED_IN_AT] = now.timestamp()
    keep_on(request.session, user, now)


def is_by_a_person(request: HttpRequest) -> bool:
    """Browsers say what a page fetched by itself; a client that says nothing counts as a person."""
    return request.method not in ("GET", "HEAD") or request.headers.get("Sec-Fetch-Mode", "navigate") == "navigate"


def has_ended(request: HttpRequest, user: User, now: datetime) -> bool:
    """Whether the quiet time or the longest time of a session is over. A session without marks began before them."""
    seen, since = request.session.get(SEEN_AT), request.session.get(SIGNED_IN_AT)
    quiet = seen is not None and now.timestamp() - seen >= idle_seconds(user)
    return quiet or (since is not None and now.timestamp() - since >= settings.SESSION_COOKIE_AGE)


class SessionClockMiddleware:
    """Ends sessions that are over, and keeps those going in which a person does something."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith(settings.STATIC_URL) or not request.session.session_key:
            return self.get_response(request)
        user = request.user
        if user.is_authenticated:
            now = timezone.now()
            if has_ended(request, user, now):
                logout(request)
            elif is_by_a_person(request) and now.timestamp() - request.session.get(SEEN_AT, 0) >= WRITE_AFTER.seconds:
                keep_on(request.session, user, now)
                UserSession.objects.filter(session_key=request.session.session_key).update(last_seen_at=now)
        return self.get_response(request)


class SecondFactorMiddleware:
    """People of the roles in MFA_REQUIRED_ROLES see nothing but their own account until they added a second factor."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not settings.MFA_REQUIRED_ROLES or request.path.startswith(WITHOUT_SECOND_FACTOR):
            return self.get_response(request)
        user = request.user
        if not user.is_authenticated or not lacks_second_factor(request, user):
            return self.get_response(request)
        if request.headers.get("Sec-Fetch-Mode", "navigate") != "navigate":
            return JsonResponse({"message": "Add a second factor to your account first."}, status=403)
        return redirect("account")


def lacks_second_factor(request: HttpRequest, user: User) -> bool:
    """The identity provider vouches for its own second factor. Asked once a session: a yes is remembered in it."""
    if user.role not in settings.MFA_REQUIRED_ROLES or request.session.get("second_factor") == user.pk:
        return False
    methods = request.session.get("account_authentication_methods") or ()
    if any(one.get("method") == "socialaccount" for one in methods) or is_mfa_enabled(user):
        request.session["second_factor"] = user.pk
        return False
    return True
