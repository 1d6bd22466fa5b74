"""What goes over the wire: the media type agreed on, and Bundles spliced from stored JSON text (never re-parsed)."""

import json
from collections.abc import Container, Iterable, Mapping, Sequence
from functools import cache
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import orjson

from integrations.fhir.interactions import Result
from integrations.fhir.outcomes import FhirError, Issue, operation_outcome, refused
from integrations.fhir.search.grammar import SearchRequest
from integrations.fhir.search.page import Page
from integrations.fhir.shelves import Entry
from recovery.services.documents import instant

FHIR_JSON = "application/fhir+json"
CONTENT_TYPE = f"{FHIR_JSON}; charset=utf-8"
_READABLE = frozenset((FHIR_JSON, "application/json", "text/json", "application/json+fhir"))
_WANTED = _READABLE | {"*/*", "application/*", "json", ""}


def check_accept(accept: str, wanted_format: str) -> None:
    """Raises FhirError 406 when the caller takes no FHIR JSON. `_format` goes before the header."""
    said = wanted_format or accept
    if not any(_bare(one) in _WANTED and _is_r4(one) for one in said.split(",")):
        raise refused(406, "not-supported", f"This server writes {FHIR_JSON} of FHIR 4.0 only, not {said[:80]}.")


def check_content_type(content_type: str) -> None:
    """Raises FhirError 415 when the body is said to be something else than FHIR JSON in UTF-8."""
    if _bare(content_type) not in _READABLE:
        raise refused(
            415, "not-supported", f"This server reads {FHIR_JSON} only, not {content_type[:80] or 'nothing'}."
        )
    if not _is_r4(content_type):
        raise refused(415, "not-supported", f"This server reads FHIR 4.0 only, not {content_type[:80]}.")
    charset = content_type.lower().partition("charset=")[2].strip(' "').partition(";")[0]
    if charset not in ("", "utf-8", "utf8"):
        raise refused(415, "not-supported", f"The body must be UTF-8, not {charset[:40]}.")


def _is_r4(media_type: str) -> bool:
    """Whether its fhirVersion parameter, if it has one, is FHIR R4 (http.html#version-parameter)."""
    version = media_type.lower().partition("fhirversion=")[2].partition(";")[0].strip(' "')
    return version in ("", "4.0", "4.0.1")


def _bare(media_type: str) -> str:
    """Without parameters; a "+" that arrived as a space (`_format=application/fhir+json`) is mended."""
    return media_type.partition(";")[0].strip().lower().replace("fhir json", "fhir+json")


def text_of(value: Any) -> str:
    return orjson.dumps(value).decode()


def searchset(request: SearchRequest, page: Page, base: str) -> str:
    """A searchset Bundle with self and next links; resources are spliced in as they are stored."""
    head: dict[str, Any] = {"resourceType": "Bundle", "id": str(uuid4()), "type": "searchset"}
    if page.total is not None:
        head["total"] = page.total
    head["link"] = _links(request, page, f"{base}/{request.address}")
    entries = [_search_entry(entry, base) for entry in page.entries]
    entries += [_search_entry(entry, base, "include") for entry in page.included]
    issues = [Issue("too-costly", note, severity="warning") for note in page.notes]
    if request.ignored:
        names = ", ".join(request.ignored)
        sentence = f"Not searched by (unknown or unusable here): {names}."
        issues.append(Issue("not-supported", sentence, severity="warning"))
    if issues:
        outcome = text_of(operation_outcome(issues))
        entries.append(f'{{"resource":{outcome},"search":{{"mode":"outcome"}}}}')
    return with_entries(head, entries)


def _links(request: SearchRequest, page: Page, url: str) -> list[dict[str, str]]:
    links = [{"relation": "self", "url": _url(url, request.said)}]
    for relation, cursor in (("next", page.cursor), ("previous", page.previous)):
        if cursor is not None:
            links.append({"relation": relation, "url": _url(url, [*request.said, ("_cursor", cursor)])})
    return links


def _url(url: str, pairs: Sequence[tuple[str, str]]) -> str:
    return f"{url}?{urlencode(pairs)}" if pairs else url


