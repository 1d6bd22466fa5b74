"""Posting to a FHIR server until it acknowledges: the same bytes again after every failure.

Only the standard library. A 2xx means stored (the server's promise); a refusal of a whole body is final and counted;
everything else, from a closed port to a 503, means not now.
"""

import http.client
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

logger = logging.getLogger(__name__)

TIMEOUT = 30.0  # s for one request
BACK_OFF_FIRST, BACK_OFF_MOST = 0.25, 15.0  # s; doubled for each failure in a row
NOT_NOW = frozenset((401, 403, 404, 408, 425, 429))  # also while the server starts or a token is renewed
FHIR_JSON = "application/fhir+json"


@dataclass(slots=True)
class Tally:
    """What became of the entries sent so far. `held`: already there, so sent twice."""

    created: int = 0
    held: int = 0
    refused: int = 0
    retries: int = 0


class Client:
    """One keep-alive connection. `wait(seconds)` pauses and returns True when it is time to give up."""

    def __init__(self, base_url: str, token: Callable[[], str], wait: Callable[[float], bool]) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{base_url!r} is no http address")
        secure = parts.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        self._connection = kind(parts.hostname, parts.port, timeout=TIMEOUT)
        self._path = parts.path.rstrip("/") or "/"
        self._token = token
        self._wait = wait
        self.tally = Tally()

    def post(self, body: bytes) -> bool:
        """Send one Bundle until the server has it (True), or until told to give up (False)."""
        pause = BACK_OFF_FIRST
        while True:
            status, answer = self._try(body)
            if 200 <= status < 300:
                self._count(answer)
                return True
            if 400 <= status < 500 and status not in NOT_NOW:
                self.tally.refused += 1
                logger.error("a body of %d bytes was refused with %d", len(body), status)
                return True
            self.tally.retries += 1
            if self._wait(pause):
                return False
            pause = min(2 * pause, BACK_OFF_MOST)

    def close(self) -> None:
        self._connection.close()

    def _try(self, body: bytes) -> tuple[int, bytes]:
        """(status, answer); status 0 when the server cannot be reached or breaks off."""
        headers = {"Content-Type": FHIR_JSON, "Accept": FHIR_JSON, "Authorization": f"Bearer {self._token()}"}
        try:
            self._connection.request("POST", self._path, body, headers)
            response = self._connection.getresponse()
            return response.status, response.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            return 0, b""

    def _count(self, answer: bytes) -> None:
        for entry in json.loads(answer).get("entry", ()):
            status = str(entry.get("response", {}).get("status", ""))
            if status.startswith("201"):
                self.tally.created += 1
            elif status.startswith("2"):
                self.tally.held += 1
            else:
                self.tally.refused += 1
