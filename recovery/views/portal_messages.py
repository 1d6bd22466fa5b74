"""My messages: a patient, or a caregiver who may, writes with the care team."""

from uuid import UUID, uuid4

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from recovery.exceptions import Conflict, Invalid
from recovery.models import User
from recovery.portal_forms import MessageForm
from recovery.presenters.messages import own_line, own_thread
from recovery.presenters.portal_refusals import told
from recovery.presenters.portal_words import moment
from recovery.selectors.messages import answer_by, thread_of, threads_of
from recovery.selectors.portal_people import Subject
from recovery.services import messaging
from recovery.views import door, portal_door


@require_http_methods(["GET", "HEAD", "POST"])
def show_messages(request: HttpRequest) -> HttpResponse:
    """All conversations, and the form that begins one."""
    now = door.clock()
    found = portal_door.subject(request, "write", now)
    form = MessageForm(request.POST or None)
    if request.method == "POST":
        sent = _send(request, found, form, None)
        if sent is not None:
            return redirect("me_thread", sent)
    portal_door.note(request, found, now, "view_messages")
    zone = portal_door.zone_of(found)
    threads = threads_of(found.patient_id, for_team=False, helper=_helper(request, found))
    context = {
        "threads": [own_thread(one, zone) for one in threads],
        "answer_by": moment(answer_by(found.patient_id, now), zone),
        "form": form,
        "key": form.data.get("key") or uuid4(),
    }
    return render(request, "portal/messages.html", context, status=400 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def show_thread(request: HttpRequest, key: UUID) -> HttpResponse:
    """One conversation; opening it is reading it, for the person who does."""
    now = door.clock()
    found = portal_door.subject(request, "write", now)
    thread_of(found.patient_id, key, for_team=False)
    form = MessageForm(request.POST or None)
    if request.method == "POST" and _send(request, found, form, key) is not None:
        return redirect("me_thread", key)
    words, helper = portal_door.acts(found), _helper(request, found)
    if helper is None:
        messaging.mark_read(thread_key=key, by_team=False, words=words, actor=door.actor(request), now=now)
    else:
        messaging.mark_read_by_helper(thread_key=key, user=helper, words=words, now=now)
    portal_door.note(request, found, now, "view_thread", entity=f"Thread/{key}")
    thread, zone = thread_of(found.patient_id, key, for_team=False), portal_door.zone_of(found)
    context = {
        "thread": own_thread(thread, zone),
        "lines": [own_line(one, zone) for one in thread.messages],
        "answer_by": moment(answer_by(found.patient_id, now), zone),
        "form": form,
        "key": form.data.get("key") or uuid4(),
    }
    return render(request, "portal/thread.html", context, status=400 if form.errors else 200)


def _helper(request: HttpRequest, found: Subject) -> User | None:
    return None if found.is_self else door.person(request)


def _send(request: HttpRequest, found: Subject, form: MessageForm, thread: UUID | None) -> UUID | None:
    """The key of the conversation written to; None with the reason in the form, and what was typed kept."""
    if not form.is_valid():
        return None
    sent = form.cleaned_data
    author = messaging.Author(door.person(request), portal_door.acts(found), from_team=False)
    try:
        message = messaging.send_message(
            patient_id=found.patient_id,
            thread_key=thread,
            subject=sent["subject"],
            text=sent["text"],
            key=sent["key"],
            author=author,
            actor=door.actor(request),
            now=door.clock(),
        )
    except (Invalid, Conflict) as error:
        form.add_error(None, told(error.message))
        return None
    return message.thread.key
