"""The team's side of messages: the inbox, a conversation, an answer."""

from uuid import UUID, uuid4

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from recovery.exceptions import Conflict, Invalid
from recovery.models import User
from recovery.permissions import check_user_can
from recovery.portal_forms import MessageForm
from recovery.presenters.messages import TEMPLATES, staff_line
from recovery.presenters.messages import staff_thread as thread_line
from recovery.selectors.messages import inbox, staff_thread
from recovery.selectors.people import find_episode
from recovery.services import messaging
from recovery.views import door


@require_GET
def show_inbox(request: HttpRequest) -> HttpResponse:
    door.check_is_staff(request)
    now = door.clock()
    found = inbox(door.person(request), now, request.GET.get("view", ""))
    patients = sorted({one.patient_id for one in found.threads})
    door.note(request, now, "view_message_list", patient_ids=patients or (None,), detail={"view": found.view})
    context = {
        "found": found,
        "threads": [thread_line(one, now, door.zone()) for one in found.threads],
    }
    return render(request, "pages/messages.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def show_thread(request: HttpRequest, key: UUID) -> HttpResponse:
    """One conversation; opening it is reading it, and an answer is written below it."""
    door.check_is_staff(request)
    now = door.clock()
    user = door.person(request)
    found = staff_thread(user, key, now)
    form = MessageForm(request.POST or None)
    if request.method == "POST" and _answer(request, form, found.patient_id, key):
        return redirect("staff_thread", key)
    messaging.mark_read(thread_key=key, by_team=True, words=words_of(user), actor=door.actor(request), now=now)
    door.note(request, now, "view_thread", patient_ids=[found.patient_id], entity=f"Thread/{key}")
    found = staff_thread(user, key, now)
    context = {
        "thread": thread_line(found, now, door.zone()),
        "lines": [staff_line(one, door.zone()) for one in found.messages],
        "templates": TEMPLATES,
        "form": form,
        "text": form.data.get("text") or _template(request),
        "key": form.data.get("key") or uuid4(),
    }
    return render(request, "pages/thread.html", context, status=400 if form.errors else 200)


def _template(request: HttpRequest) -> str:
    """The words of the template that the URL names: choosing one needs no script."""
    return dict(TEMPLATES).get(request.GET.get("template", ""), "")


def words_of(user: User) -> str:
    return f"{user.get_full_name() or user.get_username()} ({user.get_role_display().lower()})"


def _answer(request: HttpRequest, form: MessageForm, patient_id: int, thread: UUID | None) -> UUID | None:
    if not form.is_valid():
        return None
    sent = form.cleaned_data
    user = door.person(request)
    try:
        message = messaging.send_message(
            patient_id=patient_id,
            thread_key=thread,
            subject=sent["subject"],
            text=sent["text"],
            key=sent["key"],
            author=messaging.Author(user, words_of(user), from_team=True),
            actor=door.actor(request),
            now=door.clock(),
        )
    except (Invalid, Conflict) as error:
        form.add_error(None, error.message)
        return None
    return message.thread.key


@require_http_methods(["GET", "HEAD", "POST"])
def write_to(request: HttpRequest, key: UUID) -> HttpResponse:
    """Begin a conversation with the patient of an episode."""
    door.check_is_staff(request)
    now = door.clock()
    episode = find_episode(door.person(request), key, now)
    check_user_can(door.person(request), "act", episode.patient, now)
    form = MessageForm(request.POST or None)
    if request.method == "POST":
        begun = _answer(request, form, episode.patient_id, None)
        if begun is not None:
            return redirect("staff_thread", begun)
    door.note(request, now, "view_messages", patient_ids=[episode.patient_id], entity=f"Episode/{key}")
    context = {
        "patient": episode.patient.name,
        "episode_key": key,
        "has_access": episode.patient.user_id is not None,
        "templates": TEMPLATES,
        "form": form,
        "text": form.data.get("text") or _template(request),
        "key": form.data.get("key") or uuid4(),
    }
    return render(request, "pages/write.html", context, status=400 if form.errors else 200)


@require_POST
def settle(request: HttpRequest, key: UUID) -> HttpResponse:
    door.check_is_staff(request)
    now = door.clock()
    staff_thread(door.person(request), key, now)
    messaging.settle(thread_key=key, actor=door.actor(request), now=now)
    return redirect("staff_messages")
