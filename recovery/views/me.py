"""The patient's home and readings, their goals, and how their pages look."""

from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from recovery.exceptions import NotFound
from recovery.models import Episode, User
from recovery.presenters.portal import own_view
from recovery.presenters.portal_home import home_view, risk_words
from recovery.selectors import check_ins as found
from recovery.selectors.portal import own_page
from recovery.selectors.portal_home import home_of
from recovery.services import portal
from recovery.views import door, portal_door
from recovery.views.portal_looks import LooksForm, looks, remember

SHOWN_AT = "X-Portal-Home"  # the service worker keeps what carries this as the last-known home


@require_GET
def show_me(request: HttpRequest) -> HttpResponse:
    """Home; a caregiver who may not see how the patient is doing is shown what they may do."""
    now = door.clock()
    try:
        subject = portal_door.subject(request, "see", now)
    except NotFound:
        if door.person(request).role == User.Role.CAREGIVER:
            portal_door.subject(request, None, now)
            return redirect("me_people")
        raise
    page = own_page(subject.patient_id, now)
    portal_door.note(request, subject, now, "view_own_page")
    language = get_language() or "en"
    home = home_of(subject.patient_id, language, now)
    context = {
        "view": own_view(page, now, found.zone_of(found.episode_of(subject.patient_id))),
        "home": home_view(home, now, language),
        "is_self": subject.is_self,
        "helps": "" if subject.is_self else subject.first_name,
        "may_answer": "answer" in subject.scopes,
        "steps": range(11),
        "risk": risk_words(page.said) if home.shows_numbers else "",
    }
    response = render(request, "portal/home.html", context)
    response[SHOWN_AT] = "1"
    return response


@require_GET
def show_readings(request: HttpRequest) -> HttpResponse:
    now = door.clock()
    subject = portal_door.subject(request, "see", now)
    page = own_page(subject.patient_id, now)
    portal_door.note(request, subject, now, "view_own_readings")
    zone = found.zone_of(found.episode_of(subject.patient_id))
    return render(request, "portal/readings.html", {"view": own_view(page, now, zone)})


@require_http_methods(("GET", "HEAD", "POST"))
def show_settings(request: HttpRequest) -> HttpResponse:
    """Language and text size, for everybody who may be in the portal."""
    now = door.clock()
    portal_door.subject(request, None, now)
    if request.method != "POST":
        return render(request, "portal/settings.html", looks(request))
    chosen = door.cleaned(LooksForm(request.POST))
    portal.prefer(user=door.person(request), actor=door.actor(request), now=now, **chosen)
    remember(request, chosen["language"], chosen["text_size"])
    return redirect("me_settings")


class GoalForm(forms.Form):
    text = forms.CharField(max_length=120)


class ClosenessForm(forms.Form):
    closeness = forms.IntegerField(min_value=0, max_value=10)


def _own_episode(request: HttpRequest) -> Episode:
    """Goals are the patient's own. Raises NotFound for everybody else."""
    return found.episode_of(portal_door.only_self(request, door.clock()).patient_id)


@require_POST
def add_goal(request: HttpRequest) -> HttpResponse:
    episode = _own_episode(request)
    text = door.cleaned(GoalForm(request.POST))["text"]
    portal.add_goal(episode=episode, text=text, actor=door.actor(request), now=door.clock())
    return redirect("me")


@require_POST
def rate_goal(request: HttpRequest, key: UUID) -> HttpResponse:
    episode = _own_episode(request)
    closeness = door.cleaned(ClosenessForm(request.POST))["closeness"]
    portal.rate_goal(episode=episode, key=key, closeness=closeness, actor=door.actor(request), now=door.clock())
    return redirect("me")


@require_POST
def drop_goal(request: HttpRequest, key: UUID) -> HttpResponse:
    episode = _own_episode(request)
    portal.drop_goal(episode=episode, key=key, actor=door.actor(request), now=door.clock())
    return redirect("me")
