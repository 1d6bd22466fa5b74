"""The patient's pages speak the patient's language."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.translation import get_supported_language_variant

from recovery.selectors.portal_preference import preference_of

# Pages that patients and those who help them see; everything else is the staff's, in English.
PREFIXES = ("/me/", "/invite/", "/join/")
LANGUAGE, TEXT = "portal_language", "portal_text"


class PortalLanguageMiddleware:
    """Language and text size of a portal page: what the person chose (kept in the session so that a page costs no
    query), else what their browser asks for."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(PREFIXES):
            return self.get_response(request)
        language = self._language(request)
        with translation.override(language):
            response = self.get_response(request)
        response.headers["Content-Language"] = language
        return response

    def _language(self, request: HttpRequest) -> str:
        if LANGUAGE not in request.session and request.user.is_authenticated:
            chosen = preference_of(request.user.pk)
            request.session[LANGUAGE], request.session[TEXT] = chosen or ("", 1)
        return known(request.session.get(LANGUAGE)) or accepted(request.headers.get("Accept-Language", ""))


def known(language: object) -> str:
    """The language where it is one of ours; blank otherwise."""
    return language if isinstance(language, str) and language in dict(settings.LANGUAGES) else ""


def accepted(header: str) -> str:
    """The first language of the browser's list that we speak; English otherwise."""
    for part in header[:300].split(","):
        try:
            return get_supported_language_variant(part.split(";")[0].strip().lower())
        except LookupError:
            continue
    return settings.LANGUAGE_CODE
