"""online_access: what an app was given for as long as a person is signed in ends when they sign out."""

from typing import Any

from django.contrib.auth.signals import user_logged_out
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

from recovery.audit import Actor
from recovery.services.authorizations import end_session


@receiver(user_logged_out)
def end_online_access(request: HttpRequest, user: Any, **_: Any) -> None:
    session = request.session.session_key
    if user is not None and session:
        actor = Actor.of_user(user, getattr(request, "request_id", ""))
        end_session(session=session, actor=actor, now=timezone.now())
