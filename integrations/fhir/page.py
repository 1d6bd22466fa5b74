"""The door as a person in a browser sees it: what is served, try-it examples, and the queue of unmapped codes.

What is served is told to everybody, as `metadata` does; the queue and its buttons are the administrator's.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from integrations.fhir import renderers
from integrations.fhir.capability import FHIR_VERSION
from integrations.fhir.mapping_view import Choice, QueueRow, queue_row, queue_rows
from integrations.fhir.operations.table import operations_of
from integrations.fhir.routes import COMMON_PARAMS, ROUTES
from recovery.audit import Actor
from recovery.exceptions import Invalid, NotFound
from recovery.permissions import check_user_can_administer, user_can_administer
from recovery.selectors.fhir_codes import QueuedCode, preview_mapping, queued_code, queued_codes
from recovery.services.mapping_codes import map_code, unmap_code
from recovery.twin.metrics import METRICS

View = Callable[..., HttpResponse]
# PATIENT stands for a patient's id: the page puts in the first that the token finds.
EXAMPLES = (
    ("What this server can do", "metadata"),
    ("Patients", "Patient?_count=5"),
    ("Newest heart rates", "Observation?code=http://loinc.org|8867-4&_sort=-date&_count=5"),
    ("Current risks", "RiskAssessment?_count=5"),
    ("Recovery index, day by day", "Observation?patient=PATIENT&code=recovery-state"),
    ("Plan and milestones", "Goal?patient=PATIENT"),
    ("Open alerts", "Flag?status=active"),
    ("The newest of each code", "Observation/$lastn?patient=PATIENT"),
    ("Where readings came from", "Provenance?patient=PATIENT&_count=5"),
    ("Who looked", "AuditEvent?patient=PATIENT&_count=5"),
    ("Everything about a patient", "Patient/PATIENT/$everything?_count=50"),
    ("A patient's summary", "Patient/PATIENT/$summary"),
    ("Our profiles", "StructureDefinition?_count=50"),
)


def front(systems: View) -> View:
    """A browser gets the page; everybody else the door that `systems` is."""

    def dispatch(request: HttpRequest) -> HttpResponse:
        return show(request) if _is_browser(request) else systems(request)

    dispatch.csrf_exempt = True  # type: ignore[attr-defined]
    dispatch.login_required = False  # type: ignore[attr-defined]
    return dispatch


def _is_browser(request: HttpRequest) -> bool:
    first = request.headers.get("Accept", "").partition(",")[0].partition(";")[0].strip().lower()
    return request.method in ("GET", "HEAD") and first == "text/html" and "_format" not in request.GET


def show(request: HttpRequest) -> HttpResponse:
    manages = request.user.is_authenticated and user_can_administer(request.user)
    types = [
        {
            "type": route.type,
            "interactions": ", ".join(route.interactions),
            "count": len(COMMON_PARAMS) + len(route.params),
            "params": ", ".join([*COMMON_PARAMS, *(param.name for param in route.params)]),
            "operations": ", ".join(f"${one['name']}" for one in operations_of(route.type)),
        }
        for route in sorted(ROUTES.values(), key=lambda one: one.type)
    ]
    said = {
        "types": types,
        "examples": EXAMPLES,
        "version": FHIR_VERSION,
        "media_type": renderers.FHIR_JSON,
        "manages": manages,
        "queue": queue_rows(queued_codes()) if manages else [],
    }
    return render(request, "fhir/page.html", said)


@require_GET
def preview_one(request: HttpRequest) -> HttpResponse:
    """What mapping would do, before it is done."""
    row, choice = _chosen(request, request.GET)
    preview = preview_mapping(row.code.coding, choice.metric, choice.scale, choice.shift)
    metric = METRICS[choice.metric]
    said = {"row": row, "choice": choice, "preview": preview, "metric": metric, "plausible": metric.plausible}
    return render(request, "fhir/map.html", said)


@require_GET
def progress(request: HttpRequest) -> JsonResponse:
    """Twins still to be brought up to date, by row of the queue: asked by the page while there are any."""
    _actor(request)
    rows = [row for row in queue_rows(queued_codes()) if row.progress is not None]
    said = {str(row.code.row_id): [row.progress.done, row.progress.twins] for row in rows if row.progress}
    return JsonResponse({"progress": said})


@require_POST
def map_one(request: HttpRequest) -> HttpResponse:
    row, choice = _chosen(request, request.POST)
    map_code(
        coding=row.code.coding,
        metric=choice.metric,
        scale=choice.scale,
        shift=choice.shift,
        actor=_actor(request),
        now=timezone.now(),
    )
    return HttpResponseRedirect(reverse("fhir_page") + "#codes")


@require_POST
def unmap_one(request: HttpRequest) -> HttpResponse:
    unmap_code(coding=_code(request, request.POST).coding, actor=_actor(request), now=timezone.now())
    return HttpResponseRedirect(reverse("fhir_page") + "#codes")


def _chosen(request: HttpRequest, given: QueryDict) -> tuple[QueueRow, Choice]:
    """The row of the queue and the metric meant. Raises Invalid for a metric that does not take the code's unit."""
    row = queue_row(_code(request, given))
    wanted = given.get("metric", "")
    choice = next((one for one in row.choices if one.metric == wanted), None)
    if choice is None:
        raise Invalid(_no_choice(row), field="metric")
    return row, choice


def _no_choice(row: QueueRow) -> str:
    if row.mapped_label:
        return f"This code is mapped to {row.mapped_label} already: undo that first."
    return "Choose a metric that takes this unit."


def _actor(request: HttpRequest) -> Actor:
    check_user_can_administer(request.user)  # type: ignore[arg-type]  # an anonymous user is not active
    return Actor.of_user(request.user, getattr(request, "request_id", ""))  # type: ignore[arg-type]


def _code(request: HttpRequest, given: QueryDict) -> QueuedCode:
    _actor(request)
    text = given.get("code", "")
    found = queued_code(int(text)) if text.isascii() and text.isdigit() and len(text) < 19 else None
    if found is None:
        raise NotFound("There is no such code in the queue.")
    return found
