"""`$export` over HTTP: kick-off, status, cancel, files (Bulk Data Access IG 3.0, async request pattern)."""

import zlib
from collections.abc import AsyncIterator
from email.utils import format_datetime
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils import timezone

from integrations.bulk import asking
from integrations.bulk.asking import Asked
from integrations.bulk.filters import covers, system_reach
from integrations.bulk.members import members_of
from integrations.fhir import renderers, shelves, wire
from integrations.fhir.call import Call, body_of, open_call
from integrations.fhir.outcomes import FhirError, Issue, operation_outcome, refused
from integrations.fhir.reach import Reach
from integrations.fhir.routes import ROUTES
from integrations.fhir.views import answer
from recovery import export_files
from recovery.selectors.connections import client_by_row
from recovery.selectors.exports import ExportSeen, export_of
from recovery.selectors.fhir_store import known_patients
from recovery.services import exports
from recovery.services.documents import instant
from recovery.services.exports import TooMany, Wish

ASK_AGAIN_S, TOO_MANY_S = 2, 120
PIECE = 1 << 16
NDJSON = "application/fhir+ndjson"


def kick_off(request: HttpRequest, kind: str, fhir_id: str = "") -> HttpResponse:
    """202 with the address of the status."""
    call = open_call(request)
    reach = system_reach(call.actor.scopes, call.place.now)
    if not reach.grants.held:
        call.note("export", "Export", outcome="denied")
        raise refused(
            403, "forbidden", "An export needs system/ scopes; what a person or a patient granted opens none."
        )
    asked = asking.parse(_pairs(request), lenient="handling=lenient" in request.headers.get("Prefer", ""), now=_now())
    try:
        types = asking.types_told(asked, kind, reach)
    except FhirError:
        call.note("export", "Export", outcome="denied")
        raise
    wish = _wish(request, call, reach, asked, types, kind, fhir_id)
    try:
        key = exports.ask(wish=wish, actor=call.actor, now=call.place.now)
    except TooMany as error:
        raise FhirError(429, Issue("throttled", error.message), headers={"Retry-After": str(TOO_MANY_S)}) from error
    issue = Issue("informational", "The export was accepted: ask Content-Location for its state.", "", "information")
    body = renderers.text_of(operation_outcome([issue]))
    return answer(202, body, Content_Location=f"{call.base}/bulk/status/{key}")


def _now() -> Any:
    return timezone.now()


def _wish(
    request: HttpRequest, call: Call, reach: Reach, asked: Asked, types: list[str], kind: str, fhir_id: str
) -> Wish:
    wanted: dict[str, Any] = {"types": types, "since": asked.since, "until": asked.until, "filters": asked.filters}
    members = None
    if kind == "group":
        groups = _groups(call, reach)
        group = shelves.read(ROUTES["Group"], fhir_id, groups)
        members = list(dict.fromkeys(members_of(wire.parse_object(group.text.encode()), call.place.now, groups)))
    if asked.patients is not None:
        members = _named(asked.patients, members, reach)
        wanted["patients"] = members
    address = call.base + request.get_full_path().partition("/fhir")[2]
    return Wish(kind, address, call.base, {name: said for name, said in wanted.items() if said}, fhir_id, members)


def _groups(call: Call, reach: Reach) -> Reach:
    """Which groups may be named. Bulk clients ask for scopes of what they want told, not of Group: then what their
    system is registered with decides. Raises FhirError 403."""
    client = client_by_row(call.actor.id) if call.actor.id is not None else None
    registered = system_reach(client.scopes if client is not None else "", call.place.now)
    if not reach("Group", "read") and registered("Group", "read"):
        return registered
    call.check("Group", "read")
    return reach


def _named(patients: list[str], members: list[str] | None, reach: Reach) -> list[str]:
    """Raises FhirError 404 for a patient that is not here for these scopes, or not of the group. Scopes that reach no
    patients are not told who is here."""
    seen = set(patients) if members is None else set(members)
    if reach("Patient", "read"):
        seen &= {one for one in known_patients(patients) if _is_seen(one, reach)}
    missing = [one for one in patients if one not in seen]
    if missing:
        raise refused(404, "not-found", f"There is no Patient/{missing[0]} to export here.", "patient")
    return list(dict.fromkeys(patients))


def _is_seen(fhir_id: str, reach: Reach) -> bool:
    if reach.is_unlimited("Patient", "read"):
        return True
    found = shelves.find(ROUTES["Patient"], fhir_id)
    return found is not None and shelves.is_open(ROUTES["Patient"], found, reach, "read")


def _pairs(request: HttpRequest) -> list[tuple[str, str]]:
    pairs = [(name, str(value)) for name, values in request.GET.lists() for value in values]
    if request.method != "POST" or not body_of(request).strip():
        return pairs
    renderers.check_content_type(request.headers.get("Content-Type", ""))
    return pairs + asking.pairs_of(wire.parse_object(body_of(request)))


# ---- status ---


