"""In which language and text size a person has the portal's pages: asked, kept in the session, recalled at sign-in."""

from django import forms
from django.http import HttpRequest
from django.utils.translation import get_language, get_language_info
from django.utils.translation import gettext as _

from recovery.selectors.portal_preference import preference_of
from recovery.services import portal
from recovery.views.portal_dress import LANGUAGE, TEXT


class LooksForm(forms.Form):
    language = forms.ChoiceField(choices=list(portal.LANGUAGES.items()))
    text_size = forms.TypedChoiceField(choices=[(size, size) for size in portal.TEXT_SIZES], coerce=int)


def remember(request: HttpRequest, language: str, text_size: int) -> None:
    """For the pages that follow (twinweb/portal.py reads it)."""
    request.session[LANGUAGE], request.session[TEXT] = language, text_size


def recall(request: HttpRequest, user_id: int) -> None:
    """What the person chose before, unless they chose anew in this session."""
    if LANGUAGE not in request.session:
        remember(request, *(preference_of(user_id) or ("", 1)))


def spoken() -> list[tuple[str, str, bool]]:
    """Our languages: key, how it calls itself, whether it is the one of this page."""
    here = get_language() or "en"
    return [(key, get_language_info(key)["name_local"], key == here) for key in portal.LANGUAGES]


def looks(request: HttpRequest) -> dict[str, object]:
    """What a page that asks for language and text size needs: each language names itself."""
    return {
        "languages": spoken(),
        "sizes": list(zip(portal.TEXT_SIZES, _sizes(), strict=True)),
        "size": int(request.session.get(TEXT, 1)),
    }


def _sizes() -> list[str]:
    return [_("Usual text"), _("Large text"), _("Very large text")]
