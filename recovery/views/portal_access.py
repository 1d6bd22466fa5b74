"""The care team's side of the portal: letting a patient in, and reading what they answered."""

from base64 import b64decode
from uuid import UUID

import qrcode
from django import forms
from django.conf import settings
from django.core.mail import EmailMessage
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from recovery.consent_rules import ANSWERS
from recovery.exceptions import Conflict, NotFound
from recovery.models import Episode
from recovery.notify.message import NotDelivered
from recovery.notify.sms import is_set_up, send_sms
from recovery.permissions import Action, can, check_user_can
from recovery.presenters.answers import answers_view
from recovery.selectors import check_ins
from recovery.selectors.consents import entry_is_sealed, may_use_for_care
from recovery.selectors.people import find_episode, operation_of, person_of
from recovery.selectors.portal_access import access_of
from recovery.services import invites
from recovery.services.reminders import phone_number
from recovery.views import door
from recovery.views.check_ins import picture

SUBJECT = "Your recovery, online"
TEXT = """Your hospital invites you to follow your recovery online.

{link}

You will be asked for your date of birth. The link works once, until {until}. If you do not expect this, ignore it.
"""

SMS = "Your hospital invites you to follow your recovery online: {link} You will be asked for your date of birth."


class InviteForm(forms.Form):
    channel = forms.ChoiceField(choices=[(one, one) for one in ("print", "email", "sms")])
    email = forms.EmailField(required=False)
    phone = forms.CharField(max_length=40, required=False)


def _episode(request: HttpRequest, key: UUID, action: Action = "view") -> Episode:
    """Raises NotFound for strangers, Forbidden where only the action is not theirs. Whoever holds a way in can sign in
    as the patient, and so an hour's emergency access makes none: it takes the team's `plan`."""
    door.check_is_staff(request)
    now = door.clock()
    episode = find_episode(door.person(request), key, now)
    check_user_can(door.person(request), action, episode.patient, now)
    return episode


def _head(episode: Episode) -> dict[str, object]:
    return {"person": person_of(episode.patient), "operation": operation_of(episode), "episode_key": episode.key}


@require_http_methods(("GET", "HEAD", "POST"))
def show_access(request: HttpRequest, key: UUID) -> HttpResponse:
    """Whether the patient can sign in; POST makes a new link, which is shown (or sent) this once."""
    now = door.clock()
    if request.method == "POST":
        return _invite(request, _episode(request, key, "plan"))
    episode = _episode(request, key)
    door.note(request, now, "view_portal_access", patient_ids=[episode.patient_id], entity=f"Episode/{key}")
    may_invite = can(door.person(request), "plan", episode.patient, now)
    context = {
        **_head(episode),
        "access": access_of(episode, now),
        "can_mail": settings.EMAIL_IS_SET_UP,
        "can_sms": is_set_up(),
    }
    return render(request, "pages/portal_access.html", {**context, "may_invite": may_invite})


def _invite(request: HttpRequest, episode: Episode) -> HttpResponse:
    now = door.clock()
    said = door.cleaned(InviteForm(request.POST))
    if said["channel"] == "email" and not (settings.EMAIL_IS_SET_UP and said["email"]):
        raise Conflict("Without a mail server and an address nothing can be sent: print the code instead.")
    phone = _phone(said["phone"]) if said["channel"] == "sms" else ""
    made, code = invites.invite(
        patient_id=episode.patient_id, channel=said["channel"], actor=door.actor(request), now=now
    )
    link = _absolute(request, reverse("invite_code", kwargs={"code": code}))
    until = made.until.astimezone(door.zone()).strftime("%-d %b %Y, %H:%M")
    context = {
        **_head(episode),
        "access": access_of(episode, now),
        "can_mail": settings.EMAIL_IS_SET_UP,
        "can_sms": is_set_up(),
    }
    context["may_invite"] = True
    if made.channel == "email":
        mail = EmailMessage(SUBJECT, TEXT.format(link=link, until=until), settings.DEFAULT_FROM_EMAIL, [said["email"]])
        context["sent"] = bool(mail.send(fail_silently=True))
        context["failed"] = not context["sent"]
    elif made.channel == "sms":
        context["sent"] = _by_sms(phone, link, str(made.key))
        context["failed"] = not context["sent"]
    else:
        context |= {"code": "-".join(code[at : at + 4] for at in range(0, len(code), 4)), "link": link, "until": until}
        context |= {"page": _absolute(request, reverse("invite")), "squares": _squares(link)}
    return render(request, "pages/portal_access.html", context)


def _phone(typed: str) -> str:
    """Before a link is made: one that could not be sent would have ended the one before for nothing."""
    if not is_set_up():
        raise Conflict("Without an SMS gateway nothing can be sent: print the code instead.")
    return phone_number(typed)


def _by_sms(phone: str, link: str, key: str) -> bool:
    """Whether the gateway took it. The number is kept nowhere."""
    try:
        send_sms(phone, SMS.format(link=link), key)
    except NotDelivered:
        return False
    return True


def _absolute(request: HttpRequest, path: str) -> str:
    return f"{settings.PUBLIC_URL.rstrip('/')}{path}" if settings.PUBLIC_URL else request.build_absolute_uri(path)


def _squares(link: str) -> dict[str, object]:
    """The link as a QR code: a path of unit squares and the length of a side."""
    code = qrcode.QRCode(border=4)
    code.add_data(link)
    rows = code.get_matrix()
    dark = [(x, y) for y, row in enumerate(rows) for x, is_dark in enumerate(row) if is_dark]
    return {"side": len(rows), "path": "".join(f"M{x} {y}h1v1h-1z" for x, y in dark)}


@require_POST
def revoke(request: HttpRequest, key: UUID) -> HttpResponse:
    episode = _episode(request, key, "plan")
    invites.revoke(patient_id=episode.patient_id, actor=door.actor(request), now=door.clock())
    return redirect("portal_access", key=key)


@require_GET
def show_answers(request: HttpRequest, key: UUID) -> HttpResponse:
    """What the patient (or who helps them) answered, newest first, with the photos."""
    now = door.clock()
    episode = _episode(request, key)
    door.note(request, now, "view_answers", patient_ids=[episode.patient_id], entity=f"Episode/{key}")
    may_read = may_use_for_care(episode.patient_id, ANSWERS)
    responses = check_ins.responses_of(episode) if may_read else ()
    forms_ = {one.questionnaire: check_ins.form_of(one.questionnaire) for one in responses}
    context = {**_head(episode), "rows": answers_view(responses, forms_, door.zone(), now), "withdrawn": not may_read}
    return render(request, "pages/answers.html", context)


@require_GET
def show_photo(request: HttpRequest, key: UUID, photo: str) -> HttpResponse:
    now = door.clock()
    episode = _episode(request, key)
    if entry_is_sealed("Media", photo, episode.patient_id):
        raise NotFound("There is no such photo.")
    media = check_ins.photo_of(episode.patient_id, photo)
    content = media.get("content") or {}
    if content.get("contentType") != "image/jpeg" or not content.get("data"):
        raise NotFound("There is no such photo.")
    door.note(request, now, "view_photo", patient_ids=[episode.patient_id], entity=f"Media/{photo}")
    return picture(b64decode(content["data"]))
