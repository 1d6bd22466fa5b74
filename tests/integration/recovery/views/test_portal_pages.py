"""The patient's pages as a patient walks through them, by ordinary forms, in each language."""

import json
import re
import time
from datetime import date, timedelta
from html import unescape
from io import BytesIO
from uuid import uuid4

import pytest
from allauth.mfa.models import Authenticator
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from recovery.audit import Actor
from recovery.check_ins.forms import shipped
from recovery.links import mark_of
from recovery.models import Alert, CheckInDraft, CheckInResponse, Document, OwnGoal, Patient, PortalInvite
from recovery.services import consents, invites
from tests.catalogs import entries, first_text, write_mo
from tests.unit.recovery.test_languages import path_of

SLOT = "extra-ab12cd"
FORM = shipped("daily")
ANSWERS = {
    "alarm": "none",
    "pain": "3",
    "wound": "dry",
    "temperature": "36,8",
    "nausea": "no",
    "mobility": "house",
    "sleep": "7",
    "opioid": "1",
}


@pytest.fixture
def ida(scene) -> Client:
    Document.objects.create(
        type="Patient",
        fhir_id="ours",
        content='{"resourceType":"Patient","id":"ours"}',
        updated_at=scene.now,
        patient_id=scene.episode.patient_id,
    )
    Patient.objects.filter(pk=scene.episode.patient_id).update(birth_date=date(1948, 5, 4))
    return scene.client("patient")


def url(name: str, **more) -> str:
    return reverse(name, kwargs={"slot": SLOT, **more})


def asked(address: str) -> str:
    return FORM.questions[int(address.split("/q/")[1].split("/")[0]) - 1].link_id


def walk(client: Client, answers: dict[str, str], at: str = "") -> str:
    """Answer one question a page until something else comes; returns its address."""
    at = at or client.post(url("check_in"))["Location"]
    while "/q/" in at and not at.endswith("/care/"):
        assert client.get(at).status_code == 200
        at = client.post(at, {"answer": answers[asked(at)]})["Location"]
    return at


def number_of(link_id: str) -> int:
    return [one.link_id for one in FORM.questions].index(link_id) + 1


def jpeg() -> SimpleUploadedFile:
    out = BytesIO()
    Image.new("RGB", (800, 600), (180, 90, 80)).save(out, "JPEG")
    return SimpleUploadedFile("wound.jpg", out.getvalue(), "image/jpeg")


def text_of(answer) -> str:
    body = re.sub(r"<(script|style|svg|select).*?</\1>", " ", answer.content.decode(), flags=re.S)
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body)))


def test_a_check_in_is_answered_reviewed_and_sent_without_a_script(ida):
    review = walk(ida, ANSWERS)
    assert review == url("check_in_review") and "36.8 °C" in text_of(ida.get(review))
    done = ida.post(review)["Location"]
    assert "Your answers have been sent" in text_of(ida.get(done))
    assert CheckInResponse.objects.get().answers["pain"] == 3
    assert Document.objects.get(type="Questionnaire").fhir_id == "daily"


def test_a_double_click_the_back_button_and_another_tab_send_once(ida):
    review = walk(ida, ANSWERS)
    first, second = ida.post(review), ida.post(review)
    assert first["Location"] == url("check_in_done")
    assert ida.get(second["Location"], follow=True).redirect_chain[-1][0] == url("check_in_done")
    assert ida.post(url("check_in_question", number=2), {"answer": "9"}, follow=True).redirect_chain[-1][0] == url(
        "check_in_done"
    )
    assert CheckInResponse.objects.count() == 1 and not Alert.objects.filter(cause="check_in_pain").exists()


def test_going_back_keeps_the_answers_and_changing_one_leads_on(ida):
    walk(ida, ANSWERS)
    page = ida.get(url("check_in_question", number=2)).content.decode()
    assert 'value="3" checked' in page
    assert ida.post(url("check_in_question", number=2), {"answer": "5"})["Location"] == url("check_in_review")


@pytest.mark.parametrize(
    ("language", "question", "frame"),
    [
        ("en", "What do you use to help you walk?", "A walking frame, or one with wheels"),
        ("de", "Was benutzen Sie als Hilfe beim Gehen?", "Ein Gehgestell oder einen Rollator"),
        ("ar", "ماذا تستخدم ليساعدك على المشي؟", "مشّاية، أو مشّاية بعجلات"),
    ],
)
def test_the_walking_aid_is_asked_in_every_language_and_kept_as_the_hospital_would_tell_it(
    ida, language, question, frame
):
    ida.post(reverse("me_settings"), {"language": language, "text_size": "2"})
    ida.post(url("check_in"))
    draft = CheckInDraft.objects.get()
    draft.answers["asked"] = ["walking_aid"]
    draft.save()
    at = url("check_in_question", number=number_of("walking_aid"))
    page = text_of(ida.get(at))
    assert question in page and frame in page
    review = ida.post(at, {"answer": "266731002"})["Location"]
    assert frame in text_of(ida.get(review))
    ida.post(review)
    told = json.loads(Document.objects.get(type="Observation").content)
    assert told["valueCodeableConcept"]["coding"][0]["code"] == "266731002"


