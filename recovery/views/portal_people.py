"""My people: whom a patient lets in, and how a caregiver comes in."""

from uuid import UUID

from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from recovery.audit import Actor
from recovery.exceptions import Conflict, Invalid, NotFound
from recovery.models import User
from recovery.portal_forms import RELATIONS, SCOPES, TOLD, BirthDateForm, CaregiverForm, JoinForm, ScopesForm
from recovery.presenters.portal_people import HELPER_WORDS, person_card, relation_words
from recovery.presenters.portal_refusals import told
from recovery.selectors.helping import waits_for
from recovery.selectors.portal_people import doors_of, grants_of, invitation_of
from recovery.selectors.reminders import helper_contact_of
from recovery.services import grants
from recovery.views import door, portal_door

BACKEND = "django.contrib.auth.backends.ModelBackend"


@require_GET
def show_people(request: HttpRequest) -> HttpResponse:
    """To a patient: whom they let in. To a caregiver: whom they may go in to, and what they may do there."""
    now = door.clock()
    found = portal_door.subject(request, None, now)
    portal_door.note(request, found, now, "view_people")
    if not found.is_self:
        return _doors(request)
    return _people(request, CaregiverForm())


def _people(request: HttpRequest, form: CaregiverForm, status: int = 200) -> HttpResponse:
    now = door.clock()
    mine = portal_door.only_self(request, now)
    zone = portal_door.zone_of(mine)
    cards = [person_card(one, zone) for one in grants_of(mine.patient_id, now)]
    context = {
        "standing": [card for card in cards if card.stands],
        "former": [card for card in cards if not card.stands],
        "form": form,
        "scopes": SCOPES,
        "told": TOLD,
        "told_unless_said": grants.TOLD_UNLESS_SAID,
        "relations": RELATIONS,
    }
    return render(request, "portal/people.html", context, status=status)


def _doors(request: HttpRequest) -> HttpResponse:
    now = door.clock()
    found = portal_door.subject(request, None, now)
    person = door.person(request)
    doors = doors_of(person, now)
    language = get_language() or "en"
    context = {
        "others": [(one, waits_for(one, person, language, now)) for one in doors if one.grant != found.grant],
        "waits": next((waits_for(one, person, language, now) for one in doors if one.grant == found.grant), None),
        "is_told": any(one.told for one in doors),
        "contact": helper_contact_of(person, now),
        "found": found,
        "relation": relation_words(found.relation),
        "may": [(scope, words) for scope, words in HELPER_WORDS.items() if scope in found.scopes],
    }
    return render(request, "portal/helping.html", context)


@require_POST
def go_in(request: HttpRequest, key: UUID) -> HttpResponse:
    """A caregiver of several people chooses one."""
    now = door.clock()
    if key not in {one.grant for one in doors_of(door.person(request), now)}:
        raise NotFound("There is no such page for you here.")
    portal_door.choose(request, str(key))
    return redirect("me_people")


@require_POST
def invite(request: HttpRequest) -> HttpResponse:
    now = door.clock()
    mine = portal_door.only_self(request, now)
    form = CaregiverForm(request.POST)
    if not form.is_valid():
        return _people(request, form, 400)
    sent = form.cleaned_data
    try:
        grant, token = grants.invite_caregiver(
            patient_id=mine.patient_id,
            called=sent["called"],
            relation=sent["relation"],
            scopes=sent["scopes"],
            told=sent["told"],
            actor=door.actor(request),
            now=now,
        )
    except (Invalid, Conflict) as error:
        form.add_error(None, told(error.message))
        return _people(request, form, 400)
    link = _public(request, reverse("join", args=[token]))
    return render(request, "portal/people_link.html", {"called": grant.called, "link": link})


def _public(request: HttpRequest, path: str) -> str:
    return f"{settings.PUBLIC_URL.rstrip('/')}{path}" if settings.PUBLIC_URL else request.build_absolute_uri(path)


@require_POST
def change(request: HttpRequest, key: UUID) -> HttpResponse:
    now = door.clock()
    mine = portal_door.only_self(request, now)
    sent = door.cleaned(ScopesForm(request.POST))
    grants.change_scopes(
        patient_id=mine.patient_id,
        key=key,
        scopes=sent["scopes"],
        told=sent["told"],
        actor=door.actor(request),
        now=now,
    )
    return redirect("me_people")


@require_POST
def end(request: HttpRequest, key: UUID) -> HttpResponse:
    now = door.clock()
    mine = portal_door.only_self(request, now)
    grants.end_grant(patient_id=mine.patient_id, key=key, actor=door.actor(request), now=now)
    return redirect("me_people")


@login_not_required
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest, token: str) -> HttpResponse:
    """The page behind a link: says who is asked for, and lets in who knows the patient's date of birth."""
    invitation = invitation_of(token, door.clock())
    known = request.user.is_authenticated and door.person(request).role == User.Role.CAREGIVER
    form = (BirthDateForm if known else JoinForm)(request.POST or None)
    status = 200
    if request.method == "POST":
        user = _joined(request, token, form, known)
        if user is not None:
            if not known:
                login(request, user, backend=BACKEND)
            return redirect("me_people")
        status = 400
        invitation = invitation_of(token, door.clock())
    context = {
        "form": form,
        "known": known,
        "called": invitation.called,
        "may": [words for scope, words in HELPER_WORDS.items() if scope in invitation.scopes],
    }
    return render(request, "portal/join.html", context, status=status)


def _joined(request: HttpRequest, token: str, form: BirthDateForm | JoinForm, known: bool) -> User | None:
    """The caregiver who came in; None with the reason in the form."""
    if not form.is_valid():
        return None
    sent = form.cleaned_data
    try:
        return grants.accept_invitation(
            token=token,
            birth_date=sent["birth_date"],
            username=sent.get("username", ""),
            password=sent.get("password", ""),
            user=door.person(request) if known else None,
            actor=door.actor(request) if request.user.is_authenticated else Actor.system("caregiver link"),
            now=door.clock(),
        )
    except (Invalid, Conflict) as error:
        form.add_error(error.field if error.field in form.fields else None, told(error.message))
        return None
