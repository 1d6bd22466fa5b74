"""The write interactions of FHIR REST, one request at a time: create, update, delete, and their conditional forms.

`plan` looks up what the conditions match and says what is to be done; a Tray takes it; `answer` words what became of
it. A Bundle is many of these in one delivery.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from integrations.fhir import patch, shelves, wire
from integrations.fhir.outcomes import FhirError, of_refusal, refused
from integrations.fhir.reach import Reach
from integrations.fhir.receiving import Tray, Wish, writable
from integrations.fhir.routes import Route
from integrations.fhir.search import grammar
from integrations.fhir.search.run import run
from integrations.fhir.shelves import Entry
from recovery.records import record
from recovery.selectors import fhir_search
from recovery.selectors.fhir_search import HeldObservation
from recovery.services.intake import Outcome

Held = Mapping[str, HeldObservation]
INTERACTION = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


@record
class Asked:
    """One write as it was asked for. `criteria`: the query of a conditional update or delete ("" when there is an id).

    `assigned`: the id that a transaction has already promised to other entries. `patch`: the operations of a PATCH.
    `if_none_match`: of a PUT, the versions that must not stand; `*`: none may.
    """

    index: int
    method: str  # POST, PUT, PATCH, DELETE
    type: str
    fhir_id: str = ""
    criteria: str = ""
    resource: Mapping[str, Any] = field(default_factory=dict)
    if_match: int | None = None
    if_none_exist: str = ""
    assigned: str | None = None
    patch: Any = None
    if_none_match: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a search runs: base URL of the door, the time now, and what the caller may reach."""

    base: str
    now: datetime
    reach: Reach


@record
class Result:
    """What became of a write: HTTP status, and the id and version that now stand."""

    status: int
    type: str
    fhir_id: str = ""
    version: int = 0
    updated_at: datetime | None = None

    @property
    def location(self) -> str:
        return f"{self.type}/{self.fhir_id}/_history/{self.version}"


def matches(route: Route, criteria: str, place: Place) -> list[Entry]:
    """Up to two resources that fit conditional criteria.

    Raises FhirError 400 for criteria that cannot be used, 403 where the caller may not search: what conditions match,
    or that they match nothing, tells what is here.
    """
    if not place.reach(route.type, "search-type"):
        raise refused(403, "forbidden", f"Conditions are a search: your scopes do not allow to search {route.type}.")
    pairs = parse_qsl(criteria, keep_blank_values=True)
    if not pairs:
        raise refused(400, "invalid", f"These conditions name no search parameter: {criteria[:80]!r}.")
    request = grammar.parse(
        route, [*pairs, ("_count", "2")], base=place.base, strict=True, now=place.now, reach=place.reach
    )
    if not request.criteria and request.ids is None:
        raise refused(412, "too-costly", "Conditions must name at least one search parameter.")
    return list(run(request).entries)


def mark_of(criteria: str, reach: Reach | None = None) -> str:
    """The same conditions in any order have the same mark: the SHA-256 of the sorted parameters.

    Of callers with unlike reach they are not the same: what one made is not for the other to find.
    """
    said = "\x1f".join(f"{name}={value}" for name, value in sorted(parse_qsl(criteria, keep_blank_values=True)))
    if reach is not None and reach.mark:
        said = f"{reach.mark}\x1e{said}"
    return hashlib.sha256(said.encode()).hexdigest()


def conditions_of(asked: Asked) -> list[str]:
    """Under which conditions it acts: those who act under the same ones take turns (`taking_turns`)."""
    said = asked.if_none_exist or asked.criteria
    if asked.if_none_match and not said:
        return [f"{asked.type}/{asked.fhir_id}"]
    return [f"{asked.type}?{mark_of(said)}"] if said else []


def one_match(asked: Asked, criteria: str, place: Place) -> Entry | None:
    """The resource that the conditions mean, or None. Raises FhirError 412 when they mean several."""
    found = matches(writable(asked.type), criteria, place)
    if len(found) > 1:
        sentence = f"The conditions match more than one {asked.type}; make them name one."
        raise refused(412, "multiple-matches", sentence)
    return found[0] if found else None


