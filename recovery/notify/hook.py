"""To a team's own system: one signed POST.

`X-Twinweb-Signature: t=<unix seconds>,v1=<hex>`, the HMAC-SHA256 of "<t>.<body>" under the hook's secret. The receiver
compares in constant time, refuses an old `t`, and takes `id` of the body twice as once.
"""

import hashlib
import hmac
import json
import time

from django.conf import settings

from recovery import egress
from recovery.exceptions import Invalid
from recovery.notify.message import Message, NotDelivered


def secret_of(hook_key: str) -> str:
    """Follows from the hook's key and the house's SECRET_KEY, so that none is stored."""
    key = hashlib.sha256(b"hook:" + settings.SECRET_KEY.encode()).digest()
    return hmac.new(key, hook_key.encode(), hashlib.sha256).hexdigest()


def signature(secret: str, at: int, body: bytes) -> str:
    found = hmac.new(secret.encode(), str(at).encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={found}"


def send_hook(url: str, secret: str, message: Message) -> None:
    """Raises NotDelivered unless the answer is 2xx."""
    body = json.dumps(message.to_plain(), sort_keys=True).encode()
    headers = {"Content-Type": "application/json", "X-Twinweb-Signature": signature(secret, int(time.time()), body)}
    try:
        there = egress.check_url_may_be_called(url, settings.EGRESS_ALLOW_LOOPBACK)
        answer = egress.call(there, body=body, headers=headers)
    except Invalid as error:
        raise NotDelivered(error.message) from error
    except egress.CallFailed as error:
        raise NotDelivered(error.message) from error
    if not 200 <= answer.status < 300:
        raise NotDelivered(f"It answered {answer.status}.")
