"""What every page may say about the product itself."""

from django.conf import settings
from django.http import HttpRequest


def product(request: HttpRequest) -> dict[str, object]:
    return {
        "demo": settings.DEMO,
        "request_id": getattr(request, "request_id", ""),
        "single_sign_on": settings.OIDC_NAME if settings.OIDC_ISSUER else "",
    }
