"""My patients: those who need someone first."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from recovery.exceptions import NotFound
from recovery.forms import BoardForm
from recovery.presenters.board import board_view, row_card
from recovery.selectors.careteam import board, board_row
from recovery.views import door


@require_GET
def show_board(request: HttpRequest) -> HttpResponse:
    door.check_is_staff(request)
    now = door.clock()
    found = board(door.person(request), now, BoardForm(request.GET).wanted())
    keys = [str(row.operation.key) for row in found.rows]
    door.note(request, now, "view_board", detail={"episodes": keys, "page": found.page})
    context = {
        "board": found,
        "view": board_view(found, now, door.zone()),
        "previous_page": found.page - 1,
        "next_page": found.page + 1,
    }
    return render(request, "pages/board.html", context)


@require_GET
def show_row(request: HttpRequest, key: UUID) -> HttpResponse:
    """One row, for an open board to replace its own."""
    door.check_is_staff(request)
    now = door.clock()
    row = board_row(door.person(request), key, now)
    if row is None:
        raise NotFound("There is no such patient, or it is not one of yours.")
    door.note(request, now, "view_board", detail={"episodes": [str(key)], "live": True})
    return render(request, "parts/row.html", {"row": row_card(row, now, door.zone())})
