"""The page for a fault of ours: with the request number, so that it can be found in the log."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


@login_not_required
def failed(request: HttpRequest) -> HttpResponse:
    context = {"request_id": getattr(request, "request_id", "")}
    return render(request, "errors/500.html", context, status=500)
