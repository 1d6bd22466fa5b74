"""From which address a request came, for counting wrong passwords."""

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """The peer, or behind a trusted proxy what that proxy saw: the last entry of X-Forwarded-For, which it wrote."""
    if settings.BEHIND_PROXY:
        seen = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",") if part.strip()]
        if seen:
            return seen[-1]
    return str(request.META.get("REMOTE_ADDR", ""))
