"""The way in: a link or a printed code, the date of birth, how the pages shall look, and a password."""

from datetime import date

from allauth.mfa.utils import is_mfa_enabled
from django import forms
from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.crypto import get_random_string
from django.utils.module_loading import import_string
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from recovery.audit import Actor
from recovery.exceptions import Invalid
from recovery.selectors.portal_access import Opened, opened_by
from recovery.services import invites, portal
from recovery.services.invites import NotOpened, TooManyTries
from recovery.views import door
from recovery.views.portal_dress import LANGUAGE, TEXT
from recovery.views.portal_looks import LooksForm, looks, remember

BACKEND = "django.contrib.auth.backends.ModelBackend"
OPENED = "portal_invite"
PAGES = ("GET", "HEAD", "POST")


class OpenForm(forms.Form):
    """A code typed from paper, or that of the link; three fields of a date, as people write it."""

    code = forms.CharField(max_length=64, required=False)
    day = forms.IntegerField(min_value=1, max_value=31)
    month = forms.IntegerField(min_value=1, max_value=12)
    year = forms.IntegerField(min_value=1880, max_value=2100)


class SignInForm(forms.Form):
    username = forms.CharField(max_length=150, required=False)
    password = forms.CharField(max_length=200, strip=False)


def _actor(request: HttpRequest) -> Actor:
    return Actor("system", None, "portal invite", getattr(request, "request_id", ""))


@login_not_required
@require_http_methods(PAGES)
def open_invite(request: HttpRequest, code: str = "") -> HttpResponse:
    """The same page for every code: who asks for the date of birth of nobody learns nothing."""
    context = {**looks(request), "code": code}
    if "language" in request.GET:
        _choose_language(request)
        return redirect(request.path)
    if request.method != "POST":
        return render(request, "portal/invite.html", context)
    try:
        opened = _open(request, code)
    except TooManyTries:
        return render(request, "portal/invite.html", {**context, "problem": "many"}, status=429)
    except NotOpened:
        return render(request, "portal/invite.html", {**context, "problem": "no", "typed": request.POST}, status=422)
    request.session.cycle_key()
    request.session[OPENED] = opened
    return redirect("invite_looks")


def _choose_language(request: HttpRequest) -> None:
    chosen = request.GET["language"]
    if chosen in portal.LANGUAGES:
        remember(request, chosen, int(request.session.get(TEXT, 1)))


def _open(request: HttpRequest, code: str) -> str:
    """Key of the invite that was opened. A date that is none counts as a wrong one."""
    form = OpenForm(request.POST)
    form.is_valid()
    typed = code or str(form.cleaned_data.get("code", ""))
    found = invites.open_invite(
        code=invites.plain_code(typed),
        birth_date=_date(form.cleaned_data),
        source=import_string(settings.AXES_CLIENT_IP_CALLABLE)(request),
        actor=_actor(request),
        now=door.clock(),
    )
    return str(found.key)


def _date(parts: dict[str, int]) -> date | None:
    try:
        return date(parts["year"], parts["month"], parts["day"])
    except (KeyError, ValueError):
        return None


def _opened(request: HttpRequest) -> Opened | None:
    key = request.session.get(OPENED)
    return opened_by(key) if isinstance(key, str) else None


@login_not_required
@require_http_methods(PAGES)
def choose_looks(request: HttpRequest) -> HttpResponse:
    """Language and text size come first: everything after is easier to read."""
    opened = _opened(request)
    if opened is None:
        return redirect("invite")
    if request.method == "POST":
        chosen = door.cleaned(LooksForm(request.POST))
        remember(request, chosen["language"], chosen["text_size"])
        return redirect("invite_sign_in")
    return render(request, "portal/invite_looks.html", {**looks(request), "opened": opened})


@sensitive_post_parameters("password")
@login_not_required
@require_http_methods(PAGES)
def choose_sign_in(request: HttpRequest) -> HttpResponse:
    opened = _opened(request)
    if opened is None:
        return redirect("invite")
    suggested = opened.username or _suggested(request, opened)
    context = {"opened": opened, "suggested": suggested}
    if request.method != "POST":
        return render(request, "portal/invite_sign_in.html", context)
    form = SignInForm(request.POST)
    try:
        said = door.cleaned(form)
        is_in = _accept(request, opened, said["username"] or suggested, said["password"])
    except NotOpened:
        return redirect("invite")
    except Invalid as problem:
        context |= {"problem": problem.message, "field": problem.field, "suggested": request.POST.get("username", "")}
        return render(request, "portal/invite_sign_in.html", context, status=422)
    return redirect("me" if is_in else "login")


def _suggested(request: HttpRequest, opened: Opened) -> str:
    """A name that is easy to type and hardly taken; the same on each look at the page."""
    if "portal_name" not in request.session:
        first = "".join(one for one in opened.first_name.lower() if one.isascii() and one.isalpha()) or "me"
        request.session["portal_name"] = f"{first}-{get_random_string(5, '0123456789')}"
    return str(request.session["portal_name"])


def _accept(request: HttpRequest, opened: Opened, username: str, password: str) -> bool:
    """Whether they are signed in by this. A link in an e-mail is no way past a second factor: who has one signs in with
    both (ASVS 5, 6.4.3). A code handed over in person is, for those who lost theirs: it proves as much as the first."""
    now = door.clock()
    key = str(request.session[OPENED])
    user = invites.accept(key=key, username=username, password=password, actor=_actor(request), now=now)
    chosen = request.session.get(LANGUAGE) or "en", int(request.session.get(TEXT, 1))
    request.session.flush()
    portal.prefer(user=user, language=chosen[0], text_size=chosen[1], actor=Actor.of_user(user), now=now)
    is_in = opened.in_person or not is_mfa_enabled(user)
    if is_in:
        login(request, user, backend=BACKEND)
        door.note(request, now, "sign_in", detail={"by": "invite"})
    remember(request, *chosen)
    return is_in
