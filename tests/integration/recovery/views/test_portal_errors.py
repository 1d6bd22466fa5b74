"""Whatever goes wrong, people of the portal are told in their language, in its dress, with the emergency line, one next
step, and never a word of who they are; staff are told as before."""

import re

import pytest
from django.core.cache import cache
from django.db import OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse

from recovery import exceptions
from recovery.presenters.portal_error_pages import TOLD
from recovery.views import errors, me, portal_dress

pytestmark = pytest.mark.django_db
LANGUAGES = ("en", "de", "ar")
EMERGENCY = {"en": "In an emergency call 112.", "de": "Im Notfall rufen Sie 112", "ar": "112"}
WORDS = {
    400: ("could not read", "konnten wir nicht lesen", "لم نستطع قراءة"),
    403: ("not open to you", "nicht für Sie offen", "ليس متاحًا لك"),
    404: ("There is nothing here", "Hier ist nichts", "لا يوجد شيء هنا"),
    405: ("Nothing was sent", "nichts gesendet", "لم يُرسل شيء"),
    409: ("This has changed", "etwas geändert", "تغير شيء هنا"),
    410: ("not here any more", "nicht mehr", "لم يعد هذا موجودًا"),
    413: ("That is too big", "zu groß", "هذا كبير جدًا"),
    429: ("Too many tries", "Zu viele Versuche", "محاولات كثيرة"),
    500: ("Something went wrong", "ging etwas schief", "حدث خطأ"),
    503: ("cannot answer just now", "Gerade geht es nicht", "لا نستطيع الرد"),
}
RAISED = {
    400: exceptions.Invalid("of Hartmann"),
    403: exceptions.Forbidden("of Hartmann"),
    404: exceptions.NotFound("of Hartmann"),
    409: exceptions.Conflict("of Hartmann"),
    410: exceptions.Gone("of Hartmann"),
    500: ValueError("of Hartmann"),
    503: OperationalError("of Hartmann"),
}


@pytest.fixture(autouse=True)
def number(settings):
    settings.EMERGENCY_NUMBER = "112"


def asked(scene, monkeypatch, settings, status: int, language: str) -> HttpResponse:
    """The patient meets this status in this language."""
    client = scene.client("patient")
    client.raise_request_exception = False
    headers = {"accept-language": language}
    if status in RAISED:

        def fails(*_: object) -> None:
            raise RAISED[status]

        monkeypatch.setattr(me.portal_door, "subject", fails)
        return client.get("/me/", headers=headers)
    if status == 405:
        return client.get(reverse("me_goal_add"), headers=headers)
    if status == 413:
        settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10
        return client.post(reverse("me_goal_add"), {"text": "walk a mile or two"}, headers=headers)
    for _try in range(6):
        answer = Client(headers={"host": "localhost"}).post(
            portal_dress.sign_in_address(), {"username": "patient", "password": "wrong"}, headers=headers
        )
    return answer


@pytest.mark.parametrize("status", WORDS)
def test_each_error_speaks_each_language_with_the_emergency_line_and_one_next_step(
    scene, monkeypatch, settings, status
):
    for language, words in zip(LANGUAGES, WORDS[status], strict=True):
        with monkeypatch.context() as patch:
            answer = asked(scene, patch, settings, status, language)
        said = answer.content.decode()
        main = said[said.index("<main") : said.index("</main>")]
        assert answer.status_code == status, (language, said[-600:])
        assert f'<html lang="{language}" dir="{"rtl" if language == "ar" else "ltr"}"' in said
        assert words in main and EMERGENCY[language] in main and 'class="portal' in said
        assert len(re.findall(r"<a [^>]*class=\"btn", main)) == 1 and main.count("<h1>") == 1
        assert "Hartmann" not in said and "SM" not in main, "what was raised is for staff"
    assert set(WORDS) < set(TOLD)


