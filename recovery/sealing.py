"""Secrets of other systems that we must be able to use again (webhook headers): encrypted at rest, never shown.

AES-128-CBC with HMAC-SHA256 (Fernet) under a key drawn from SECRET_KEY; keys in SECRET_KEY_FALLBACKS still open what
they sealed, so that the key can be changed.
"""

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

from recovery.exceptions import Conflict


def seal(text: str) -> str:
    return _box().encrypt(text.encode()).decode() if text else ""


def unseal(sealed: str) -> str:
    """Raises Conflict for what was sealed under a key that is no longer known."""
    if not sealed:
        return ""
    try:
        return _box().decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise Conflict("It was sealed under a key that is not known here any more: enter it again.") from error


def _box() -> MultiFernet:
    return MultiFernet([Fernet(_key(one)) for one in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


def _key(secret: str | bytes) -> bytes:
    said = secret if isinstance(secret, bytes) else secret.encode()
    return base64.urlsafe_b64encode(hashlib.sha256(b"sealing:" + said).digest())