def test_what_is_no_answer_is_asked_again_with_what_was_typed(ida):
    ida.post(url("check_in"))
    draft = CheckInDraft.objects.get()
    draft.answers["asked"] = ["alarm", "pain", "wound", "temperature"]
    draft.save()
    at = url("check_in_question", number=number_of("temperature"))
    answer = ida.post(at, {"answer": "fever"})
    assert answer.status_code == 422 and 'value="fever"' in answer.content.decode()
    assert "Please write a number" in text_of(answer)


def test_a_dangerous_answer_shows_the_care_card_and_the_alert_stands_by_then(ida, scene):
    before = time.monotonic()
    care = walk(ida, ANSWERS | {"alarm": "chest"})
    page = text_of(ida.get(care))
    assert time.monotonic() - before < 10
    assert "Call for help now" in page and "Ward 7 has been told: Chest pain." in page
    alert = Alert.objects.get(cause="check_in_alarm")
    assert alert.severity == "high" and alert.episode == scene.episode
    inbox = scene.client("own").get(reverse("alerts"))
    assert "The patient reports an emergency sign" in text_of(inbox)


def test_nothing_calms_beside_a_dangerous_answer(ida):
    care = walk(ida, ANSWERS | {"pain": "9"})
    review = walk(ida, ANSWERS, re.search(r'href="([^"]+)">Go on', ida.get(care).content.decode())[1])
    page = text_of(ida.get(ida.post(review)["Location"]))
    assert "has been told: How bad is your pain when you move? 9 of 10." in page and "Usual for you now" not in page


def test_a_photo_is_taken_looked_at_retaken_sent_and_seen_by_the_team_alone(ida, scene):
    at = ida.post(url("check_in"))["Location"]
    for link_id, given in (("alarm", "none"), ("pain", "2"), ("wound", "pink")):
        at = ida.post(url("check_in_question", number=number_of(link_id)), {"answer": given})["Location"]
    photo = url("check_in_question", number=number_of("wound_photo"))
    assert at == photo
    assert ida.post(at, {"photo": SimpleUploadedFile("x.jpg", b"GIF89a")}).status_code == 422
    assert ida.post(at, {"photo": jpeg()})["Location"] == photo
    shown = ida.get(url("check_in_photo", number=number_of("wound_photo")))
    assert shown["Content-Type"] == "image/jpeg" and shown["Cache-Control"] == "no-store"
    ida.post(url("check_in_photo_drop", number=number_of("wound_photo")))
    ida.post(at, {"photo": jpeg()})
    review = walk(ida, ANSWERS, ida.post(at)["Location"])
    ida.post(review)
    media = Document.objects.get(type="Media")
    where = reverse("patient_photo", kwargs={"key": scene.episode.key, "photo": media.fhir_id})
    assert scene.client("own").get(where).content.startswith(b"\xff\xd8")
    assert scene.client("other").get(where).status_code == 404 == scene.client("administrator").get(where).status_code
    foreign = reverse("patient_photo", kwargs={"key": scene.foreign.key, "photo": media.fhir_id})
    assert scene.client("other").get(foreign).status_code == 404
    assert (
        "Photo sent with this check-in"
        in scene.client("own").get(reverse("answers", kwargs={"key": scene.episode.key})).content.decode()
    )
    said = {"said_by": "Ida", "actor": Actor.system("test"), "now": scene.now}
    consents.decide(patient_id=scene.episode.patient_id, choices={("care", "answers"): False}, **said)
    page = scene.client("own").get(reverse("answers", kwargs={"key": scene.episode.key})).content.decode()
    assert "has withdrawn consent" in page and "Photo sent" not in page
    assert scene.client("own").get(where).status_code == 404


def test_all_on_one_page_works_as_a_plain_form_too(ida):
    page = ida.get(url("check_in_whole")).content.decode()
    client_id = re.search(r'name="client_id" value="([^"]+)"', page)[1]
    sent = {"client_id": client_id, "n": ["1", "2", "3"], "a1": ["none"], "a2": "4", "a3": "dry"}
    assert ida.post(url("check_in_whole"), sent | {"a2": "40"}).status_code == 422
    for _ in range(2):
        assert ida.post(url("check_in_whole"), sent)["Location"] == url("check_in_done")
    kept = CheckInResponse.objects.get()
    assert str(kept.client_id) == client_id and kept.answers == {"alarm": ["none"], "pain": 4, "wound": "dry"}


