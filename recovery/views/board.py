"""My patients: those who need someone first; how each person wants to see them; and many alerts at once."""

import csv
from datetime import timedelta
from io import StringIO
from typing import Any
from uuid import UUID, uuid4

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from recovery.exceptions import Invalid, NotFound
from recovery.forms import BoardForm, BoardSettingsForm, BulkForm, BulkMessageForm, SavedViewForm
from recovery.permissions import check_user_can, exportable_episodes
from recovery.presenters.board import board_view, csv_rows, row_card
from recovery.presenters.bulk import bulk_view
from recovery.presenters.messages import TEMPLATES
from recovery.selectors.bulk import alerts_to_act_on, chosen, patients_to_write_to, readers, staff_to_assign
from recovery.selectors.careteam import board, board_row
from recovery.selectors.desk import desk_of, on_call
from recovery.selectors.schedule import nobodys
from recovery.services import alert_acts, desks, messaging
from recovery.views import door
from recovery.views.desk import keep_theme
from recovery.views.messages import words_of

MOST_EXPORTED = 5_000


@require_GET
def show_board(request: HttpRequest) -> HttpResponse:
    door.check_is_staff(request)
    now, user = door.clock(), door.person(request)
    desk = desk_of(user, now)
    found = board(
        user, now, BoardForm(request.GET).wanted(), desk.visit, last_event=desk.last_event, spark_days=desk.spark_days
    )
    keys = [str(row.operation.key) for row in found.rows]
    door.note(request, now, "view_board", detail={"episodes": keys, "page": found.page})
    desks.note_board(shown=found.shown, before=desk.seen_at, actor=door.actor(request), now=now)
    context = {
        "board": found,
        "view": board_view(found, now, door.zone(), desk, on_call(user, now)),
        "desk": desk,
        "nobodys": nobodys(user, now),
        "query": desks.clean_query(request.META.get("QUERY_STRING", "")),
        "previous_page": found.page - 1,
        "next_page": found.page + 1,
        "done": request.GET.get("done", "")[:4],
        "refused": request.GET.get("refused", "")[:4],
        "written": request.GET.get("written", "")[:4],
        "unwritten": request.GET.get("unwritten", "")[:4],
    }
    return keep_theme(request, render(request, "pages/board.html", context), desk.theme)


@require_GET
def show_row(request: HttpRequest, key: UUID) -> HttpResponse:
    """One row, for an open board to replace its own."""
    door.check_is_staff(request)
    now = door.clock()
    user = door.person(request)
    row = board_row(user, key, now, desk_of(user, now).spark_days)
    if row is None:
        raise NotFound("There is no such patient, or it is not one of yours.")
    door.note(request, now, "view_board", detail={"episodes": [str(key)], "live": True})
    return render(request, "parts/row.html", {"row": row_card(row, now, door.zone())})


