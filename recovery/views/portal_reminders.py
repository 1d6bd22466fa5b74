"""My reminders: how a patient wants to be reminded of a check-in, and when not."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from recovery.exceptions import Invalid
from recovery.notify.sms import is_set_up
from recovery.portal_forms import ContactForm
from recovery.presenters.portal_errors import told
from recovery.selectors.reminders import contact_of
from recovery.services import reminders
from recovery.views import door, portal_door


@require_http_methods(["GET", "HEAD", "POST"])
def show_reminders(request: HttpRequest) -> HttpResponse:
    now = door.clock()
    mine = portal_door.only_self(request, now)
    held = contact_of(mine.patient_id)
    form = ContactForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            reminders.set_contact(patient_id=mine.patient_id, actor=door.actor(request), now=now, **form.cleaned_data)
        except Invalid as error:
            form.add_error(error.field if error.field in form.fields else None, told(error.message))
        else:
            messages.success(request, _("Saved."))
            return redirect("me_reminders")
    portal_door.note(request, mine, now, "view_settings")
    said = form.data if form.is_bound else {}
    context = {
        "form": form,
        "channel": said.get("channel", held.channel),
        "address": said.get("address", held.address),
        "quiet_from": said.get("quiet_from", held.quiet_from.strftime("%H:%M")),
        "quiet_until": said.get("quiet_until", held.quiet_until.strftime("%H:%M")),
        "stopped": held.stopped,
        "has_sms": is_set_up(),
    }
    return render(request, "portal/reminders.html", context, status=400 if form.errors else 200)
