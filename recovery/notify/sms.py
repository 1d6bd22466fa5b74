"""By SMS, through a gateway that speaks HTTP: POST JSON {to, text, id} with a bearer token, 2xx with {"id": ...}.

The gateway is pluggable (settings.SMS_GATEWAY_URL, SMS_GATEWAY_TOKEN); most providers need a few lines of adapter in
front. `id` is the idempotency key: sent again, the same SMS goes out once.
"""

import json

from django.conf import settings

from recovery.egress import CallFailed, call, check_url_may_be_called
from recovery.exceptions import Invalid
from recovery.notify.message import NotDelivered

LONGEST = 320  # two SMS of the GSM alphabet


def is_set_up() -> bool:
    return bool(settings.SMS_GATEWAY_URL)


def send_sms(to: str, text: str, key: str) -> str:
    """The provider's own id of it, blank where it says none. Raises NotDelivered."""
    if not is_set_up():
        raise NotDelivered("No SMS gateway is set up.", for_good=True)
    body = json.dumps({"to": to, "text": text[:LONGEST], "id": key}).encode()
    headers = {
        "Authorization": f"Bearer {settings.SMS_GATEWAY_TOKEN}",
        "Content-Type": "application/json",
        "Idempotency-Key": key,
    }
    try:
        where = check_url_may_be_called(settings.SMS_GATEWAY_URL, allow_loopback=settings.EMBEDDED)
        answer = call(where, body=body, headers=headers)
    except Invalid as error:
        raise NotDelivered("The address of the SMS gateway may not be called.", for_good=True) from error
    except CallFailed as error:
        raise NotDelivered(error.message) from error
    if answer.status in (400, 404, 410, 422):
        raise NotDelivered("The SMS gateway refuses this number.", for_good=True)
    if not 200 <= answer.status < 300:
        raise NotDelivered(f"The SMS gateway answered {answer.status}.")
    return _id_of(answer.body)


def _id_of(body: bytes) -> str:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    return str(said.get("id", ""))[:100] if isinstance(said, dict) else ""
