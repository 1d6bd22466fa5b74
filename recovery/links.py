"""Links that let somebody in once: what is kept of them, and how often their question may be answered wrongly."""

import hashlib

from django.utils.crypto import salted_hmac

MOST_TRIES = 5


def hash_of_link(token: str) -> str:
    """All that is kept of a link's secret (SHA-256; the secret has 192 random bits, so no salt is needed)."""
    return hashlib.sha256(token.encode()).hexdigest()


def mark_of(user_id: int) -> str:
    """A mark by which a phone tells its people apart without knowing anything about them."""
    return salted_hmac("recovery.portal.who", str(user_id), algorithm="sha256").hexdigest()[:24]
