"""The FHIR R4 REST door: thin views over shelves, search, interactions and bundles."""

import logging
from collections.abc import Callable, Mapping
from email.utils import format_datetime
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core.exceptions import TooManyFieldsSent
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.http import parse_http_date_safe
from django.views.decorators.csrf import csrf_exempt

from integrations.fhir import histories, interactions, patch, renderers, shelves, wire
from integrations.fhir.call import Call, base_of, body_of, open_call
from integrations.fhir.capability import capability_statement
from integrations.fhir.interactions import Asked, Result
from integrations.fhir.outcomes import FhirError, Issue, of_domain_error, of_refusal, operation_outcome, refused
from integrations.fhir.reach import EVERYTHING
from integrations.fhir.receiving import Tray, writable
from integrations.fhir.search import compartments, grammar
from integrations.fhir.search.including import with_included
from integrations.fhir.search.run import run
from integrations.fhir.search.subset import cut, cut_one
from integrations.fhir.shelves import Entry
from recovery import outage
from recovery.exceptions import RecoveryError
from recovery.services.ingestion import DeliveryRefused, deliver
from recovery.services.intake import NumberReading, PacketReading
from recovery.services.turns import taking_turns

logger = logging.getLogger(__name__)
LONGEST_ADDRESS = 16_000
# The files of an export (integrations.bulk) are NDJSON whatever is asked for.
NDJSON_FILES = "/fhir/bulk/files/"
# Refusals that leave no row of their own here: the way in (401) and the scopes (403) note theirs.
_NOTED_ELSEWHERE = (401, 403)
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
View = Callable[..., HttpResponse]


def answer(status: int, text: str = "", **headers: str) -> HttpResponse:
    response = HttpResponse(text, status=status, content_type=renderers.CONTENT_TYPE)
    response["Cache-Control"] = "no-store"
    for name, value in headers.items():
        response[name.replace("_", "-")] = value
    return response


def door(view: View) -> View:
    """Every error leaves as an OperationOutcome; one that nobody foresaw as 500 with a number to quote."""

    @csrf_exempt
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            _check_address(request)
            if not request.path.startswith(NDJSON_FILES):
                renderers.check_accept(request.headers.get("Accept", ""), request.GET.get("_format", ""))
            return view(request, *args, **kwargs)
        except FhirError as error:
            return _refuse(request, error, kwargs)
        except DeliveryRefused as error:
            return _refuse(request, of_refusal(error.outcome), kwargs)
        except RecoveryError as error:
            return _refuse(request, of_domain_error(error), kwargs)
        except TooManyFieldsSent:
            limit = settings.DATA_UPLOAD_MAX_NUMBER_FIELDS
            return _refuse(request, refused(400, "too-costly", f"More than {limit} parameters."), kwargs)
        except RecursionError:
            return _refuse(request, refused(400, "too-long", "The body is nested too deeply."), kwargs)
        except Exception as error:
            return _refuse(request, _of_fault(request, error), kwargs)

    guarded.login_required = False  # type: ignore[attr-defined]
    return guarded


def _of_fault(request: HttpRequest, error: Exception) -> FhirError:
    """503 for an outage, which the sender need only wait for; 500 for what is wrong with us."""
    number = getattr(request, "request_id", "unknown")
    away = outage.of(error)
    logger.exception("fhir request failed: %s", away or "a fault", extra={"request_id": number})
    if away is None:
        said = f"Something went wrong here. Quote the number {number} to the operator."
        return FhirError(500, Issue("exception", said, severity="fatal"))
    said = f"{away} Send it again: what was stored already is not stored twice. The number of this request is {number}."
    return FhirError(503, Issue("transient", said), headers={"Retry-After": str(outage.RETRY_AFTER)})


def _check_address(request: HttpRequest) -> None:
    """Raises FhirError 414 for an address longer than any that this server gives out."""
    if len(request.get_full_path()) > LONGEST_ADDRESS:
        sentence = f"The address is longer than {LONGEST_ADDRESS} characters: send it as a form to _search."
        raise refused(414, "too-long", sentence)