def plan(asked: Asked, tray: Tray, place: Place, held: Held | None = None) -> Result | None:
    """Put the write on the tray, or answer at once when nothing is to be done. Raises FhirError.

    `held`: what stands at the Observation ids of a whole Bundle, when it was looked up together.
    """
    if asked.method == "POST":
        return _plan_create(asked, tray, place)
    if asked.method == "PUT":
        return _plan_update(asked, tray, place, held)
    if asked.method == "PATCH":
        return _plan_patch(asked, tray, place, held)
    return _plan_delete(asked, tray, place, held)


def _plan_create(asked: Asked, tray: Tray, place: Place) -> Result | None:
    criteria = None
    if asked.if_none_exist:
        existing = one_match(asked, asked.if_none_exist, place)
        if existing is not None:
            return _as_it_stands(existing)
        criteria = mark_of(asked.if_none_exist, place.reach)
    _take_new(asked, criteria, tray)
    return None


def _take_new(asked: Asked, criteria: str | None, tray: Tray, method: str = "create") -> None:
    promised = asked.assigned is not None
    wish = Wish(asked.index, method, asked.assigned, None, criteria, promised=promised)
    tray.take(asked.resource, wish, asked.type)


def _as_it_stands(entry: Entry) -> Result:
    return Result(200, entry.type, entry.fhir_id, entry.version, entry.updated_at)


def _plan_update(asked: Asked, tray: Tray, place: Place, held: Held | None) -> Result | None:
    fhir_id, own_id, existing = asked.fhir_id, asked.resource.get("id"), None
    if asked.criteria:
        existing = one_match(asked, asked.criteria, place)
        if existing is None and own_id is None:
            _take_new(asked, mark_of(asked.criteria, place.reach), tray, "put")
            return None
        fhir_id = existing.fhir_id if existing is not None else str(own_id)
        if own_id is not None and own_id != fhir_id:
            raise refused(
                400, "invalid", f"The conditions match {fhir_id}, the body has another id.", f"{asked.type}.id"
            )
    elif own_id != fhir_id:
        said = "no id" if own_id is None else f"the id {str(own_id)[:64]!r}"
        raise refused(400, "invalid", f"The address names {fhir_id}, the body has {said}.", f"{asked.type}.id")
    _check_before(asked, fhir_id, "update", place)
    _refuse_conclusion(asked.type, fhir_id)
    version = _version_to_replace(asked, fhir_id)
    standing = _held(asked, fhir_id, held)
    is_streamed = standing is not None and not standing.is_document
    criteria = mark_of(asked.criteria, place.reach) if existing is not None and not is_streamed else None
    tray.take(asked.resource, Wish(asked.index, "put", fhir_id, version, criteria, standing), asked.type)
    return None


def _version_to_replace(asked: Asked, fhir_id: str) -> int | None:
    """The version that must be current when it is written (0: none was ever), or None when any may be.

    If-None-Match of an update (RFC 9110 13.1.2): raises FhirError 412 where what it excludes stands; what was deleted
    does not. An Observation is not held to its version, which would make a document of a reading: there only those who
    send the same condition take turns.
    """
    if not asked.if_none_match:
        return asked.if_match
    standing = shelves.find(writable(asked.type), fhir_id)
    current = standing.version if standing is not None else 0
    excluded = {one.strip().removeprefix("W/") for one in asked.if_none_match.split(",")}
    if standing is not None and not standing.deleted and excluded & {"*", f'"{current}"'}:
        sentence = f"{asked.type}/{fhir_id} stands at version {current}: If-None-Match asks to leave it as it is."
        raise refused(412, "conflict", sentence)
    return asked.if_match if asked.if_match is not None or asked.type == "Observation" else current


def _plan_patch(asked: Asked, tray: Tray, place: Place, held: Held | None) -> Result | None:
    """What is patched must not change under it: the version read is the version replaced."""
    entry = _patched_one(writable(asked.type), asked.fhir_id, asked.criteria, place)
    if asked.if_match not in (None, entry.version):
        sentence = f"{asked.type}/{entry.fhir_id} is at version {entry.version}, not {asked.if_match}: read it again."
        raise refused(412, "conflict", sentence)
    before = wire.parse_object(entry.text.encode())
    resource = patch.apply(before, asked.patch)
    if patch.is_same(resource, before):
        return _as_it_stands(entry)
    put = replace(
        asked, method="PUT", fhir_id=entry.fhir_id, criteria="", resource=resource, if_match=entry.version, patch=None
    )
    return _plan_update(put, tray, place, held)


