"""How often one client may ask for tokens from one address: beyond it 429 with Retry-After.

Counted for the client that is named *and* the address, so that nobody can shut a client out by naming it from
elsewhere; names that no client has share one count for each address. Refusals are counted apart, and more strictly.
A cache that does not answer refuses nobody: tokens are given or refused by what is shown, not by this count.
"""

import hashlib
import logging
from base64 import b64decode
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import unquote

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from django.utils.module_loading import import_string

from integrations.smart.assertions import named_client
from recovery.selectors.connections import client_by_id
from recovery.services.authorizations import public_client_of

logger = logging.getLogger(__name__)
WINDOW_S = 60
# Of one client from one address (a hospital's apps may all come from one): this project's choice, not a published one.
TOKENS_A_MINUTE, REFUSALS_A_MINUTE = 300, 30
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Counter:
    """What one client has asked for from one address in the minute of `at`."""

    client: str
    key: str
    at: datetime

    @classmethod
    def of(cls, request: HttpRequest, at: datetime) -> "Counter":
        client = claimed_client(request)
        address = str(import_string(settings.AXES_CLIENT_IP_CALLABLE)(request))
        mark = hashlib.blake2b(f"{client}\n{address}".encode(), digest_size=16).hexdigest()
        return cls(client, f"token-requests:{mark}:{int(at.timestamp()) // WINDOW_S}", at)

    def admits(self) -> bool:
        """Count a request, and whether it may be answered."""
        return self._count("all", 1) <= TOKENS_A_MINUTE and self._count("refused", 0) < REFUSALS_A_MINUTE

    def note_refusal(self) -> None:
        self._count("refused", 1)

    @property
    def retry_after_s(self) -> int:
        return WINDOW_S - int(self.at.timestamp()) % WINDOW_S

    def _count(self, what: str, more: int) -> int:
        key = f"{self.key}:{what}"
        try:
            cache.add(key, 0, timeout=2 * WINDOW_S)
            return int(cache.incr(key, more))
        except Exception as error:
            logger.warning("token requests are not counted: %s", type(error).__name__)
            return 0


def claimed_client(request: HttpRequest) -> str:
    """The registered client that a request names, before it has shown anything; UNKNOWN for any other name."""
    said = request.POST
    named = said.get("client_id", "") or _of_basic(request) or named_client(said.get("client_assertion", ""))
    if not named and said.get("grant_type") == "refresh_token":
        return public_client_of(said.get("refresh_token", "")) or UNKNOWN
    return named if named and client_by_id(named[:200]) is not None else UNKNOWN


def _of_basic(request: HttpRequest) -> str:
    scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return unquote(b64decode(credentials.strip()).decode().partition(":")[0])
    except ValueError:
        return ""
