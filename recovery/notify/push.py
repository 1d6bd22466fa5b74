"""To a browser (Push API, RFC 8030): encrypted for it (RFC 8291), signed with the house's key (RFC 8292)."""

import json
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from urllib.parse import urlsplit

import http_ece
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from django.conf import settings
from joserfc import jwt
from joserfc.jwk import ECKey

from recovery import egress
from recovery.exceptions import Invalid
from recovery.notify.message import Message, NotDelivered, Notice

KEPT_FOR_S = 4 * 3600  # a push service drops what it could not hand over by then: the list says it anyway
SIGNED_FOR_S = 12 * 3600  # RFC 8292: at most 24 h
URGENCY = {"high": "high", "medium": "normal"}
GONE = (404, 410)  # RFC 8030 section 7.3: the subscription has ended


@dataclass(frozen=True, slots=True)
class Browser:
    """Where a browser waits, and the keys that only it can open."""

    endpoint: str
    p256dh: str
    auth: str


class BrowserGone(NotDelivered):
    """The browser has ended its subscription."""


def send_push(browser: Browser, message: Message | Notice) -> None:
    """Raises BrowserGone, NotDelivered."""
    try:
        body = encrypted(browser, message)
        there = egress.check_url_may_be_called(browser.endpoint, settings.EGRESS_ALLOW_LOOPBACK)
        answer = egress.call(there, body=body, headers=_headers(browser, message))
    except Invalid as error:
        raise NotDelivered("The browser's push service may not be called.", for_good=True) from error
    except egress.CallFailed as error:
        raise NotDelivered(f"The push service: {error.message}") from error
    if answer.status in GONE:
        raise BrowserGone("The browser has ended its subscription.", for_good=True)
    if answer.status >= 300:
        raise NotDelivered(f"The push service answered {answer.status}.")


def encrypted(browser: Browser, message: Message | Notice) -> bytes:
    """The message as only this browser can read it. Raises NotDelivered for keys that are none."""
    said = json.dumps({"title": message.title, "body": message.text, "url": message.page, "tag": message.key})
    try:
        return bytes(
            http_ece.encrypt(
                said.encode(),
                private_key=ec.generate_private_key(ec.SECP256R1()),  # for this message only
                dh=from_base64url(browser.p256dh),
                auth_secret=from_base64url(browser.auth),
                version="aes128gcm",
            )
        )
    except (http_ece.ECEException, ValueError) as error:
        raise NotDelivered("The browser's keys cannot be used.", for_good=True) from error


def public_key() -> str:
    """What browsers subscribe to: the uncompressed point, base64url."""
    found = load_pem_private_key(settings.VAPID_PRIVATE_KEY.encode(), None)
    if not isinstance(found, ec.EllipticCurvePrivateKey):
        raise Invalid("VAPID_PRIVATE_KEY is no elliptic-curve key.", field="VAPID_PRIVATE_KEY")
    point = found.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return urlsafe_b64encode(point).decode().rstrip("=")


def from_base64url(text: str) -> bytes:
    """Raises ValueError."""
    return urlsafe_b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4))


def _headers(browser: Browser, message: Message | Notice) -> dict[str, str]:
    parts = urlsplit(browser.endpoint)
    claims = {
        "sub": settings.VAPID_SUBJECT,
        "aud": f"{parts.scheme}://{parts.netloc}",
        "exp": int(time.time()) + SIGNED_FOR_S,
    }
    signed = jwt.encode({"alg": "ES256", "typ": "JWT"}, claims, ECKey.import_key(settings.VAPID_PRIVATE_KEY))
    return {
        "Authorization": f"vapid t={signed}, k={public_key()}",
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        "TTL": str(KEPT_FOR_S),
        "Urgency": URGENCY.get(message.severity, "low"),
    }
