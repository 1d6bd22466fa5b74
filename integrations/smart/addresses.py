"""Where the authorization server's parts are, as others must write it."""

from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse


def root_of(request: HttpRequest) -> str:
    """Our own address without a slash at its end: also the issuer of id_tokens."""
    return settings.PUBLIC_URL.rstrip("/") if settings.PUBLIC_URL else request.build_absolute_uri("/").rstrip("/")


def origin_of(address: str) -> str:
    """Scheme, host and port of an address."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def fhir_of(request: HttpRequest) -> str:
    return f"{root_of(request)}/fhir"


def has_nul(request: HttpRequest) -> bool:
    """Whether a parameter holds the character NUL, which PostgreSQL keeps nowhere and no client means."""
    given = (*request.GET.lists(), *request.POST.lists())
    return any("\x00" in text for name, values in given for text in (name, *map(str, values)))


def address(request: HttpRequest, name: str) -> str:
    """The full address of a view."""
    return f"{root_of(request)}{reverse(name)}"
