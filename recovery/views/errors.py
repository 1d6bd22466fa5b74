"""The page for a fault of ours, with the request number by which it is found in the log; and for an outage."""

import sys

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from recovery import outage


@login_not_required
def failed(request: HttpRequest) -> HttpResponse:
    """Called by Django while the error is handled. Nothing here may ask the database."""
    context = {"request_id": getattr(request, "request_id", "")}
    away = outage.of(sys.exc_info()[1])
    if away is None:
        return render(request, "errors/500.html", context, status=500)
    response = render(None, "errors/503.html", {**context, "message": away}, status=503)
    response["Retry-After"] = str(outage.RETRY_AFTER)
    return response
