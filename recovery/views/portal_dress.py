"""Which requests are of the portal, and in which language its people read: also where no database answers."""

from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import get_supported_language_variant

from recovery.models import User

# Pages that patients and those who help them see; everything else is the staff's, in English.
PREFIXES = ("/me/", "/invite/", "/join/")
LANGUAGE, TEXT = "portal_language", "portal_text"
PEOPLE = (User.Role.PATIENT, User.Role.CAREGIVER)


def is_page(request: HttpRequest) -> bool:
    """A page of the portal, the sign-in on the way to one, or the account of a person of it."""
    if request.path.startswith(PREFIXES):
        return True
    if request.path == reverse("login"):
        return request.GET.get("next", "").startswith(PREFIXES)
    if request.path == reverse("mfa_login_webauthn"):
        return request.POST.get("next", "").startswith(PREFIXES)
    return request.path.startswith(reverse("account")) and _is_person(found_user(request))


def found_user(request: HttpRequest) -> User | AnonymousUser | None:
    """Who was already found to have sent this; None where nobody was looked up.

    Asks the database nothing, as pages of faults must not. `request.user` would look the person up, and Django has no
    public way to ask whether it has done so: the name is that under which its middleware keeps whom it found.
    """
    found: User | AnonymousUser | None = getattr(request, "_cached_user", None)
    return found


def _is_person(user: object) -> bool:
    return isinstance(user, User) and user.role in PEOPLE


def is_theirs(request: HttpRequest) -> bool:
    """A page of the portal, or a person of it wherever they are. Asks the database nothing: whoever was not looked up
    before is nobody."""
    return is_page(request) or _is_person(found_user(request))


def language_of(request: HttpRequest) -> str:
    """What the person chose or their browser asks for; blank where their choice could not be looked up."""
    spoken = getattr(request, LANGUAGE, "")
    if spoken:
        return str(spoken)
    session = getattr(request, "session", None)
    if session is not None and session.session_key and not hasattr(session, "_session_cache"):
        return ""
    chosen = known(session.get(LANGUAGE)) if session is not None else ""
    return chosen or accepted(request.headers.get("Accept-Language", ""))


def known(language: object) -> str:
    """The language where it is one of ours; blank otherwise."""
    return language if isinstance(language, str) and language in dict(settings.LANGUAGES) else ""


def accepted(header: str) -> str:
    """The first language of the browser's list that we speak; English otherwise."""
    for part in header[:300].split(","):
        try:
            return get_supported_language_variant(part.split(";")[0].strip().lower())
        except LookupError:
            continue
    return settings.LANGUAGE_CODE


def sign_in_address(place: str = "", ended: str = "") -> str:
    """Of the sign-in in the portal's dress. `place`: a page of the portal to go on to; home otherwise."""
    said = {"next": place if place.startswith(PREFIXES) else reverse("me"), **({"ended": ended} if ended else {})}
    return f"{reverse('login')}?{urlencode(said)}"


def second_factor_left(language: str) -> str:
    """Where somebody goes who has given a password and wants no second factor: the sign-in in the same language."""
    return f"{reverse('login')}?{urlencode({'language': language, 'next': reverse('me')})}"


def page_before(request: HttpRequest) -> str:
    """Path of the portal's page on which the person was; blank where the browser does not say, or it was another."""
    came = urlsplit(request.headers.get("Referer", ""))
    is_ours = came.netloc == request.META.get("HTTP_HOST") and came.path.startswith(PREFIXES)
    return came.path if is_ours else ""