def _patched_one(route: Route, fhir_id: str, criteria: str, place: Place) -> Entry:
    """What a patch is for, by id or by conditions. Raises FhirError 400, 404, 405, 410, 412."""
    if fhir_id:
        found: Entry | None = shelves.read(route, fhir_id, place.reach)
    elif criteria:
        found = one_match(Asked(0, "PATCH", route.type), criteria, place)
    else:
        raise refused(400, "required", "A PATCH needs an id or conditions in its address.")
    if found is None:
        raise refused(404, "not-found", f"The conditions match no {route.type}.")
    _refuse_conclusion(route.type, found.fhir_id)
    return found


def _check_before(asked: Asked, fhir_id: str, interaction: str, place: Place) -> None:
    """What stands at the id must be within reach as it is; what is to stand there is for the tray to check.

    Who reaches some records only is not told, by a deletion that did nothing, that there was none; and who reaches some
    people's only, by an id that could be chosen, that nobody else has it: their new resources are sent by POST.

    Raises FhirError 403.
    """
    route = writable(asked.type)
    if place.reach.is_unlimited(route.type, interaction):
        return
    standing = shelves.find(route, fhir_id)
    is_beyond = standing is not None and not shelves.is_open(route, standing, place.reach, interaction)
    if is_beyond or (standing is None and (interaction == "delete" or place.reach.is_of_some)):
        raise refused(403, "forbidden", f"Your scopes do not allow {interaction} of {asked.type}/{fhir_id}.")


def _refuse_conclusion(type_name: str, fhir_id: str) -> None:
    """What this server concludes it changes itself. Raises FhirError 405."""
    if shelves.concluded(writable(type_name), fhir_id) is not None:
        sentence = f"{type_name}/{fhir_id} is a conclusion of this server: it is written here, not sent."
        raise refused(405, "not-supported", sentence)


def _held(asked: Asked, fhir_id: str, held: Held | None) -> HeldObservation | None:
    if asked.type != "Observation":
        return None
    if held is None or asked.criteria:  # what conditions match was not known when a Bundle's ids were looked up
        held = fhir_search.held_observations([fhir_id])
    return held.get(fhir_id)


def _plan_delete(asked: Asked, tray: Tray, place: Place, held: Held | None) -> Result | None:
    fhir_id = asked.fhir_id
    if asked.criteria:
        existing = one_match(asked, asked.criteria, place)
        if existing is None:
            return Result(204, asked.type)
        fhir_id = existing.fhir_id
    found = shelves.find(writable(asked.type), fhir_id)
    _check_before(asked, fhir_id, "delete", place)
    if found is None or found.deleted:
        return Result(204, asked.type, fhir_id)
    _refuse_conclusion(asked.type, fhir_id)
    standing = _held(asked, fhir_id, held)
    tray.delete(asked.type, Wish(asked.index, "delete", fhir_id, asked.if_match, None, standing))
    return None


def answer(asked: Asked, outcome: Outcome) -> Result:
    """What an outcome means in HTTP. Raises FhirError when it was refused."""
    if outcome.status == "refused":
        raise of_refusal(outcome)
    if outcome.status == "deleted" or asked.method == "DELETE":
        return Result(204, asked.type, outcome.fhir_id, outcome.version, outcome.updated_at)
    status = 201 if outcome.status == "created" else 200
    return Result(status, asked.type, outcome.fhir_id, outcome.version, outcome.updated_at)


def if_match(text: str | None) -> int | None:
    """The version in an If-Match header: W/"3" or "3". Raises FhirError 412 for what is no version of ours."""
    if text is None:
        return None
    bare = text.strip().removeprefix("W/").strip('"')
    if bare.isascii() and bare.isdigit() and len(bare) < 16:
        return int(bare)
    raise FhirError(412, *refused(412, "conflict", f"{text[:40]!r} is not a version of this server.").issues)
