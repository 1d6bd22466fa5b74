"""Password, passkeys and the second factor: for people of the portal in its dress and language, for staff as ever."""

import re

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from allauth.mfa.webauthn.internal import auth
from allauth.usersessions.models import UserSession
from cryptography.hazmat.primitives.asymmetric import ec
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import Aaguid, AttestedCredentialData

from recovery.models import PortalPreference, User
from recovery.views import portal_dress
from tests import factories

pytestmark = pytest.mark.django_db
ACCOUNT = {"en": "Where you are signed in", "de": "Wo Sie angemeldet sind", "ar": "أين أنت مسجل الدخول"}
ELSEWHERE = {"en": "Firefox on Windows", "de": "Firefox auf Windows", "ar": "Firefox على Windows"}
STEP = {"en": "One more step", "de": "Noch ein Schritt", "ar": "خطوة أخرى"}
WRONG = {"en": "does not fit", "de": "passt nicht", "ar": "غير صحيح"}
REFUSED = {
    "en": "This passkey was not accepted",
    "de": "Dieser Passkey ging nicht",
    "ar": "لم يُقبل مفتاح المرور",
}
LIBRARY = {"en": "Change Password", "de": "Passwort ändern", "ar": "غيّر كلمة المرور"}
LANGUAGES = pytest.mark.parametrize("language", list(ACCOUNT))


def is_dressed(said: str, language: str) -> bool:
    return f'<html lang="{language}" dir="{"rtl" if language == "ar" else "ltr"}"' in said and 'class="portal' in said


def browser(language: str = "en", agent: str = "") -> Client:
    return Client(headers={"host": "localhost", "accept-language": language, "user-agent": agent})


def half_way(who: str, language: str) -> Client:
    """Somebody who has given their password, and not yet their second factor."""
    TOTP.activate(User.objects.get(username=who), generate_totp_secret())
    client = browser(language)
    sent = client.post(portal_dress.sign_in_address(), {"username": who, "password": factories.PASSWORD})
    assert sent["Location"] == reverse("mfa_authenticate")
    return client


@LANGUAGES
def test_a_patients_account_speaks_their_language_in_the_portals_dress(scene, language):
    other = browser(agent="Mozilla/5.0 (Windows NT 10.0) Firefox/141.0")
    for client in (other, browser(language)):
        client.post(reverse("login"), {"username": "patient", "password": factories.PASSWORD})
    said = client.get(reverse("account")).content.decode()
    assert is_dressed(said, language) and ACCOUNT[language] in said and ELSEWHERE[language] in said
    row = UserSession.objects.get(session_key=other.session.session_key)
    assert f'action="{reverse("session_end", args=[row.pk])}"' in said
    if language != "en":
        main = re.sub(r"<[^>]+>", " ", said[said.index("<main") : said.index("</main>")])
        assert not re.search(r"\b(the|your|sign|add|passkeys? and|code)\b", main)
        after = client.post(reverse("session_end", args=[row.pk]), follow=True).content.decode()
        assert "That session" not in after and ELSEWHERE[language] not in after


def test_a_helpers_account_too_and_in_the_language_that_they_chose(scene):
    helper = User.objects.create_user("anna", password=factories.PASSWORD, role=User.Role.CAREGIVER)
    PortalPreference.objects.create(user=helper, language="ar", text_size=2, updated_at=timezone.now())
    client = browser("de")
    client.force_login(helper)
    said = client.get(reverse("account")).content.decode()
    assert is_dressed(said, "ar") and ACCOUNT["ar"] in said and 'class="text-2"' in said


@LANGUAGES
def test_the_librarys_pages_behind_it_wear_the_same_dress(scene, language):
    client = scene.client("patient")
    said = client.get(reverse("account_change_password"), headers={"accept-language": language}).content.decode()
    assert is_dressed(said, language) and LIBRARY[language] in said


@LANGUAGES
def test_the_second_factor_is_asked_in_the_persons_language(scene, language):
    client = half_way("patient", language)
    said = client.get(reverse("mfa_authenticate")).content.decode()
    assert is_dressed(said, language) and STEP[language] in said and 'id="passkey_login"' not in said
    wrong = client.post(reverse("mfa_authenticate"), {"code": "000000"})
    said = wrong.content.decode()
    assert wrong.status_code == 200 and WRONG[language] in said and wrong["Content-Language"] == language
    left = client.post(reverse("logout"), {"next": portal_dress.second_factor_left(language)}, follow=True)
    assert is_dressed(left.content.decode(), language) and "_auth_user_id" not in client.session


def test_a_passkey_is_offered_to_who_has_one_with_words_for_when_none_was_used(scene, monkeypatch):
    client = half_way("patient", "de")
    public = ES256.from_cryptography_key(ec.generate_private_key(ec.SECP256R1()).public_key())
    held = AttestedCredentialData.create(Aaguid(bytes(16)), b"key of a phone", public)
    monkeypatch.setattr(auth, "get_credentials", lambda user: [held])
    said = client.get(reverse("mfa_authenticate")).content.decode()
    assert "Meinen Passkey benutzen" in said and 'data-said="Es wurde kein Passkey benutzt.' in said
    assert websafe_encode(b"key of a phone") in said and "js/passkeys" in said


def test_the_second_factor_remembers_what_the_person_chose_and_says_when_to_wait(scene):
    patient = User.objects.get(username="patient")
    PortalPreference.objects.create(user=patient, language="de", text_size=3, updated_at=timezone.now())
    client = half_way("patient", "en")
    assert is_dressed(client.get(reverse("mfa_authenticate")).content.decode(), "de")
    for _try in range(6):
        said = client.post(reverse("mfa_authenticate"), {"code": "000000"}).content.decode()
    assert "warten Sie fünf Minuten" in said and 'class="text-3"' in said
    refused = client.post(reverse("mfa_authenticate"), {"credential": "{}"}).content.decode()
    assert REFUSED["de"] in refused


@LANGUAGES
def test_a_refused_passkey_leads_back_to_the_portals_sign_in_with_words(scene, language):
    client = browser(language)
    sent = client.post(reverse("mfa_login_webauthn"), {"credential": "{}", "next": "/me/messages/"})
    said = client.get(sent["Location"]).content.decode()
    assert is_dressed(said, language) and REFUSED[language] in said and 'name="next" value="/me/messages/"' in said
    wrong = client.post(sent["Location"], {"username": "patient", "password": "wrong", "next": "/me/"})
    assert REFUSED[language] not in wrong.content.decode(), "one problem at a time"


def test_staff_keep_theirs_in_english_whatever_their_browser_speaks(scene):
    client = scene.client("own")
    said = client.get(reverse("account"), headers={"accept-language": "de"}).content.decode()
    assert "<h1>Your account</h1>" in said and 'class="portal' not in said and '<html lang="en"' in said
    said = client.get(reverse("account_change_password"), headers={"accept-language": "de"}).content.decode()
    assert "Back to your account" in said and LIBRARY["en"] in said and 'class="portal' not in said
    said = half_way("own", "de").get(reverse("mfa_authenticate")).content.decode()
    assert "Two-Factor Authentication" in said and 'class="portal' not in said
    for place in ("", "/patients/", "https://evil.example/me/"):
        sent = browser("de").post(reverse("mfa_login_webauthn"), {"credential": "{}", "next": place})
        assert sent["Location"] == reverse("login")