def box(ida, scene, **over):
    said = {
        "client_id": str(uuid4()),
        "who": mark_of(scene.patient.pk),
        "answered_at": (timezone.now() - timedelta(hours=3)).isoformat(),
        "values": {"1": ["none"], "2": ["4"], "3": ["dry"]},
    } | over
    return ida.post(url("check_in_outbox"), json.dumps(said), content_type="application/json")


def test_what_was_answered_offline_is_handed_in_once_with_its_own_time(ida, scene):
    client_id = str(uuid4())
    assert box(ida, scene, client_id=client_id).json() == {"state": "sent"}
    assert box(ida, scene, client_id=client_id).json() == {"state": "sent"}
    assert box(ida, scene).json() == {"state": "held"}
    kept = CheckInResponse.objects.get()
    assert kept.received_at - kept.answered_at > timedelta(hours=2, minutes=59) and kept.channel == "outbox"


@pytest.mark.parametrize(
    "over",
    [
        {"client_id": "x"},
        {"values": {"1": 3}},
        {"values": "none"},
        {"photos": {"4": "%%%"}},
        {"values": {"2": ["99"]}},
        {"photos": {"4": "R0lGODlh"}},
    ],
    ids=["number", "row", "values", "base64", "range", "gif"],
)
def test_what_an_outbox_garbles_is_refused_and_nothing_is_stored(ida, scene, over):
    assert box(ida, scene, **over).status_code == 422 and not CheckInResponse.objects.exists()


def test_a_borrowed_phone_hands_in_nobody_elses_answers(ida, scene):
    assert box(ida, scene, who=mark_of(scene.own.pk)).status_code == 409 and not CheckInResponse.objects.exists()


def test_what_is_not_asked_now_is_not_there(ida):
    for slot in ("daily-1999-01-01", "nonsense", "extra-", "extra-a-b"):
        assert ida.get(f"/me/check-in/{slot}/").status_code == 404
    assert ida.get(url("check_in_question", number=99), follow=True).status_code == 200


def test_a_way_in_from_the_printed_code_to_home(ida, scene):
    Patient.objects.filter(pk=scene.foreign.patient_id).update(birth_date=date(1960, 2, 1))
    page = (
        scene.client("other")
        .post(reverse("portal_access", kwargs={"key": scene.foreign.key}), {"channel": "print"})
        .content.decode()
    )
    code = re.search(r'class="code">([^<]+)<', page)[1]
    visitor = Client(headers={"host": "localhost"})
    opening = {"code": code.lower(), "day": "1", "month": "2", "year": "1960"}
    assert visitor.post(reverse("invite"), opening | {"day": "2"}).status_code == 422
    assert visitor.get(reverse("invite_sign_in")).status_code == 302
    assert visitor.post(reverse("invite"), opening)["Location"] == reverse("invite_looks")
    visitor.post(reverse("invite_looks"), {"language": "de", "text_size": "3"})
    assert "Ihre Anmeldung" in text_of(visitor.get(reverse("invite_sign_in")))
    sign_in = {"username": "zoltan-1", "password": "three-plain-words"}
    assert visitor.post(reverse("invite_sign_in"), sign_in)["Location"] == reverse("me")
    home = visitor.get(reverse("me")).content.decode()
    assert '<html lang="de" dir="ltr" class="text-3">' in home and "Meine Ziele" in home
    again = Client(headers={"host": "localhost"})
    assert again.post(reverse("invite"), opening).status_code == 422
    assert PortalInvite.objects.get().used_at is not None


@pytest.mark.parametrize(("channel", "leads_to", "is_in"), [("email", "login", False), ("print", "me", True)])
def test_a_link_by_e_mail_is_no_way_past_a_second_factor(scene, channel, leads_to, is_in):
    Patient.objects.filter(pk=scene.episode.patient_id).update(birth_date=date(1960, 2, 1))
    Authenticator.objects.create(user=scene.patient, type="totp", data={"secret": "made-up"})
    said = {"patient_id": scene.episode.patient_id, "channel": channel, "actor": Actor.system("test")}
    _, code = invites.invite(**said, now=scene.now)
    visitor = Client(headers={"host": "localhost"})
    visitor.post(reverse("invite"), {"code": code, "day": "1", "month": "2", "year": "1960"})
    answer = visitor.post(reverse("invite_sign_in"), {"username": "", "password": "three-plain-words"})
    assert answer["Location"] == reverse(leads_to)
    assert (visitor.get(reverse("me")).status_code == 200) is is_in


def test_a_wrong_link_looks_like_any_other_before_and_after(ida, scene):
    scene.client("own").post(reverse("portal_access", kwargs={"key": scene.episode.key}), {"channel": "print"})
    visitor = Client(headers={"host": "localhost"})
    pages = {visitor.get(reverse("invite_code", kwargs={"code": code})).status_code for code in ("ABCD", "no-such")}
    assert pages == {200}
    assert "Hartmann" not in visitor.post("/invite/ABCD/", {"day": 4, "month": 5, "year": 1948}).content.decode()


