"""Where the SMS gateway brings what people send back. Signed with a shared secret; without one there is no door."""

import hashlib
import hmac
import json

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from recovery.services.sms_answers import receive_sms
from recovery.texts import is_storable
from recovery.views import door

LARGEST = 8_192
# A call that was recorded and played back later is refused.
FRESH_S = 300


@csrf_exempt
@login_not_required
@require_POST
def receive(request: HttpRequest) -> HttpResponse:
    """{id, from, text} with X-Timestamp and X-Signature = HMAC-SHA256(secret, timestamp "." body), in hex."""
    if not settings.SMS_INBOUND_SECRET or not _is_signed(request):
        return HttpResponse(status=404)
    try:
        said = json.loads(request.body)
        provider_id, sender, text = (str(said[name]) for name in ("id", "from", "text"))
    except (ValueError, KeyError, TypeError, RecursionError):
        return JsonResponse({"error": "id, from and text are needed"}, status=400)
    if not provider_id or len(provider_id) > 100 or not is_storable(provider_id + sender):
        return JsonResponse({"error": "id must have 1 to 100 characters"}, status=400)
    reply = receive_sms(provider_id=provider_id, sender=sender, text=text[:500], now=door.clock())
    return JsonResponse({"reply": reply})


def _is_signed(request: HttpRequest) -> bool:
    stamp, said = request.headers.get("X-Timestamp", ""), request.headers.get("X-Signature", "")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) < 12) or len(request.body) > LARGEST:
        return False
    if abs(door.clock().timestamp() - int(stamp)) > FRESH_S:
        return False
    key = settings.SMS_INBOUND_SECRET.encode()
    wanted = hmac.new(key, stamp.encode() + b"." + request.body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(wanted.encode(), said.encode())
