"""Which pages stand in an EHR's frame: those of a session that the EHR's launch began, and no others.

settings.EHR_FRAME_ORIGINS names who may frame at all. What gives something away with one click - allowing an app,
one's own account - stands in no frame, whoever began the session.
"""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from integrations.smart.ehr import FRAMED

GetResponse = Callable[[HttpRequest], HttpResponse]
LAUNCH = "/launch"
NEVER = ("/oauth/", "/account/", "/connections/", "/team/", "/apps/")


class FrameMiddleware:
    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if settings.EHR_FRAME_ORIGINS and not may_be_framed(request):
            known = getattr(response, "_csp_replace", None) or {}
            response._csp_replace = {**known, "frame-ancestors": ["'none'"]}  # type: ignore[attr-defined]
        return response


def may_be_framed(request: HttpRequest) -> bool:
    if request.path.startswith(NEVER):
        return False
    return request.path.startswith(LAUNCH) or bool(request.session.get(FRAMED))
