"""Links that let somebody in once: what is kept of them, and how often their question may be answered wrongly."""

import hashlib

MOST_TRIES = 5


def hash_of_link(token: str) -> str:
    """All that is kept of a link's secret (SHA-256; the secret has 192 random bits, so no salt is needed)."""
    return hashlib.sha256(token.encode()).hexdigest()
