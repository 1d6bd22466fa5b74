"""The operations' doors: who may ask, what is noted, how the answer is wrapped."""

from collections.abc import Sequence
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse

from integrations.fhir import renderers, shelves, wire
from integrations.fhir.call import Call, body_of, open_call
from integrations.fhir.operations import everything, lastn, summary, validate
from integrations.fhir.outcomes import operation_outcome, refused
from integrations.fhir.views import answer
from recovery.selectors.fhir_store import patient_row_id

Pairs = list[tuple[str, str]]


def run_validate(request: HttpRequest, type_name: str, fhir_id: str = "") -> HttpResponse:
    """200 with an OperationOutcome, whatever it says; 400 only when the request itself cannot be read."""
    call = open_call(request)
    interaction = "create" if call.allows(type_name, "create") else "read"
    route = call.check(type_name, interaction)
    if request.method == "GET":
        resource, mode, profile = None, request.GET.get("mode", ""), request.GET.get("profile", "")
    else:
        renderers.check_content_type(request.headers.get("Content-Type", ""))
        resource, mode, profile = validate.unpacked(wire.parse_object(body_of(request)))
        mode, profile = mode or request.GET.get("mode", ""), profile or request.GET.get("profile", "")
    if fhir_id:
        call.check(type_name, "read")
    issues = validate.issues_of(route, resource, mode, profile, fhir_id, call.reach)
    call.note("validate", f"{type_name}/{fhir_id}".rstrip("/"))
    return answer(200, renderers.text_of(operation_outcome(issues)))


def run_everything(request: HttpRequest, fhir_id: str = "") -> HttpResponse:
    call = open_call(request)
    route = call.check("Patient", "read")
    pairs = pairs_of(request)
    if not fhir_id:
        raise refused(400, "required", "Name the patient: Patient/[id]/$everything.")
    shelves.read(route, fhir_id, call.reach)
    asked = everything.parse(pairs)
    entries, more = everything.page_of(asked, fhir_id, call)
    _note(call, "everything", fhir_id, pairs)
    url = f"{call.base}/Patient/{fhir_id}/$everything"
    links = [("self", asked.said)] + ([("next", [*asked.said, ("_cursor", more)])] if more else [])
    return answer(200, renderers.bundle_of(entries, [(name, _url(url, said)) for name, said in links], call.base))


def run_lastn(request: HttpRequest) -> HttpResponse:
    call = open_call(request)
    call.check("Observation", "search-type")
    pairs = pairs_of(request)
    entries = lastn.last_of_each_code(pairs, call)
    patients = {entry.patient_id for entry in entries if entry.patient_id is not None}
    call.note("lastn", "Observation", patients, query=urlencode(pairs))
    url = _url(f"{call.base}/Observation/$lastn", pairs)
    return answer(200, renderers.bundle_of(entries, [("self", url)], call.base, total=len(entries)))


def run_summary(request: HttpRequest, fhir_id: str) -> HttpResponse:
    call = open_call(request)
    patient = shelves.read(call.check("Patient", "read"), fhir_id, call.reach)
    found = summary.document(patient, call)
    _note(call, "summary", fhir_id)
    return answer(200, summary.as_bundle(found, call.base, call.place.now))


def _note(call: Call, action: str, fhir_id: str, pairs: Sequence[tuple[str, str]] = ()) -> None:
    row_id = patient_row_id(fhir_id)
    call.note(action, f"Patient/{fhir_id}", {row_id} if row_id is not None else None, query=urlencode(pairs))


def _url(url: str, pairs: Pairs) -> str:
    return f"{url}?{urlencode(pairs)}" if pairs else url


def pairs_of(request: HttpRequest) -> Pairs:
    """The parameters of a GET's query or of a POSTed Parameters resource. Raises FhirError 400."""
    pairs = [(name, value) for name, values in request.GET.lists() for value in values]
    if request.method != "POST" or not body_of(request).strip():
        return pairs
    renderers.check_content_type(request.headers.get("Content-Type", ""))
    body = wire.parse_object(body_of(request))
    given = body.get("parameter", [])
    if body.get("resourceType") != "Parameters" or not isinstance(given, list):
        raise refused(400, "structure", "The body of an operation is a Parameters resource.", "Parameters")
    for one in given:
        if not isinstance(one, dict) or not isinstance(one.get("name"), str):
            raise refused(400, "structure", "Each parameter needs a name.", "Parameters.parameter")
        pairs += [(one["name"], str(value)) for key, value in one.items() if key.startswith("value")]
    return pairs