def test_own_goals_are_kept_rated_and_dropped(ida):
    ida.post(reverse("me_goal_add"), {"text": "  drive   again "})
    ida.post(reverse("me_goal_add"), {"text": "drive again"})
    goal = OwnGoal.objects.get()
    ida.post(reverse("me_goal_rate", kwargs={"key": goal.key}), {"closeness": "7"})
    assert "7 of 10 there" in text_of(ida.get(reverse("me")))
    ida.post(reverse("me_goal_drop", kwargs={"key": goal.key}))
    assert "drive again" not in text_of(ida.get(reverse("me")))


def test_a_patient_sees_no_risk_unless_the_pathway_says_so(ida):
    assert "Of 100 people" not in text_of(ida.get(reverse("me")))


def test_the_next_visit_and_the_care_plan_are_the_hospitals_own_words(ida, scene):
    at = (timezone.now() + timedelta(days=4)).replace(microsecond=0).isoformat()
    visit = {
        "resourceType": "Encounter",
        "status": "planned",
        "period": {"start": at},
        "type": [{"text": "Wound check"}],
    }
    plan = {"resourceType": "CarePlan", "status": "active", "title": "Walking", "description": "Walk ten minutes."}
    for number, one in enumerate((visit, plan)):
        Document.objects.create(
            type=one["resourceType"],
            fhir_id=f"x{number}",
            content=json.dumps(one),
            updated_at=scene.now,
            patient_id=scene.episode.patient_id,
        )
    said = text_of(ida.get(reverse("me")))
    assert "Wound check" in said and "Walk ten minutes." in said and "Written by your hospital" in said


@pytest.mark.parametrize(("language", "direction", "words"), [("ar", "rtl", "أهدافي"), ("de", "ltr", "Meine Ziele")])
def test_pages_speak_the_language_chosen(ida, language, direction, words):
    ida.post(reverse("me_settings"), {"language": language, "text_size": "2"})
    page = ida.get(reverse("me")).content.decode()
    assert f'<html lang="{language}" dir="{direction}" class="text-2">' in page and words in page


def test_a_browsers_language_is_spoken_until_one_is_chosen(db):
    visitor = Client(headers={"host": "localhost", "accept-language": "fr-FR, de-AT;q=0.8"})
    assert "Willkommen" in visitor.get("/invite/").content.decode()


PLACES = ("me", "me_readings", "me_settings", "check_in", "check_in_whole")


def test_no_text_of_a_page_is_left_out_of_translation(ida, tmp_path, settings):
    """A pseudo-locale: every marked text comes back in brackets; what stands outside them was forgotten."""
    strange = {key: tuple(f"[{form}]" for form in _originals(key)) for key in entries(path_of("de"))}
    header = "Content-Type: text/plain; charset=UTF-8\nPlural-Forms: nplurals=2; plural=(n != 1);\n"
    write_mo(tmp_path / "eo/LC_MESSAGES/django.mo", strange, header)
    settings.LOCALE_PATHS = [tmp_path]
    settings.LANGUAGES = [("en", "English"), ("eo", "Pseudo")]
    session = ida.session
    session["portal_language"] = "eo"
    session.save()
    for name in PLACES:
        page = ida.get(url(name) if name.startswith("check_in") else reverse(name))
        left = _outside(text_of(page))
        assert left == [], (name, left)


def _originals(key: str) -> list[str]:
    return key.split("\x04")[-1].split("\x00")


# Names, data, the form's own texts (their translations are the form's), and what names itself.
DATA = re.compile(
    r"English|Deutsch|Pseudo|Ward 7|Ida|Hartmann|patient|twinweb|total knee replacement|°C|\bh\b|am\b|pm\b"
)


def _outside(text: str) -> list[str]:
    while "[" in text:
        text, before = re.sub(r"\[[^\[\]]*\]", " ", text), text
        if text == before:
            break
    for one in FORM.questions:
        for said in (one.words, one.hint, one.low_end, one.high_end, *(option.words for option in one.options)):
            text = text.replace(said.text, " ") if said.text else text
    text = DATA.sub(" ", text.replace(FORM.title.text, " "))
    text = re.sub(
        r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun|Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec|lun|mar|mer|ĵaŭ|ven|sab|dim)\w*",
        " ",
        text,
    )
    return re.findall(r"[A-Za-z]{3,}[^.]{0,30}", re.sub(r"\b[0-9a-f]{12}\b", " ", text))


def test_first_texts_are_read_from_keys():
    assert first_text("who acts\x04son\x00sons") == "son"
