"""What every page may say about the product itself."""

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from recovery.models import User
from recovery.selectors import emergencies
from recovery.selectors.inbox import unread_count


def product(request: HttpRequest) -> dict[str, object]:
    return {
        "demo": settings.DEMO,
        "request_id": getattr(request, "request_id", ""),
        "emergencies": SimpleLazyObject(lambda: _emergencies(request)),
        "unread_notifications": SimpleLazyObject(lambda: _unread(request)),
        "emergencies_to_review": SimpleLazyObject(lambda: _to_review(request)),
        "single_sign_on": settings.OIDC_NAME if settings.OIDC_ISSUER else "",
    }


def _emergencies(request: HttpRequest) -> tuple[emergencies.OpenAccess, ...]:
    """Records that the person has open without being entrusted with them: named on every page until closed."""
    user = getattr(request, "user", None)
    return emergencies.my_open_accesses(user, timezone.now()) if isinstance(user, User) and user.is_clinical else ()


def _unread(request: HttpRequest) -> int:
    user = getattr(request, "user", None)
    return unread_count(user) if isinstance(user, User) and user.is_clinical else 0


def _to_review(request: HttpRequest) -> int:
    user = getattr(request, "user", None)
    return emergencies.waiting_for_review(user) if isinstance(user, User) else 0
