"""The patient's own page."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from recovery.presenters.portal import own_view
from recovery.selectors.portal import own_page
from recovery.views import door


@require_GET
def show_me(request: HttpRequest) -> HttpResponse:
    now = door.clock()
    page = own_page(door.person(request), now)
    door.note(request, now, "view_own_page", patient_ids=[page.patient_id])
    return render(request, "portal/me.html", {"view": own_view(page, now, door.zone())})
