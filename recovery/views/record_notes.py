"""A patient's summary into the record: shown first exactly as it would stand there, then sent on purpose."""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from recovery.forms import SendForm
from recovery.models import Episode
from recovery.permissions import check_user_can
from recovery.presenters import wording
from recovery.presenters.patient import PatientView, patient_view
from recovery.presenters.summary import CAUTION, summary_head, summary_lines, summary_text
from recovery.selectors.patient import patient_page
from recovery.selectors.people import find_episode
from recovery.selectors.record_notes import summaries_of
from recovery.services import record_notes
from recovery.views import door

# A preview older than this is made anew before anything is sent.
PREVIEW_HOLDS = timedelta(minutes=15)


@require_http_methods(["GET", "HEAD", "POST"])
def send(request: HttpRequest, key: UUID) -> HttpResponse:
    door.check_is_staff(request)
    now, user = door.clock(), door.person(request)
    episode = find_episode(user, key, now)
    check_user_can(user, "act", episode.patient, now)
    check_user_can(user, "export", episode.patient, now)
    asked = door.cleaned(SendForm(request.POST)) if request.method == "POST" else None
    made_at = asked["at"] if asked and timedelta(0) <= now - asked["at"] <= PREVIEW_HOLDS else now
    view = patient_view(patient_page(user, key, now), made_at, door.zone())
    text = summary_text(view, made_at, door.zone())
    mark = hashlib.sha256(text.encode()).hexdigest()
    if asked and made_at == asked["at"] and mark == asked["mark"]:
        sent = record_notes.send_summary(
            episode=episode,
            token=asked["token"],
            words=_words(view, text, made_at, asked["note"].strip(), is_synthetic=episode.patient.is_synthetic),
            user=user,
            actor=door.actor(request),
            now=now,
        )
        return redirect(f"{reverse('record_send', args=[key])}?sent={sent}")
    door.note(request, now, "view_summary", patient_ids=[episode.patient_id], entity=f"Episode/{key}")
    preview = {"view": view, "episode_key": key, "text": text, "mark": mark, "at": made_at.isoformat()}
    context = {**preview, **_form(asked), **_sent_before(episode, request.GET.get("sent"))}
    return render(request, "pages/record_send.html", context, status=409 if asked else 200)


def _form(asked: Mapping[str, Any] | None) -> dict[str, Any]:
    """What was typed in and could not be sent, because the summary has changed since; empty on a first look."""
    if asked is None:
        return {"note": "", "token": uuid4(), "has_changed": False}
    return {"note": asked["note"].strip(), "token": asked["token"], "has_changed": True}


def _sent_before(episode: Episode, just_now: str | None) -> dict[str, Any]:
    """`just_now`: id of the one that the person has sent with the page before."""
    summaries = summaries_of(episode)
    return {
        "done": next((one for one in summaries if one.fhir_id == just_now), None),
        "sent": [(one.author, wording.clock(one.sent_at, door.zone()), one.fhir_id) for one in summaries],
    }


def _words(view: PatientView, text: str, at: datetime, note: str, *, is_synthetic: bool) -> record_notes.Words:
    with_note = f"{text}\n\nNote: {note}" if note else text
    return record_notes.Words(with_note, _paper(view, at, note, is_synthetic=is_synthetic), at)


def _paper(view: PatientView, at: datetime, note: str, *, is_synthetic: bool) -> bytes:
    from recovery.presenters.paper import summary_pdf  # late: the library is a tenth of a second

    head = (*summary_head(view, at, door.zone()), CAUTION)
    return summary_pdf("Recovery summary", head, (*summary_lines(view), ("Note", note)), synthetic=is_synthetic)
