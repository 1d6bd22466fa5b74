"""Apps that the signed-in person has allowed, and taking that back."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from integrations.smart.wording import said
from recovery.audit import Actor
from recovery.selectors.allowed_apps import allowed_apps
from recovery.services import authorizations


@require_GET
def show_my_apps(request: HttpRequest) -> HttpResponse:
    apps = [
        {
            "row_id": one.connection_id,
            "name": one.name,
            "since": one.since,
            "last_used_at": one.last_used_at,
            "words": said(one.scopes),
        }
        for one in allowed_apps(_user(request).pk)
    ]
    return render(request, "smart/my_apps.html", {"apps": apps})


@require_POST
def end_my_app(request: HttpRequest, row_id: int) -> HttpResponse:
    user = _user(request)
    actor = Actor.of_user(user, getattr(request, "request_id", ""))
    authorizations.withdraw_own(connection_id=row_id, user=user, actor=actor, now=timezone.now())
    messages.success(request, "Taken back: the app has no access any more.", extra_tags="good")
    return HttpResponseRedirect(reverse("my_apps"))


def _user(request: HttpRequest) -> Any:
    return request.user
