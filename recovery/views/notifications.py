"""A person's notifications, how they want to be told, and which of their browsers may be woken."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from recovery.alert_forms import BrowserForm, WishForm
from recovery.exceptions import Invalid
from recovery.notify.push import public_key
from recovery.presenters.notifications import told_lines
from recovery.selectors.notifications import told_to, wish_of
from recovery.services import reaching
from recovery.views import door


@require_GET
def show_notifications(request: HttpRequest) -> HttpResponse:
    door.check_is_staff(request)
    now, user = door.clock(), door.person(request)
    rows = told_to(user, now)
    door.note(request, now, "view_notifications", detail={"alerts": sorted({str(one.alert_key) for one in rows})})
    context = {
        "rows": told_lines(rows, now, door.zone()),
        "unread": sum(one.read_at is None for one in rows),
        "wish": wish_of(user),
        "push_key": public_key(),
        "email_is_set_up": settings.EMAIL_IS_SET_UP,
        "zone": settings.HOSPITAL_TIME_ZONE,
    }
    return render(request, "pages/notifications.html", context)


@require_POST
def mark_read(request: HttpRequest) -> HttpResponse:
    door.check_is_staff(request)
    reaching.mark_read(user=door.person(request), now=door.clock())
    return redirect("notifications")


@require_POST
def set_wish(request: HttpRequest) -> HttpResponse:
    door.check_is_staff(request)
    sent = door.cleaned(WishForm(request.POST))
    reaching.set_preference(user=door.person(request), actor=door.actor(request), now=door.clock(), **sent)
    messages.success(request, "Kept.")
    return redirect("notifications")


@require_POST
def add_browser(request: HttpRequest) -> HttpResponse:
    """Asked by a page of ours with fetch: what the browser's subscription says."""
    door.check_is_staff(request)
    sent = door.cleaned(BrowserForm(request.POST))
    try:
        reaching.add_browser(user=door.person(request), actor=door.actor(request), now=door.clock(), **sent)
    except Invalid as problem:
        return JsonResponse({"said": problem.message}, status=400)
    return JsonResponse({"said": "This browser will be woken."})


@require_POST
def remove_browsers(request: HttpRequest) -> HttpResponse:
    door.check_is_staff(request)
    reaching.remove_browsers(user=door.person(request), actor=door.actor(request), now=door.clock())
    messages.success(request, "No browser of yours will be woken.")
    return redirect("notifications")
