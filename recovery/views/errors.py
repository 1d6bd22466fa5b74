"""Pages for what was refused and for faults of ours: to staff in English, to people of the portal in their language."""

import sys

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation

from recovery import outage
from recovery.presenters.portal_error_pages import OLD_FORM, TOLD
from recovery.presenters.portal_refusals import told_if_known
from recovery.views import portal_dress


def refused(request: HttpRequest, status: int, message: str = "", *, template: str = "") -> HttpResponse:
    """The page of `status` for whoever asks. `message` is for staff; the portal says those that it can translate."""
    if portal_dress.is_theirs(request):
        return told_in_portal(request, status, message)
    return render(request, template or f"errors/{status}.html", {"message": message}, status=status)


def told_in_portal(request: HttpRequest, status: int, message: str = "", kind: int | str = 0) -> HttpResponse:
    """`kind`: which words, where they are not those of the status."""
    told = TOLD[kind or status]
    with translation.override(portal_dress.language_of(request) or None):
        context = {"told": told, "message": told_if_known(message), "back": _back(request, told.goes_back)}
        page = render(request, "portal/refused.html", context, status=status)
        page.headers["Content-Language"] = translation.get_language() or "en"
    return page


def _back(request: HttpRequest, goes_back: bool) -> dict[str, object]:
    before = portal_dress.page_before(request) if goes_back else ""
    user = portal_dress.found_user(request)
    first = "home" if user is not None and user.is_authenticated else "me"
    return {"path": before or reverse(first), "is_before": bool(before)}


@login_not_required
def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return refused(request, 413 if isinstance(exception, RequestDataTooBig) else 400)


@login_not_required
def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return refused(request, 403)


@login_not_required
def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return refused(request, 404)


@login_not_required
def too_many(request: HttpRequest, *_: object) -> HttpResponse:
    """Also called by what counts wrong passwords."""
    return refused(request, 429)


@login_not_required
def old_form(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form without the token of this session."""
    if portal_dress.is_theirs(request):
        return told_in_portal(request, 403, kind=OLD_FORM)
    return render(request, "403_csrf.html", status=403)


@login_not_required
def failed(request: HttpRequest) -> HttpResponse:
    """Called by Django while the error is handled. Nothing here may ask the database."""
    away = outage.of(sys.exc_info()[1])
    context = {"request_id": getattr(request, "request_id", "")}
    if portal_dress.is_theirs(request):
        response = _failed_in_portal(request, away, context)
    elif away is None:
        response = render(request, "errors/500.html", context, status=500)
    else:
        response = render(None, "errors/503.html", {**context, "message": away}, status=503)
    if away is not None:
        response["Retry-After"] = str(outage.RETRY_AFTER)
    return response


def _failed_in_portal(request: HttpRequest, away: str | None, context: dict[str, object]) -> HttpResponse:
    """In every language of ours where the person's is not known."""
    language, status = portal_dress.language_of(request), 500 if away is None else 503
    spoken = [(key, translation.get_language_info(key)["bidi"]) for key, _name in settings.LANGUAGES]
    here = [one for one in spoken if language in ("", one[0])]
    said = {"told": TOLD[status], "languages": here, "lang": here[0][0], "rtl": here[0][1], "message": away or ""}
    return HttpResponse(render_to_string("portal/failed.html", {**context, **said}), status=status)