@require_GET
def export_board(request: HttpRequest) -> HttpResponse:
    """The filtered board, all pages of it, as CSV; audited as an export. Who is open in an emergency is not on it."""
    door.check_is_staff(request)
    now, user = door.clock(), door.person(request)
    found = board(user, now, BoardForm(request.GET).wanted(), desk_of(user, now).visit, MOST_EXPORTED)
    taken = dict(exportable_episodes(user, now).values_list("key", "patient_id"))
    rows = [row for row in found.rows if row.operation.key in taken]
    patients = sorted({taken[row.operation.key] for row in rows})
    door.note(request, now, "export_board", patient_ids=patients or (None,), detail={"rows": len(rows)})
    text = StringIO()
    csv.writer(text).writerows(csv_rows([row_card(row, now, door.zone()) for row in rows]))
    response = HttpResponse(text.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="patients.csv"'
    return response


@require_POST
def set_board(request: HttpRequest) -> HttpResponse:
    """Density and columns."""
    door.check_is_staff(request)
    sent = door.cleaned(BoardSettingsForm(request.POST))
    desks.set_board(
        density=sent["density"],
        columns=request.POST.getlist("columns"),
        trend=sent["trend"] or "week",
        actor=door.actor(request),
        now=door.clock(),
    )
    return redirect(_with(sent["query"]))


@require_POST
def save_view(request: HttpRequest) -> HttpResponse:
    door.check_is_staff(request)
    sent = door.cleaned(SavedViewForm(request.POST))
    view = desks.save_view(name=sent["name"], query=sent["query"], actor=door.actor(request), now=door.clock())
    return redirect(_with(view.query))


@require_POST
def delete_view(request: HttpRequest, key: UUID) -> HttpResponse:
    door.check_is_staff(request)
    desks.delete_view(key=key, actor=door.actor(request), now=door.clock())
    return redirect("board")


@require_POST
def bulk(request: HttpRequest) -> HttpResponse:
    """The alerts of the chosen patients, to be assigned or put off together: nothing is done yet."""
    door.check_is_staff(request)
    now, user = door.clock(), door.person(request)
    alerts = alerts_to_act_on(user, door.keys(request.POST.getlist("episodes")), now)
    alert_acts.note_sight(alerts=alerts, actor=door.actor(request), now=now)
    patients = {alert.episode.patient_id for alert in alerts}
    door.note(request, now, "view_alerts", patient_ids=patients or (None,), detail={"bulk": len(alerts)})
    query = desks.clean_query(request.POST.get("query", ""))
    writable = readers(patients_to_write_to(user, door.keys(request.POST.getlist("episodes")), now))
    context = {
        "readers": writable,
        "can_write": any(one.has_portal for one in writable),
        "unreached": [one.name for one in writable if not one.has_portal],
        "templates": TEMPLATES,
        "key": uuid4(),
        "view": bulk_view(chosen(alerts), now, door.zone()),
        "staff": staff_to_assign(alerts, now),
        "query": query,
    }
    return render(request, "pages/bulk.html", context)


@require_POST
def act_on_many(request: HttpRequest) -> HttpResponse:
    """Assign or snooze the ticked alerts, each by itself; what somebody else was quicker with is told."""
    door.check_is_staff(request)
    now, user = door.clock(), door.person(request)
    sent = door.cleaned(BulkForm(request.POST))
    seen = _ticked(request)
    found = alerts_to_act_on(user, (), now, alerts=[key for key, _ in seen])
    allowed = {alert.key: alert for alert in found}
    for alert in allowed.values():
        check_user_can(user, "act", alert.episode.patient, now)
    mine = [(key, version) for key, version in seen if key in allowed]
    bulk = alert_acts.act_on_many(
        action=sent["action"], seen=mine, actor=door.actor(request), now=now, **_said(sent, now)
    )
    query = desks.clean_query(sent["query"])
    told = f"done={len(bulk.done)}&refused={len(seen) - len(bulk.done)}"
    return redirect(f"{_with(query)}{'&' if query else '?'}{told}")


@require_POST
def write_to_many(request: HttpRequest) -> HttpResponse:
    """The same words to each ticked patient, as a conversation of their own; who cannot be written to is counted."""
    door.check_is_staff(request)
    now, user = door.clock(), door.person(request)
    sent = door.cleaned(BulkMessageForm(request.POST))
    asked = door.keys(request.POST.getlist("to"))
    episodes = patients_to_write_to(user, asked, now)
    for episode in episodes:
        check_user_can(user, "act", episode.patient, now)
    told = messaging.send_to_many(
        patient_ids=[one.patient_id for one in episodes if one.patient.user_id is not None],
        subject=sent["subject"],
        text=sent["text"],
        key=sent["key"],
        author=messaging.Author(user, words_of(user), from_team=True),
        actor=door.actor(request),
        now=now,
    )
    query = desks.clean_query(sent["query"])
    return redirect(f"{_with(query)}{'&' if query else '?'}written={told}&unwritten={len(set(asked)) - told}")


def _said(sent: dict[str, Any], now: Any) -> dict[str, Any]:
    if sent["action"] == "acknowledge":
        return {}
    if sent["action"] == "assign":
        if sent["user"] is None:
            raise Invalid("Choose to whom.", field="user")
        return {"user_id": sent["user"]}
    if sent["hours"] is None:
        raise Invalid("Choose for how long.", field="hours")
    return {"until": now + timedelta(hours=sent["hours"]), "reason": sent["reason"]}


def _ticked(request: HttpRequest) -> list[tuple[UUID, int]]:
    """ "key.version" of each ticked alert, as the person saw it."""
    found = []
    for text in request.POST.getlist("alerts")[:200]:
        key, _, version = text.partition(".")
        keys = door.keys([key])
        if keys and version.isascii() and version.isdigit() and len(version) < 10:
            found.append((keys[0], int(version)))
    return found


def _with(query: str) -> str:
    kept = desks.clean_query(query)
    return reverse("board") + (f"?{kept}" if kept else "")