def status(request: HttpRequest, key: UUID) -> HttpResponse:
    """202 while it is written, 200 with the manifest, 500 when it failed, 404 when it was cancelled or has expired."""
    call = open_call(request)
    seen = _mine(call, key)
    if seen.status == "failed":
        raise refused(500, "exception", seen.words)
    if seen.status != "done":
        response = answer(202)
        response["X-Progress"] = f"{seen.progress} %: {seen.words}"[:100]
        response["Retry-After"] = str(ASK_AGAIN_S)
        return response
    reach = system_reach(call.actor.scopes, call.place.now)
    response = HttpResponse(renderers.text_of(manifest(seen, call.base, reach)), content_type="application/json")
    response["Cache-Control"] = "no-store"
    if seen.expires_at is not None:
        response["Expires"] = format_datetime(seen.expires_at, usegmt=True)
    return response


def _mine(call: Call, key: UUID) -> ExportSeen:
    asker = call.actor.id if call.actor.kind == "connection" else None
    seen = export_of(key, asker) if asker is not None else None
    if seen is None:
        raise refused(404, "not-found", "There is no such export: it was cancelled, has expired, or never was yours.")
    return seen


def manifest(seen: ExportSeen, base: str, reach: Reach) -> dict[str, Any]:
    """In the form of 3.0 and, where it differs, of the 4.0 ballot as well (`outcome` for `error`). A file that these
    scopes do not open is named without its count."""
    return {
        "transactionTime": instant(seen.transaction_time),
        "request": seen.request,
        "requiresAccessToken": True,
        "output": [_file(one, seen, base, reach) for one in seen.output if one["kind"] == "output"],
        "deleted": [_file(one, seen, base, reach) for one in seen.output if one["kind"] == "deleted"],
        "error": [],
        "outcome": [],
    }


def _file(one: dict[str, Any], seen: ExportSeen, base: str, reach: Reach) -> dict[str, Any]:
    said = {"type": one["type"], "url": f"{base}/bulk/files/{seen.key}/{one['name']}"}
    return {**said, "count": one["count"]} if _opens(reach, seen, one) else said


def _opens(reach: Reach, seen: ExportSeen, one: dict[str, Any]) -> bool:
    """Whether these scopes open a file: those that it was written with, or more. Deletions are of all types told."""
    then = system_reach(seen.scopes, reach.now)
    types = seen.types if one["kind"] == "deleted" else (one["type"],)
    return bool(reach.grants.held) and all(covers(reach, then, name) for name in types)


def cancel(request: HttpRequest, key: UUID) -> HttpResponse:
    call = open_call(request)
    exports.cancel(key=key, actor=call.actor, now=call.place.now)
    return answer(202)


# ---- files ---


def file(request: HttpRequest, key: UUID, name: str) -> StreamingHttpResponse:
    """One file, packed where the caller takes gzip. The scopes are asked again: see `filters.covers`."""
    call = open_call(request)
    seen = _mine(call, key)
    one = next((one for one in seen.output if one["name"] == name and seen.status == "done"), None)
    if one is None:
        raise refused(404, "not-found", f"There is no file {name[:60]!r} in this export.")
    reach = system_reach(call.actor.scopes, call.place.now)
    if not _opens(reach, seen, one):
        call.note("export_file", f"Export/{key}/{name}", outcome="denied")
        raise refused(403, "forbidden", f"Your scopes do not allow an export of {one['type']} any more.")
    path = export_files.path_of(key, name)
    try:
        opened = path.open("rb")
    except FileNotFoundError:
        raise refused(404, "not-found", "The file is gone: the export has expired.") from None
    call.note("export_file", f"Export/{key}/{name}", entries=one["count"])
    return _sent(request, opened, path)


def _sent(request: HttpRequest, opened: BinaryIO, path: Path) -> StreamingHttpResponse:
    packed = "gzip" in request.headers.get("Accept-Encoding", "").lower()
    pieces = Pieces(opened, packed)
    content = _Awaited(pieces) if isinstance(request, ASGIRequest) else pieces
    response = StreamingHttpResponse(content, content_type=NDJSON)
    response["Cache-Control"] = "no-store"
    response["Vary"] = "Accept-Encoding"
    if packed:
        response["Content-Encoding"] = "gzip"
        response["Content-Length"] = str(path.stat().st_size)
    return response


class Pieces:
    """A packed file piece by piece, as it is or unpacked; closed by the response that sends it."""

    def __init__(self, opened: BinaryIO, packed: bool) -> None:
        self._opened, self._unpacker = opened, None if packed else zlib.decompressobj(zlib.MAX_WBITS | 16)
        self.close = opened.close

    def __iter__(self) -> "Pieces":
        return self

    def __next__(self) -> bytes:
        piece = self._next()
        if not piece:
            raise StopIteration
        return piece

    def _next(self) -> bytes:
        if self._unpacker is None:
            return self._opened.read(PIECE)
        while not self._unpacker.eof:
            packed = self._unpacker.unconsumed_tail or self._opened.read(PIECE)
            piece = self._unpacker.decompress(packed, 16 * PIECE)
            if piece or not packed:
                return piece
        return b""


class _Awaited:
    """ASGI would gather a plain iterator as a whole before it sends."""

    def __init__(self, pieces: Pieces) -> None:
        self._pieces, self.close = pieces, pieces.close

    async def __aiter__(self) -> AsyncIterator[bytes]:
        step = sync_to_async(self._step, thread_sensitive=False)
        while piece := await step():
            yield piece

    def _step(self) -> bytes:
        return next(self._pieces, b"")
