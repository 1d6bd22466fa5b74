"""Browser apps of other origins may call the doors that take tokens. No cookie counts there, so any origin may."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

GetResponse = Callable[[HttpRequest], HttpResponse]
# The doors that know nobody by a cookie; the consent page is none of them.
OPEN = (
    "/fhir",
    "/.well-known/",
    "/cds-services",
    "/oauth/token",
    "/oauth/jwks",
    "/oauth/introspect",
    "/oauth/revoke",
    "/oauth/register",
)
METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
HEADERS = (
    "Authorization, Content-Type, Accept, Prefer, If-Match, If-None-Match, If-None-Exist, If-Modified-Since,"
    " Cache-Control, Pragma, Origin, X-Requested-With, X-Request-Id"
)
EXPOSED = "Location, Content-Location, ETag, Last-Modified, Retry-After, X-Progress, X-Request-Id, WWW-Authenticate"


class CorsMiddleware:
    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "Origin" not in request.headers or not is_open(request.path):
            return self.get_response(request)
        asks_first = request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers
        response = HttpResponse(status=204) if asks_first else self.get_response(request)
        response["Access-Control-Allow-Origin"] = "*"
        response["Access-Control-Expose-Headers"] = EXPOSED
        if asks_first:
            response["Access-Control-Allow-Methods"] = METHODS
            response["Access-Control-Allow-Headers"] = HEADERS
            response["Access-Control-Max-Age"] = "3600"
        return response


def is_open(path: str) -> bool:
    return any(path == one or path.startswith(one if one.endswith("/") else f"{one}/") for one in OPEN)
