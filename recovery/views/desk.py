"""What is on every page's desk: finding a patient, the theme, and the first-run tour."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from recovery.forms import PracticeForm, SearchForm, ThemeForm
from recovery.presenters import wording
from recovery.presenters.tour import PRACTICE, feedback
from recovery.selectors.finding_people import find_people
from recovery.services import desks
from recovery.views import door

A_YEAR = 365 * 24 * 3600


@require_http_methods(["GET", "POST"])
def search(request: HttpRequest) -> HttpResponse:
    """Asked by POST: a name belongs into no address, log or history. GET shows the empty form."""
    door.check_is_staff(request)
    now = door.clock()
    words = door.cleaned(SearchForm(request.POST))["q"] if request.method == "POST" else ""
    found = find_people(door.person(request), words, now)
    if request.method == "POST":
        keys = [str(one.key) for one in found.people]
        door.note(request, now, "search_patients", detail={"episodes": keys, "found": found.total})
    rows = [
        (one, wording.recovery_day((now - one.surgery_end).total_seconds() / 3600.0 if one.surgery_end else None))
        for one in found.people
    ]
    return render(request, "pages/search.html", {"words": words, "found": found, "rows": rows})


@require_POST
def set_theme(request: HttpRequest) -> HttpResponse:
    """Kept for the person, and in a cookie so that no page has to look it up."""
    theme = door.cleaned(ThemeForm(request.POST))["theme"]
    desks.set_theme(theme=theme, actor=door.actor(request), now=door.clock())
    return keep_theme(request, redirect(_back(request)), theme)


def keep_theme(request: HttpRequest, response: HttpResponse, theme: str) -> HttpResponse:
    """The person's theme as a cookie, also in a browser that they have not used before."""
    if request.COOKIES.get("theme", "system") != theme:
        secure = request.is_secure()
        response.set_cookie("theme", theme, max_age=A_YEAR, secure=secure, httponly=True, samesite="Lax")
    return response


@require_GET
def show_tour(request: HttpRequest) -> HttpResponse:
    door.check_is_staff(request)
    return render(request, "pages/tour.html", {"practice": PRACTICE})


@require_POST
def practise(request: HttpRequest) -> HttpResponse:
    """An answer to the practice alert: told what it would have done; nothing of it is kept."""
    door.check_is_staff(request)
    answer = door.cleaned(PracticeForm(request.POST))["answer"]
    desks.note_practice(actor=door.actor(request), now=door.clock())
    return render(request, "pages/tour.html", {"practice": PRACTICE, "answered": feedback(answer)})


@require_POST
def end_tour(request: HttpRequest) -> HttpResponse:
    door.check_is_staff(request)
    desks.end_tour(actor=door.actor(request), now=door.clock())
    return redirect("board")


def _back(request: HttpRequest) -> str:
    wanted = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if wanted.startswith("/") and safe else "/"
