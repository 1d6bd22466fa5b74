"""The patient's page as known at an earlier time: read only."""

from datetime import datetime
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from recovery.exceptions import NotFound
from recovery.models import Episode
from recovery.presenters import wording
from recovery.presenters.causes import causes_view
from recovery.presenters.past import alert_lines, how_words, moment_of, time_machine
from recovery.presenters.patient import banner, patient_view
from recovery.selectors.allergies import allergies_of
from recovery.selectors.befallen import befallen
from recovery.selectors.past import Past, past_of, still_allowed
from recovery.selectors.patient import PatientPage, usual_days
from recovery.selectors.people import find_episode, operation_of, person_of
from recovery.selectors.snapshot import Said
from recovery.selectors.snapshot_json import read_snapshot
from recovery.services import looking_back
from recovery.services.looking_back import Then
from recovery.views import door

STANDING = ("open", "acknowledged")


def show_past(request: HttpRequest, key: UUID, asked: str) -> HttpResponse:
    """`asked`: as it stands in the address (presenters.past.moment_of). What is not past leads to the page of now."""
    now, zone = door.clock(), door.zone()
    episode = find_episode(door.person(request), key, now)
    if episode.surgery_end is None:
        raise NotFound("The operation is still to come: there is no past to show.")
    at = moment_of(asked, episode.surgery_end, now, zone)
    if at is None:
        return redirect("patient", key=episode.key)
    entity, detail = f"Episode/{episode.key}", {"as_of": at.isoformat()}
    door.note(request, now, "view_patient_past", patient_ids=[episode.patient_id], entity=entity, detail=detail)
    past = past_of(episode, at, now)
    severities = [one.severity for one in past.alerts if one.status in STANDING and one.severity]
    then = looking_back.said_then(episode=episode, at=at, severities=severities)
    page = _page(episode, then, past, at)
    context = {
        "view": patient_view(page, at, zone),
        "banner": banner(page.person, page.operation, page.said, now, page.allergies),  # also the allergies are of now
        "as_of": wording.clock(at, zone),
        "machine": time_machine(at, episode.surgery_end, now, zone),
        "how": how_words(then.how, then.made_at, zone) if then else "",
        "alerts": alert_lines(past.alerts, zone),
        "causes": causes_view(page.said.suspicion) if page.said else None,
        "episode_key": episode.key,
        "now_word": "then",
    }
    return render(request, "pages/past.html", context)


def _page(episode: Episode, then: Then | None, past: Past, at: datetime) -> PatientPage:
    return PatientPage(
        patient_id=episode.patient_id,
        person=person_of(episode.patient),
        operation=operation_of(episode),
        said=_said(episode, then),
        observed=past.observed,
        alerts=(),
        last_look=None,
        last_event=0,
        allergies=allergies_of(episode.patient_id),
        later=past.later,
        events=befallen(episode, at),
        usual_days=usual_days(then.content) if then else {},
    )


def _said(episode: Episode, then: Then | None) -> Said | None:
    if then is None:
        return None
    return read_snapshot(
        still_allowed(episode, then.content),
        made_at=then.made_at,
        data_until=then.data_until,
        model_version=then.model_version,
    )