@pytest.mark.parametrize(("path", "words"), [("/me/", "zu alt"), ("/invite/", "zu alt"), ("/join/x/", "zu alt")])
def test_a_form_that_was_too_old_says_so_and_leads_back_to_the_page(scene, path, words):
    client = Client(enforce_csrf_checks=True, headers={"host": "localhost", "accept-language": "de"})
    answer = client.post(path, {}, headers={"referer": f"http://localhost{path}"})
    said = answer.content.decode()
    assert answer.status_code == 403 and words in said and f'class="btn wide" href="{path}"' in said


def test_the_next_step_leads_nowhere_else(scene):
    client = Client(enforce_csrf_checks=True, headers={"host": "localhost"})
    for came in ("https://evil.example/me/", "http://localhost/patients/", "http://localhost//evil.example/me/", "//"):
        said = client.post("/me/", {}, headers={"referer": came}).content.decode()
        assert 'class="btn wide" href="/me/"' in said and "evil" not in said


def test_without_a_database_the_page_still_comes_and_in_all_languages_where_the_persons_is_not_known(scene):
    client = scene.client("patient")
    client.raise_request_exception = False
    cache.clear()

    def refuse(*_: object) -> None:
        raise OperationalError("away")

    with connection.execute_wrapper(refuse):
        known = Client(headers={"host": "localhost"}, raise_request_exception=False).get(
            "/invite/looks/", headers={"accept-language": "ar"}
        )
        unknown = client.get("/me/", headers={"accept-language": "ar"})
    said = unknown.content.decode()
    assert unknown.status_code == 503 and unknown["Retry-After"]
    assert [words in said for words in WORDS[503]] == [True] * 3 and said.count("112") == 3
    assert all(f'<div lang="{one}"' in said for one in LANGUAGES) and said.count("<h1>") == 1
    assert known.status_code in (302, 503)


def test_staff_under_their_own_pages_are_told_as_before_and_patients_there_in_their_language(scene):
    absent = "/patients/00000000-0000-0000-0000-000000000000/"
    said = scene.client("own").get(absent).content.decode()
    assert "Emergency access" in said and 'class="portal' not in said
    theirs = scene.client("patient").get(absent, headers={"accept-language": "de"}).content.decode()
    assert "Hier ist nichts" in theirs and "Emergency access" not in theirs


def test_a_session_that_ended_while_something_was_sent_says_so_and_the_way_leads_back(scene):
    client = Client(headers={"host": "localhost", "accept-language": "de"})
    sent = client.post(reverse("me_goal_add"), {"text": "walk"}, headers={"referer": "http://localhost/me/"})
    said = client.get(sent["Location"]).content.decode()
    assert "kam nicht an" in said and 'name="next" value="/me/"' in said and 'lang="de"' in said
    after = client.post(sent["Location"], {"username": "patient", "password": "wrong", "next": "/me/"})
    assert "passen nicht zusammen" in after.content.decode()


def test_signing_out_leads_to_the_sign_in_of_the_portal_in_the_persons_language(scene):
    client = scene.client("patient")
    client.post(reverse("me_settings"), {"language": "ar", "text_size": "1"})
    out = client.post(reverse("logout"))
    said = client.get(out["Location"]).content.decode()
    assert "تسجيل الدخول" in said and 'dir="rtl"' in said
    assert client.get(f"{out['Location']}&language=de", follow=True).content.decode().count("Anmelden") >= 2
    assert scene.client("own").post(reverse("logout"))["Location"] == reverse("login")


def test_the_language_is_not_guessed_where_the_session_cannot_be_read(scene):
    request: HttpRequest = RequestFactory().get("/me/", headers={"accept-language": "de"})
    assert portal_dress.language_of(request) == "de"
    client = scene.client("patient")
    request.session = type(client.session)(client.session.session_key)  # not looked at yet
    assert portal_dress.language_of(request) == ""
    with connection.execute_wrapper(lambda *_: pytest.fail("the database was asked")):
        assert errors.failed(request).status_code == 500
