"""What would a change look like for this patient? A page of its own that works without JavaScript; nothing is kept."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from recovery.forms import WhatIfForm
from recovery.permissions import check_user_can
from recovery.presenters.patient import banner
from recovery.presenters.what_if import what_if_view
from recovery.selectors.allergies import allergies_of
from recovery.selectors.patient import said_of
from recovery.selectors.people import find_episode, operation_of, person_of
from recovery.services import what_ifs
from recovery.views import door


@require_GET
def show_what_if(request: HttpRequest, key: UUID) -> HttpResponse:
    door.check_is_staff(request)
    now = door.clock()
    episode = find_episode(door.person(request), key, now)
    check_user_can(door.person(request), "view", episode.patient, now)
    door.note(request, now, "view_what_if", patient_ids=[episode.patient_id], entity=f"Episode/{key}")
    asked = door.cleaned(WhatIfForm(request.GET))
    lever, amount = asked["lever"], asked["amount"]
    answered = what_ifs.Asked(None, "")
    if lever:
        answered = what_ifs.answer_what_if(
            episode=episode,
            lever=lever,
            amount=amount,
            actor=door.actor(request),
            now=now,
        )
    view = what_if_view(what_ifs.open_levers(episode, now), lever, amount, answered.answer, answered.refusal)
    said = said_of(episode)
    context = {
        "view": view,
        "banner": banner(
            person_of(episode.patient), operation_of(episode), said, now, allergies_of(episode.patient_id)
        ),
        "episode_key": key,
    }
    return render(request, "pages/what_if.html", context)
