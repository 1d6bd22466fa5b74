"""Emergency access: search, open with a reason, close; and the privacy officer's queue."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from recovery.exceptions import NotFound
from recovery.forms_identity import EmergencyOpenForm, EmergencyReviewForm, EmergencySearchForm
from recovery.selectors import emergencies
from recovery.services import emergency
from recovery.views import door


@require_http_methods(["GET", "POST"])
def show_search(request: HttpRequest) -> HttpResponse:
    """A search is a POST: names and record numbers never stand in an address."""
    if not door.person(request).is_clinical:
        raise NotFound("This page is for the care team.")
    form = EmergencySearchForm(request.POST or None)
    found = None
    if request.method == "POST":
        wanted = door.cleaned(form)
        found = emergency.search(**wanted, user=door.person(request), actor=door.actor(request), now=door.clock())
    context = {"form": form, "found": found, "shortest": emergency.SHORTEST_REASON}
    return render(request, "pages/breakglass.html", context)


@require_POST
def open_record(request: HttpRequest) -> HttpResponse:
    user, now = door.person(request), door.clock()
    wanted = door.cleaned(EmergencyOpenForm(request.POST))
    access = emergency.open_record(**wanted, user=user, actor=door.actor(request), now=now)
    mine = {one.key: one for one in emergencies.my_open_accesses(user, now)}
    episodes = mine[access.key].episodes if access.key in mine else ()
    return redirect("patient", key=episodes[0]) if episodes else redirect("emergency")


@require_POST
def close_record(request: HttpRequest, key: UUID) -> HttpResponse:
    emergency.close_record(key=key, user=door.person(request), actor=door.actor(request), now=door.clock())
    messages.success(request, "Emergency access is closed.")
    return redirect("home")


def show_queue(request: HttpRequest) -> HttpResponse:
    now = door.clock()
    waiting, done = emergencies.accesses_to_review(door.person(request), now)
    door.note(request, now, "emergency_queue")
    return render(request, "pages/breakglass_review.html", {"waiting": waiting, "done": done})


@require_POST
def review(request: HttpRequest, key: UUID) -> HttpResponse:
    said = door.cleaned(EmergencyReviewForm(request.POST))
    emergency.review(key=key, **said, user=door.person(request), actor=door.actor(request), now=door.clock())
    messages.success(request, "Your review is kept.")
    return redirect("emergency_review")
