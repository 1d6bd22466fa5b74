"""The administrator's queue of requests to be erased."""

from collections.abc import Callable
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from recovery.permissions import check_user_can_administer
from recovery.portal_forms import HoldForm
from recovery.selectors.erasures import erasure_requests
from recovery.services import erasure
from recovery.views import door


@require_GET
def show_erasures(request: HttpRequest) -> HttpResponse:
    check_user_can_administer(door.person(request))
    return render(request, "pages/erasures.html", {"rows": erasure_requests()})


@require_POST
def hold(request: HttpRequest, key: UUID) -> HttpResponse:
    sent = HoldForm(request.POST)
    return _answer(
        request, lambda: erasure.hold(key=key, actor=door.actor(request), now=door.clock(), **door.cleaned(sent))
    )


@require_POST
def erase(request: HttpRequest, key: UUID) -> HttpResponse:
    return _answer(request, lambda: erasure.erase(key=key, actor=door.actor(request), now=door.clock()))


def _answer(request: HttpRequest, act: Callable[[], object]) -> HttpResponse:
    check_user_can_administer(door.person(request))
    act()
    return redirect("erasures")