def _search_entry(entry: Entry, base: str, mode: str = "match") -> str:
    full_url = json.dumps(f"{base}/{entry.type}/{entry.fhir_id}")
    return f'{{"fullUrl":{full_url},"resource":{entry.text},"search":{{"mode":"{mode}"}}}}'


def with_entries(head: Mapping[str, Any], entries: Sequence[str]) -> str:
    """An empty list is no FHIR: a Bundle without entries has no `entry`."""
    text = text_of(head)
    return f'{text[:-1]},"entry":[{",".join(entries)}]}}' if entries else text


def bundle_of(entries: Iterable[Entry], links: Sequence[tuple[str, str]], base: str, total: int | None = None) -> str:
    """A searchset Bundle of what an operation found. `links`: (relation, URL)."""
    head: dict[str, Any] = {"resourceType": "Bundle", "id": str(uuid4()), "type": "searchset"}
    if total is not None:
        head["total"] = total
    head["link"] = [{"relation": name, "url": url} for name, url in links]
    return with_entries(head, [_search_entry(entry, base) for entry in entries])


def history(
    entries: Sequence[Entry],
    total: int | None,
    links: Sequence[tuple[str, str]],
    base: str,
    created: Container[tuple[str, str, int]],
) -> str:
    """`created`: the versions (type, id, version) that made their resource, first or again after a deletion."""
    head: dict[str, Any] = {"resourceType": "Bundle", "id": str(uuid4()), "type": "history"}
    if total is not None:
        head["total"] = total
    head["link"] = [{"relation": name, "url": url} for name, url in links]
    return with_entries(head, [_history_entry(entry, base, created) for entry in entries])


def _history_entry(entry: Entry, base: str, created: Container[tuple[str, str, int]]) -> str:
    """What is stored does not tell whether a first version came by POST or by PUT, nor who chose its id. So it is told
    as a PUT that created (201): whoever replays the history keeps the id, to which its later versions and deletion and
    the references of others refer. Told as a POST it would be given another.
    """
    address = f"{entry.type}/{entry.fhir_id}"
    method = "DELETE" if entry.deleted else "PUT"
    made = (entry.type, entry.fhir_id, entry.version) in created
    status = "204" if entry.deleted else ("201" if made else "200")
    response = {"status": status, "etag": etag(entry.version), "lastModified": instant(entry.updated_at)}
    said = {
        "fullUrl": f"{base}/{address}",
        "request": {"method": method, "url": address},
        "response": response,
    }
    resource = "" if entry.deleted else f',"resource":{entry.text}'
    return f"{text_of(said)[:-1]}{resource}}}"


def etag(version: int) -> str:
    return f'W/"{version}"'


@cache
def status_line(status: int) -> str:
    return f"{status} {HTTPStatus(status).phrase}"


def bundle_response(kind: str, answers: Iterable[str]) -> str:
    head = {"resourceType": "Bundle", "id": str(uuid4()), "type": f"{kind}-response"}
    return with_entries(head, list(answers))


def answer_entry(result: Result | FhirError, resource: str = "", outcome: Mapping[str, Any] | None = None) -> str:
    """One entry of a transaction or batch response; `resource`: the text of what now stands, where it is wanted."""
    if isinstance(result, FhirError):
        outcome = operation_outcome(result.issues)
        return text_of({"response": {"status": status_line(result.status), "outcome": outcome}})
    response: dict[str, Any] = {"status": status_line(result.status)}
    if result.fhir_id and result.status != 204:
        response["location"] = result.location
    if result.version:
        response["etag"] = etag(result.version)
    if result.updated_at is not None:
        response["lastModified"] = instant(result.updated_at)
    if outcome is not None:
        response["outcome"] = outcome
    text = text_of({"response": response})
    return f'{{"resource":{resource},{text[1:]}' if resource else text


def resource_entry(text: str, status: int = 200, extra: Mapping[str, str] | None = None, *, bare: bool = False) -> str:
    """The answer to a GET inside a Bundle; `bare`: without the resource."""
    response = text_of({"status": status_line(status), **(extra or {})})
    return f'{{"response":{response}}}' if bare else f'{{"resource":{text},"response":{response}}}'
