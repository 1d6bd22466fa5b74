"""Pages about the product itself, and the administrator's list of codes without a metric."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from recovery.permissions import check_user_can_administer
from recovery.presenters.model_card import model_view
from recovery.selectors.model_card import model_card
from recovery.selectors.quality import unmapped_codes
from recovery.views import door


@require_GET
def show_model(request: HttpRequest) -> HttpResponse:
    return render(request, "pages/model.html", {"view": model_view(model_card())})


@require_GET
def show_help(request: HttpRequest) -> HttpResponse:
    return render(request, "pages/help.html")


@require_GET
def show_unmapped(request: HttpRequest) -> HttpResponse:
    check_user_can_administer(door.person(request))
    return render(request, "pages/unmapped.html", {"rows": unmapped_codes()})
