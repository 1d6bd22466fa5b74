"""POST of a transaction or batch Bundle to the base address: what became of each entry, in the order sent."""

from typing import Any
from urllib.parse import parse_qsl

from django.http import HttpRequest, HttpResponse

from integrations.fhir import bundle, renderers, shelves
from integrations.fhir.bundle import Get
from integrations.fhir.call import Call, body_of, open_call
from integrations.fhir.interactions import Result
from integrations.fhir.outcomes import FhirError, refused
from integrations.fhir.primitives import ID
from integrations.fhir.shelves import Entry
from integrations.fhir.streams.recalled import parse_bundle
from integrations.fhir.views import answer, patients_of, search_text, stands_outcome, text_of_written
from recovery.services.documents import instant
from recovery.services.turns import together


def transact(request: HttpRequest) -> HttpResponse:
    call = open_call(request)
    renderers.check_content_type(request.headers.get("Content-Type", ""))
    body = body_of(request)
    sent = parse_bundle(body)
    all_or_nothing = sent.get("type") == "transaction"
    try:
        with together(all_or_nothing and _has_get(sent)):
            answers = bundle.process(sent, body, call.actor, call.allows, call.place)
            read = {n: _answer_get(call, get, n if all_or_nothing else None) for n, get in answers.gets.items()}
    except FhirError as error:
        if error.status == 403 and all_or_nothing and _has_get(sent):  # the note inside went with the transaction
            call.note("ingest", "Bundle", outcome="denied", status=403)
        raise
    refusals = [one.status for one in answers.results.values() if isinstance(one, FhirError)]
    if refusals:
        call.note("ingest", "Bundle", outcome="refused", status=refusals[0], entries=len(refusals))
    texts = {
        index: _answer_write(call, result, answers.ahead.get(index, 0.0)) for index, result in answers.results.items()
    }
    texts |= read
    ordered = (texts[index] for index in sorted(texts))
    return answer(200, renderers.bundle_response(sent["type"], ordered))


def _has_get(sent: dict[str, Any]) -> bool:
    entries = sent.get("entry")
    requests = [one.get("request") for one in entries if isinstance(one, dict)] if isinstance(entries, list) else []
    return any(isinstance(one, dict) and one.get("method") in bundle.READS for one in requests)


def _answer_write(call: Call, result: Result | FhirError, ahead_h: float = 0.0) -> str:
    """As the caller prefers it; without a wish nothing but where it stands, for Bundles are large."""
    wish = call.prefer.get("return", "minimal")
    if isinstance(result, FhirError) or result.status == 204 or wish == "minimal":
        return renderers.answer_entry(result)
    if wish == "OperationOutcome":
        return renderers.answer_entry(result, outcome=stands_outcome(result, ahead_h))
    return renderers.answer_entry(result, resource=text_of_written(result))


def _answer_get(call: Call, get: Get, place: int | None) -> str:
    """A GET or HEAD inside a Bundle: a read, a version, or a search.

    One of a transaction (at `place`) that fails fails it.
    """
    try:
        path, _, query = get.address.partition("?")
        steps = path.split("/")
        if len(steps) == 3 and steps[0] == "Patient" and ID.fullmatch(steps[1]):  # within a patient's compartment
            pairs = parse_qsl(query, keep_blank_values=True)
            return renderers.resource_entry(search_text(call, steps[2], pairs, patient=steps[1]), bare=get.bare)
        if len(steps) == 1:
            pairs = parse_qsl(query, keep_blank_values=True)
            return renderers.resource_entry(search_text(call, steps[0], pairs), bare=get.bare)
        if not all(ID.fullmatch(one) for one in (steps[1], steps[-1])) or len(steps) not in (2, 4):
            raise refused(404, "not-found", f"There is nothing at {get.address[:120]!r}.")
        return _answer_read(call, get, _read(call, steps))
    except FhirError as error:
        if place is not None:
            raise bundle.at_entry(place, error) from error
        return renderers.answer_entry(error)


def _read(call: Call, steps: list[str]) -> Entry:
    if len(steps) == 4:
        entry = shelves.read_version(call.check(steps[0], "vread"), steps[1], steps[3], call.reach)
    else:
        entry = shelves.read(call.check(steps[0], "read"), steps[1], call.reach)
    call.note("read", f"{steps[0]}/{steps[1]}", patients_of([entry]))
    return entry


def _answer_read(call: Call, get: Get, entry: Entry) -> str:
    etag = renderers.etag(entry.version)
    said = {"etag": etag, "lastModified": instant(entry.updated_at)}
    if etag in [one.strip() for one in get.if_none_match.split(",")]:
        return renderers.resource_entry("", 304, said, bare=True)
    return renderers.resource_entry(entry.text, 200, said, bare=get.bare)
