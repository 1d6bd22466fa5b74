"""Backtests for administrators: ask for one, watch it, read and fetch its result, cancel and delete it.

Nobody in a ward sees these pages: an export names patients, and its figures are the hospital's own business.
"""

from uuid import UUID

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from recovery.backtest_files import exports
from recovery.exceptions import Invalid, NotFound
from recovery.forms import BacktestForm
from recovery.permissions import check_user_can_administer
from recovery.presenters.backtests import list_view, run_view
from recovery.selectors import backtests as selectors
from recovery.services import backtests
from recovery.views import door

SHOWN = {"report.html": "text/html; charset=utf-8", "report.css": "text/css; charset=utf-8"}
TYPES = {**SHOWN, "report.json": "application/json"}


@csrf_exempt
@require_http_methods(["GET", "POST"])
def show_backtests(request: HttpRequest) -> HttpResponse:
    """The size of an upload is looked at before a byte of it is read, and so before the token in it is checked."""
    check_user_can_administer(door.person(request))
    if request.method == "POST" and int(request.META.get("CONTENT_LENGTH") or 0) > backtests.upload_limit():
        raise Invalid(_too_large(), field="files")
    return _list_or_ask(request)


@csrf_protect
def _list_or_ask(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        return _ask(request)
    view = list_view(selectors.runs(), exports(), backtests.upload_limit(), door.zone())
    return render(request, "pages/backtests.html", {"view": view, "form": BacktestForm()})


def _ask(request: HttpRequest) -> HttpResponse:
    asked = door.cleaned(BacktestForm(request.POST))
    user, actor, now, folds = door.person(request), door.actor(request), door.clock(), asked["folds"] or 0
    files = request.FILES.getlist("files")
    if files and asked["folder"]:
        raise Invalid("Choose a folder or files, not both.", field="files")
    if files:
        run = backtests.ask_for_files(files=files, folds=folds, user=user, actor=actor, now=now)
    else:
        run = backtests.ask_for_folder(folder=asked["folder"], folds=folds, user=user, actor=actor, now=now)
    messages.success(request, "The backtest is waiting for a worker.")
    return redirect("backtest", key=run.key)


def _too_large() -> str:
    return f"Uploads are limited to {backtests.upload_limit() / 1024**3:.3g} GB; place larger exports in a folder."


@require_GET
def show_backtest(request: HttpRequest, key: UUID) -> HttpResponse:
    check_user_can_administer(door.person(request))
    door.note(request, door.clock(), "backtest_viewed", entity=f"Backtest/{key}")
    return render(request, "pages/backtest.html", {"view": run_view(_run(key), door.zone())})


@require_GET
def fetch(request: HttpRequest, key: UUID, name: str) -> FileResponse:
    """A file of the result. The report opens in the browser, under the same policy as every page; the rest is saved."""
    check_user_can_administer(door.person(request))
    path = selectors.result_file(key, name)
    if path is None:
        raise NotFound("There is no such file.")
    door.note(request, door.clock(), "backtest_fetched", entity=f"Backtest/{key}", detail={"file": name})
    kind = TYPES.get(name, "text/csv; charset=utf-8")
    return FileResponse(path.open("rb"), as_attachment=name not in SHOWN, filename=name, content_type=kind)


@require_POST
def cancel(request: HttpRequest, key: UUID) -> HttpResponse:
    backtests.cancel(key=key, user=door.person(request), actor=door.actor(request), now=door.clock())
    return redirect("backtest", key=key)


@require_POST
def delete(request: HttpRequest, key: UUID) -> HttpResponse:
    backtests.delete(key=key, user=door.person(request), actor=door.actor(request), now=door.clock())
    messages.success(request, "The backtest and its files were deleted.")
    return redirect("backtests")


def _run(key: UUID) -> selectors.Run:
    run = selectors.run(key)
    if run is None:
        raise NotFound("There is no such backtest.")
    return run
