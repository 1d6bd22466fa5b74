"""My reminders: how a patient, or who helps them, is told of check-ins and messages, when not, and on which phone."""

from collections.abc import Callable
from functools import partial

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from recovery.alert_forms import BrowserForm
from recovery.exceptions import Invalid
from recovery.notify.push import public_key
from recovery.notify.sms import is_set_up
from recovery.portal_forms import ContactForm, HelperContactForm
from recovery.presenters.portal_refusals import told
from recovery.selectors.portal_people import Subject, doors_of
from recovery.selectors.reminders import ZONES, contact_of, helper_contact_of, phone_to_prove
from recovery.services import caregiver_notices, phones, reaching, reminders
from recovery.views import door, portal_door


@require_http_methods(["GET", "HEAD", "POST"])
def show_reminders(request: HttpRequest) -> HttpResponse:
    """To a patient: their own. To a caregiver: how we tell them, about all whom they help."""
    now = door.clock()
    mine = portal_door.subject(request, None, now)
    if not mine.is_self:
        return _to_helper(request, mine)
    held = contact_of(mine.patient_id)
    form = ContactForm(request.POST or None)
    set_contact = partial(reminders.set_contact, patient_id=mine.patient_id, actor=door.actor(request), now=now)
    if request.method == "POST" and _is_set(form, set_contact):
        return _saved(request)
    portal_door.note(request, mine, now, "view_settings")
    said = form.data if form.is_bound else {}
    context = {
        "form": form,
        "channel": said.get("channel", held.channel),
        "address": said.get("address", held.address),
        "quiet_from": said.get("quiet_from", held.quiet_from.strftime("%H:%M")),
        "quiet_until": said.get("quiet_until", held.quiet_until.strftime("%H:%M")),
        "about_messages": "about_messages" in said if form.is_bound else held.about_messages,
        "stopped": held.stopped,
        "browsers": held.browsers,
        "push_key": public_key(),
        "has_sms": is_set_up(),
        "phone": phone_to_prove(door.person(request)),
    }
    return render(request, "portal/reminders.html", context, status=400 if form.errors else 200)


def _saved(request: HttpRequest) -> HttpResponse:
    """A new phone is sent a code at once."""
    messages.success(request, _("Saved."))
    return _send_code(request) if phone_to_prove(door.person(request)) else redirect("me_reminders")


def _send_code(request: HttpRequest) -> HttpResponse:
    person = door.person(request)
    try:
        phones.send_code(user=person, number=phone_to_prove(person), actor=door.actor(request), now=door.clock())
    except Invalid as error:
        messages.error(request, told(error.message))
    else:
        messages.success(request, _("We have sent a code to your phone."))
    return redirect("me_reminders")


@require_POST
def prove_phone(request: HttpRequest) -> HttpResponse:
    """With a code: that the phone is this person's. Without: please send another one."""
    now, person = door.clock(), door.person(request)
    portal_door.subject(request, None, now)
    number, code = phone_to_prove(person), request.POST.get("code", "")
    if not number:
        return redirect("me_reminders")
    if not code:
        return _send_code(request)
    try:
        phones.prove(user=person, number=number, code=code[:40], actor=door.actor(request), now=now)
    except Invalid as error:
        messages.error(request, told(error.message))
    else:
        messages.success(request, _("This phone is yours. We send SMS to it from now on."))
    return redirect("me_reminders")


def _is_set(form: Form, set_contact: Callable[..., None]) -> bool:
    """Whether what the form says is how the person is reached from now on; else the form says what is wrong."""
    if not form.is_valid():
        return False
    try:
        set_contact(**form.cleaned_data)
    except Invalid as error:
        form.add_error(error.field if error.field in form.fields else None, told(error.message))
        return False
    return True


def _to_helper(request: HttpRequest, found: Subject) -> HttpResponse:
    now, person = door.clock(), door.person(request)
    held = helper_contact_of(person, now)
    form = HelperContactForm(request.POST or None)
    set_contact = partial(caregiver_notices.set_contact, user=person, actor=door.actor(request), now=now)
    if request.method == "POST" and _is_set(form, set_contact):
        return _saved(request)
    portal_door.note(request, found, now, "view_settings")
    said = form.data if form.is_bound else {}
    context = {
        "form": form,
        "doors": doors_of(person, now),
        "channel": said.get("channel", held.channel),
        "address": said.get("address", held.address),
        "quiet_from": said.get("quiet_from", held.quiet_from.strftime("%H:%M")),
        "quiet_until": said.get("quiet_until", held.quiet_until.strftime("%H:%M")),
        "zone": said.get("zone", held.zone),
        "zones": ZONES,
        "held": held,
        "stopped": held.stopped,
        "browsers": held.browsers,
        "push_key": public_key(),
        "has_sms": is_set_up(),
        "phone": phone_to_prove(door.person(request)),
    }
    return render(request, "portal/reminders_helper.html", context, status=400 if form.errors else 200)


@require_POST
def add_browser(request: HttpRequest) -> HttpResponse:
    """Asked by the page with fetch: what this phone's subscription says."""
    now = door.clock()
    portal_door.subject(request, None, now)
    sent = door.cleaned(BrowserForm(request.POST))
    try:
        reaching.add_browser(user=door.person(request), actor=door.actor(request), now=now, **sent)
    except Invalid:
        return JsonResponse({"said": _("This phone's browser cannot show messages from us.")}, status=400)
    return JsonResponse({"said": _("This phone can show messages. Choose it above and save.")})


@require_POST
def remove_browsers(request: HttpRequest) -> HttpResponse:
    """No phone of this person is woken any more; reminders by push then stop by themselves."""
    now = door.clock()
    portal_door.subject(request, None, now)
    reaching.remove_browsers(user=door.person(request), actor=door.actor(request), now=now)
    messages.success(request, _("No phone of yours shows messages from us any more."))
    return redirect("me_reminders")
