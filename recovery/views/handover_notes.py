"""The hand-over of a shift into the record: each patient's words are shown first, then the ticked ones are filed."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods

from recovery.exceptions import Conflict
from recovery.forms import FileHandoverForm, HandedForm
from recovery.models import User
from recovery.permissions import exportable_episodes
from recovery.presenters.handover import HandedCard, HandoverView, handover_view
from recovery.presenters.handover_note import TITLE, HandedSheet, handed_head, handed_lines, handed_text, mark_of
from recovery.presenters.summary import CAUTION
from recovery.selectors.handover import Handover, Shift, handover
from recovery.selectors.record_notes import handovers_of
from recovery.services import record_notes
from recovery.views import door
from recovery.views.handover import shift_asked
from recovery.views.record_notes import PREVIEW_HOLDS

# So many are shown and filed at once; a larger ward in parts, those who need someone and are not filed yet first.
MOST_FILED = 60
CHANGED = "What stands here has changed since you read it, or you read it more than a quarter of an hour ago."
Said = Mapping[UUID, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Desk:
    """What is in front of the person: the patients of one shift whose words they may take away."""

    user: User
    found: Handover
    shifts: tuple[Shift, ...]
    ward: str
    made_at: datetime
    keys: tuple[UUID, ...]

    @property
    def shift(self) -> str:
        return self.found.shift.key


@require_http_methods(["GET", "HEAD", "POST"])
def file(request: HttpRequest) -> HttpResponse:
    door.check_is_staff(request)
    now = door.clock()
    asked = door.cleaned(FileHandoverForm(request.POST)) if request.method == "POST" else None
    holds = asked is not None and timedelta(0) <= now - asked["at"] <= PREVIEW_HOLDS
    desk = _desk(request, asked["at"] if asked and holds else now, now)
    if asked is None:
        return _page(request, desk, now, {}, {})
    ticked = {key: said for key in desk.keys if (said := _said_of(request, key))["file"]}
    problems = _file_ticked(request, desk, ticked, asked["token"] if holds else None, now)
    if problems or not ticked:
        return _page(request, desk, now, ticked, problems)
    part = urlencode((("shift", desk.shift), ("ward", desk.ward), ("filed", len(ticked))))
    return redirect(f"{reverse('handover_file')}?{part}")


def _desk(request: HttpRequest, made_at: datetime, now: datetime) -> Desk:
    user = door.person(request)
    shifts, shift, ward = shift_asked(request.POST if request.method == "POST" else request.GET, now)
    found = handover(user, shift, ward, now)
    mine = set(exportable_episodes(user, now).values_list("key", flat=True))
    patients = tuple(one for one in found.patients if one.row.operation.key in mine)
    keys = tuple(one.row.operation.key for one in patients)
    return Desk(user, replace(found, patients=patients), shifts, ward, made_at, keys)


def _said_of(request: HttpRequest, key: UUID) -> dict[str, Any]:
    return door.cleaned(HandedForm(request.POST, prefix=str(key)))


def _file_ticked(request: HttpRequest, desk: Desk, ticked: Said, token: UUID | None, now: datetime) -> dict[UUID, str]:
    """Files each whose words are still those that were read; the others, with the reason. `token` None: too late."""
    view = handover_view(desk.found, desk.shifts, desk.made_at, door.zone())
    cards = {card.key: card for card in view.patients}
    episodes = {
        one.key: one for one in exportable_episodes(desk.user, now).filter(key__in=ticked).select_related("patient")
    }
    problems = {}
    for key, said in ticked.items():
        text = handed_text(cards[key], view)
        if token is None or mark_of(text) != said["mark"]:
            problems[key] = CHANGED
            continue
        note = said["note"].replace("\r\n", "\n").strip()
        words = record_notes.Words(
            f"{text}\n\nNote: {note}" if note else text, _paper(cards[key], view, note), desk.made_at
        )
        try:
            record_notes.send_handover(
                episode=episodes[key],
                shift=desk.shift,
                before=said["standing"],
                token=token,
                words=words,
                user=desk.user,
                actor=door.actor(request),
                now=now,
            )
        except Conflict as error:
            problems[key] = str(error)
    return problems


def _paper(card: HandedCard, view: HandoverView, note: str) -> bytes:
    from recovery.presenters.paper import summary_pdf  # late: the library is a tenth of a second

    head = (*handed_head(card, view), CAUTION)
    return summary_pdf(TITLE, head, (*handed_lines(card), ("Note", note)), synthetic=bool(card.label))


def _page(request: HttpRequest, desk: Desk, now: datetime, ticked: Said, problems: Mapping[UUID, str]) -> HttpResponse:
    """The form; after an attempt with what was not filed on top, ticks and notes kept."""
    standing = handovers_of(desk.shift, desk.keys)
    view = handover_view(desk.found, desk.shifts, now, door.zone(), standing)
    order = sorted(view.patients, key=lambda card: (card.key not in problems, card.key in standing))
    shown = order[:MOST_FILED]
    keys = [str(card.key) for card in shown]
    door.note(request, now, "view_handover", detail={"episodes": keys, "shift": desk.shift, "ward": desk.ward})
    tried = request.method == "POST"
    sheets = []
    for card in shown:
        text, held = handed_text(card, view), standing.get(card.key)
        said = _said_of(request, card.key) if tried else {}
        sheets.append(
            HandedSheet(
                card=card,
                text=text,
                mark=mark_of(text),
                standing=held.fhir_id if held else "",
                is_ticked=card.key in problems if ticked else held is None and not tried,
                note=said.get("note", "") if card.key in problems or card.key not in ticked else "",
                problem=problems.get(card.key, ""),
            )
        )
    context = {
        "view": view,
        "sheets": sheets,
        "ward": desk.ward,
        "shift": desk.shift,
        "at": now.isoformat(),
        "token": uuid4(),
        "refused": len(problems),
        "filed": len(ticked) - len(problems) if tried else request.GET.get("filed", "")[:4],
        "is_nothing_ticked": tried and not ticked,
        "waiting": len(order) - len(shown),
    }
    return render(request, "pages/handover_file.html", context, status=409 if problems else 400 if tried else 200)
