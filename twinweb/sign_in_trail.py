"""What the sign-in library did, written into the audit trail: sign-ins, second factors added, removed, refused."""

from typing import Any

from allauth.account.signals import user_logged_in
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authentication_failed, authenticator_added, authenticator_removed, authenticator_reset
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

from recovery import audit
from recovery.audit import Actor
from recovery.models import User


def _note(request: HttpRequest, user: User, action: str, **said: Any) -> None:
    actor = Actor.of_user(user, getattr(request, "request_id", ""))
    audit.record(actor=actor, now=timezone.now(), action=action, entity=f"User/{user.pk}", **said)


@receiver(user_logged_in)
def signed_in(request: HttpRequest, user: User, **_: Any) -> None:
    methods = request.session.get("account_authentication_methods") or []
    _note(request, user, "sign_in", detail={"by": [one.get("type") or one["method"] for one in methods]})


@receiver(authenticator_added)
def added(request: HttpRequest, user: User, authenticator: Authenticator, **_: Any) -> None:
    _note(request, user, "add_second_factor", detail={"type": authenticator.type})


@receiver(authenticator_reset)
def renewed(request: HttpRequest, user: User, authenticator: Authenticator, **_: Any) -> None:
    _note(request, user, "renew_second_factor", detail={"type": authenticator.type})


@receiver(authenticator_removed)
def removed(request: HttpRequest, user: User, authenticator: Authenticator, **_: Any) -> None:
    request.session.pop("second_factor", None)
    _note(request, user, "remove_second_factor", detail={"type": authenticator.type})


@receiver(authentication_failed)
def refused(request: HttpRequest, user: User, authenticator: Authenticator, **_: Any) -> None:
    _note(request, user, "sign_in", outcome="failure", detail={"type": authenticator.type})
