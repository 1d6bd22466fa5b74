"""The pages and addresses of the example watch's maker; served by the demonstration only."""

from datetime import UTC, datetime
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, URLResolver, path
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from integrations.simulator.example_watch import ExampleWatch, asked_of


def _maker() -> ExampleWatch:
    return ExampleWatch(settings.DATA_DIR / "example-watch.sqlite3")


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def authorize(request: HttpRequest) -> HttpResponse:
    """Asks the person; their answer leads back."""
    asked = asked_of(request.GET.dict())
    if asked is None:
        return render(request, "demo/example_watch.html", {"problem": True}, status=400)
    if request.method != "POST":
        return render(request, "demo/example_watch.html", {"asked": asked})
    if request.POST.get("answer") == "yes":
        said = {"code": _maker().allow(asked, timezone.now()), "state": asked.state}
    else:
        said = {"error": "access_denied", "state": asked.state}
    return HttpResponseRedirect(f"{asked.back}?{urlencode(said)}")


@login_not_required
@csrf_exempt
@require_POST
def token(request: HttpRequest) -> HttpResponse:
    status, said = _maker().token(request.POST.dict(), timezone.now())
    return JsonResponse(said, status=status)


@login_not_required
@csrf_exempt
@require_POST
def revoke(request: HttpRequest) -> HttpResponse:
    status, said = _maker().revoke(request.POST.dict(), timezone.now())
    return JsonResponse(said, status=status)


@login_not_required
@require_GET
def readings(request: HttpRequest) -> HttpResponse:
    bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
    try:
        since = datetime.fromisoformat(request.GET.get("since", "")).astimezone(UTC)
    except ValueError:
        return JsonResponse({"error": "invalid_request"}, status=400)
    status, said = _maker().readings(bearer, since, timezone.now())
    return JsonResponse(said, status=status)


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def account(request: HttpRequest) -> HttpResponse:
    """The person's account at the maker, where they may take the consent back."""
    if request.method == "POST":
        _maker().take_back(timezone.now())
        return redirect("example_watch")
    return render(request, "demo/example_watch.html", {"account": True, "grants": _maker().open_grants()})


urlpatterns: list[URLPattern | URLResolver] = [
    path("demo/example-watch/", account, name="example_watch"),
    path("demo/example-watch/authorize", authorize, name="example_watch_authorize"),
    path("demo/example-watch/token", token, name="example_watch_token"),
    path("demo/example-watch/revoke", revoke, name="example_watch_revoke"),
    path("demo/example-watch/readings", readings, name="example_watch_readings"),
]