def _refuse(request: HttpRequest, error: FhirError, where: Mapping[str, str]) -> HttpResponse:
    """The answer to a request that came to nothing. A refused write is noted: who tried what, not what was said."""
    call = getattr(request, "fhir_call", None)
    is_search = request.path.endswith("/_search")
    if call is not None and error.status not in _NOTED_ELSEWHERE and not is_search:
        note_refusal(call, request.method or "", where, error.status)
    return of_error(error)


def note_refusal(call: Call, method: str, where: Mapping[str, str], status: int) -> None:
    """One audit row for a write or an operation that came to nothing. Without the body, the query and the reasons."""
    action = _VERBS.get(method)
    if action is None:
        return
    entity = "/".join(where[name] for name in ("type_name", "fhir_id") if where.get(name))
    outcome = "refused" if status < 500 else "failed"
    try:
        call.note(action if entity else "ingest", entity or "Bundle", outcome=outcome, status=status)
    except DatabaseError:
        logger.exception("a refusal could not be noted")


def of_error(error: FhirError) -> HttpResponse:
    response = answer(error.status, renderers.text_of(operation_outcome(error.issues)))
    for name, value in error.headers.items():
        response[name] = value
    return response


def methods(**by_method: View) -> View:
    """Dispatch by HTTP method; others answer 405 with what is allowed. HEAD is a GET without its body."""

    @door
    def dispatch(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        name = "GET" if request.method == "HEAD" else (request.method or "")
        view = by_method.get(name)
        if view is None:
            allowed = ", ".join(sorted(by_method))
            issue = Issue("not-supported", f"{name} is not offered at this address; it takes {allowed}.")
            raise FhirError(405, issue, headers={"Allow": allowed})
        return view(request, *args, **kwargs)

    return dispatch


def metadata(request: HttpRequest) -> HttpResponse:
    """Open to everybody: it tells how to come in, and nothing of anyone."""
    return answer(200, renderers.text_of(capability_statement(base_of(request), timezone.now())))


def nothing_here(request: HttpRequest, **_: str) -> HttpResponse:
    open_call(request)
    raise refused(404, "not-found", f"There is nothing at {request.path[:120]}.")


# ---- reading ---


def read(request: HttpRequest, type_name: str, fhir_id: str) -> HttpResponse:
    call = open_call(request)
    route = call.check(type_name, "read")
    entry = shelves.read(route, fhir_id, call.reach)
    call.note("read", f"{type_name}/{fhir_id}", patients_of([entry]))
    part = cut_one(entry, request.GET.get("_summary", ""), request.GET.get("_elements", ""))
    return _not_modified(request, entry) or _resource(200, part)


def read_version(request: HttpRequest, type_name: str, fhir_id: str, version: str) -> HttpResponse:
    call = open_call(request)
    entry = shelves.read_version(call.check(type_name, "vread"), fhir_id, version, call.reach)
    call.note("vread", f"{type_name}/{fhir_id}/_history/{version}", patients_of([entry]))
    return _resource(200, entry)


def history(request: HttpRequest, type_name: str = "", fhir_id: str = "") -> HttpResponse:
    """Of one resource, of all of a type, or of everything that the caller may see; deletions are entries."""
    call = open_call(request)
    asked = histories.parse([(name, str(values[-1])) for name, values in request.GET.lists() if values])
    if fhir_id:
        page = histories.of_instance(call.check(type_name, "history-instance"), fhir_id, asked, call.reach)
    elif type_name:
        page = histories.of_types([call.check(type_name, "history-type")], asked, call.reach)
    else:
        page = histories.of_types(call.readable("history-type"), asked, call.reach)
    address = "/".join(one for one in (type_name, fhir_id) if one)
    call.note("history", address or "_history", patients_of(page.entries))
    url = "/".join(one for one in (call.base, address, "_history") if one)
    links = [("self", asked.said)] + ([("next", (*asked.said, ("_before", page.more)))] if page.more else [])
    said = [(name, f"{url}?{urlencode(pairs)}" if pairs else url) for name, pairs in links]
    created = histories.created_in(page.entries)
    return answer(200, renderers.history(page.entries, page.total, said, call.base, created))


Pairs = list[tuple[str, str]]


def search(request: HttpRequest, type_name: str) -> HttpResponse:
    """GET with a query, or POST _search with a form."""
    call = open_call(request)
    return answer(200, search_text(call, type_name, _search_pairs(request)))


def search_compartment(request: HttpRequest, fhir_id: str, type_name: str = "") -> HttpResponse:
    """Patient/[id]/Type, or Patient/[id]/* for every type that the caller may search."""
    call = open_call(request)
    pairs = _search_pairs(request)
    if type_name:
        return answer(200, search_text(call, type_name, pairs, patient=fhir_id))
    call.check("Patient", "search-type")
    entries, said, more = compartments.page_of_all(fhir_id, pairs, base=call.base, now=call.place.now, reach=call.reach)
    call.note("search", f"Patient/{fhir_id}/*", patients_of(entries), query=urlencode(pairs))
    url = f"{call.base}/Patient/{fhir_id}/*"
    links = [("self", said)] + ([("next", [*said, ("_cursor", more)])] if more else [])
    named = [(name, f"{url}?{urlencode(given)}" if given else url) for name, given in links]
    return answer(200, renderers.bundle_of(entries, named, call.base))


def _search_pairs(request: HttpRequest) -> Pairs:
    pairs = [(name, value) for name, values in request.GET.lists() for value in values]
    if request.method == "POST":
        body_of(request)
        pairs += [(name, value) for name, values in request.POST.lists() for value in values]
    return pairs


def search_text(call: Call, type_name: str, pairs: Pairs, patient: str = "") -> str:
    """A searchset Bundle. `patient`: within whose compartment ("" for anywhere)."""
    route = call.check(type_name, "search-type")
    strict = call.prefer.get("handling") == "strict"
    understood = grammar.parse(
        route, pairs, base=call.base, strict=strict, now=call.place.now, reach=call.reach, follows=True
    )
    if patient:
        compartments.confine(understood, patient)
    page = cut(understood, with_included(understood, run(understood)))
    call.note("search", understood.address, patients_of([*page.entries, *page.included]), query=urlencode(pairs))
    return renderers.searchset(understood, page, call.base)


def patients_of(entries: Any) -> set[int]:
    return {entry.patient_id for entry in entries if entry.patient_id is not None}


def _resource(status: int, entry: Entry, **headers: str) -> HttpResponse:
    return answer(status, entry.text, **_version_headers(entry), **headers)


def _version_headers(entry: Entry | Result) -> dict[str, str]:
    said = {"ETag": renderers.etag(entry.version)}
    if entry.updated_at is not None:
        said["Last_Modified"] = format_datetime(entry.updated_at, usegmt=True)
    return said


def _not_modified(request: HttpRequest, entry: Entry) -> HttpResponse | None:
    """304 for a conditional read (http.html#cread); If-None-Match goes before If-Modified-Since."""
    known = request.headers.get("If-None-Match")
    since = parse_http_date_safe(request.headers.get("If-Modified-Since", ""))
    if known is not None:
        same = renderers.etag(entry.version) in [one.strip() for one in known.split(",")]
    else:
        same = since is not None and int(entry.updated_at.timestamp()) <= since
    return answer(304, **_version_headers(entry)) if same else None


# ---- writing ---


def create(request: HttpRequest, type_name: str) -> HttpResponse:
    call = open_call(request)
    call.check(type_name, "create")
    condition = request.headers.get("If-None-Exist", "").removeprefix("?")
    asked = Asked(0, "POST", type_name, resource=_read_resource(request), if_none_exist=condition)
    return _write(call, asked)


def update(request: HttpRequest, type_name: str, fhir_id: str = "") -> HttpResponse:
    call = open_call(request)
    call.check(type_name, "update")
    version = interactions.if_match(request.headers.get("If-Match"))
    criteria = "" if fhir_id else request.META.get("QUERY_STRING", "")
    if not fhir_id and not criteria:
        raise refused(400, "required", "A PUT needs an id or conditions in its address.")
    known = request.headers.get("If-None-Match", "")
    resource = _read_resource(request)
    return _write(call, Asked(0, "PUT", type_name, fhir_id, criteria, resource, version, if_none_match=known))


def delete(request: HttpRequest, type_name: str, fhir_id: str = "") -> HttpResponse:
    call = open_call(request)
    call.check(type_name, "delete")
    criteria = "" if fhir_id else request.META.get("QUERY_STRING", "")
    if not fhir_id and not criteria:
        raise refused(412, "too-costly", "A DELETE needs an id or conditions in its address.")
    version = interactions.if_match(request.headers.get("If-Match"))
    return _write(call, Asked(0, "DELETE", type_name, fhir_id, criteria, if_match=version))


def patch_resource(request: HttpRequest, type_name: str, fhir_id: str = "") -> HttpResponse:
    """JSON Patch or JSON Merge Patch, by id or by conditions."""
    call = open_call(request)
    call.check(type_name, "patch")
    call.check(type_name, "read")  # its `test` tells what the resource holds
    content_type = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if content_type not in (patch.MEDIA_TYPE, *patch.MERGE_TYPES):
        offered = f"{patch.MEDIA_TYPE} or {patch.MERGE_TYPES[0]}"
        raise refused(415, "not-supported", f"A patch is {offered}, not {content_type[:80] or 'nothing'}.")
    criteria = "" if fhir_id else request.META.get("QUERY_STRING", "")
    version = interactions.if_match(request.headers.get("If-Match"))
    operations = wire.parse(body_of(request))
    if content_type in patch.MERGE_TYPES:
        operations = patch.of_merge(operations)
    return _write(call, Asked(0, "PATCH", type_name, fhir_id, criteria, if_match=version, patch=operations))


def _read_resource(request: HttpRequest) -> dict[str, Any]:
    renderers.check_content_type(request.headers.get("Content-Type", ""))
    return wire.parse_object(body_of(request))


def _write(call: Call, asked: Asked) -> HttpResponse:
    tray = Tray(base=call.base, reach=call.reach)
    with taking_turns(interactions.conditions_of(asked)):
        result = interactions.plan(asked, tray, call.place)
        if result is None:
            delivery = tray.delivery("fhir", from_outside=True)
            receipt = deliver(delivery=delivery, actor=call.actor, now=call.place.now, atomic=True)
    if result is not None:
        call.note(interactions.INTERACTION[asked.method], f"{asked.type}/{result.fhir_id}")
        return _written(call, asked, result)
    result = interactions.answer(asked, receipt.outcomes[asked.index])
    readings: list[NumberReading | PacketReading] = [*tray.readings, *tray.packets]
    if readings and result.status == 201 and result.version == 1:
        text = shelves.of_sent(readings[0], result.fhir_id, call.place.now)
        return _written(call, asked, result, text, tray.ahead(call.place.now))
    return _written(call, asked, result, ahead=tray.ahead(call.place.now))


def stands_outcome(result: Result, ahead_h: float = 0.0) -> dict[str, Any]:
    """The OperationOutcome of a write that was done. `ahead_h`: hours by which its reading is dated ahead of us."""
    said = [Issue("informational", f"{result.location} stands.", severity="information")]
    if ahead_h:
        told = (
            f"What it measured is dated {_span(ahead_h)} ahead of this server's clock: it is kept as sent, and is used"
            " once that time is here. Check the clock and time zone of the device."
        )
        said.append(Issue("business-rule", told, "Observation.effective", "warning"))
    return operation_outcome(said)


def _span(hours: float) -> str:
    return f"{hours * 60:.0f} minutes" if hours < 2.0 else f"{hours:.1f} hours"


def _written(
    call: Call, asked: Asked, result: Result, text: str = "", ahead: Mapping[int, float] | None = None
) -> HttpResponse:
    """The answer to a write, as the caller prefers it: the resource, nothing, or an OperationOutcome.

    `text`: the resource as it now reads, where it is known already. `ahead`: as `Tray.ahead`.
    """
    if result.status == 204:
        return answer(204, **(_version_headers(result) if result.version else {}))
    headers = {"Location": f"{call.base}/{result.location}", **_version_headers(result)}
    wish = call.prefer.get("return", "representation")
    if wish == "minimal":
        return answer(result.status, **headers)
    if wish == "OperationOutcome":
        return answer(
            result.status, renderers.text_of(stands_outcome(result, (ahead or {}).get(asked.index, 0.0))), **headers
        )
    return answer(result.status, text or text_of_written(result), **headers)


def text_of_written(result: Result) -> str:
    """The resource as it now reads: whoever has just written it knows it, or has found it by a search."""
    return shelves.read(writable(result.type), result.fhir_id, EVERYTHING).text
