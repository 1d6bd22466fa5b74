"""The patient's pages speak the patient's language."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import translation

from recovery.views import errors
from recovery.views.portal_dress import LANGUAGE, accepted, is_page, known
from recovery.views.portal_looks import recall

LAYOUT = "library_layout"  # in which dress the sign-in library's own pages come (templates/allauth/layouts/base.html)


class PortalLanguageMiddleware:
    """Language and text size of a portal page: what the person chose (kept in the session so that a page costs no
    query), else what their browser asks for."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not is_page(request):
            return self.get_response(request)
        language = self._language(request)
        setattr(request, LANGUAGE, language)
        setattr(request, LAYOUT, "portal/base.html")
        with translation.override(language):
            response = self.get_response(request)
            if response.status_code == 405 and request.method == "GET":
                # Signed out while a form was open, and in again: the browser asks for where the form was sent to.
                response = errors.told_in_portal(request, 405)
        response.headers["Content-Language"] = language
        return response

    def _language(self, request: HttpRequest) -> str:
        if request.user.is_authenticated:
            recall(request, request.user.pk)
        return known(request.session.get(LANGUAGE)) or accepted(request.headers.get("Accept-Language", ""))
