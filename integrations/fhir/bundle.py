"""Bundles of type transaction (all or nothing) and batch (each for itself), in one delivery either way.

FHIR R4 http.html#transaction: entries are processed DELETE, POST, PUT, GET whatever the order sent, and answered in
the order sent; `urn:uuid:` references between entries become real ones.
"""

import base64
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from integrations.fhir import interactions, patch, wire
from integrations.fhir.bundle_references import resolve
from integrations.fhir.interactions import Asked, Held, Place, Result
from integrations.fhir.outcomes import FhirError, Issue, of_refusal, refused
from integrations.fhir.primitives import ID
from integrations.fhir.receiving import Tray, writable
from integrations.fhir.streams.recalled import Recalled
from recovery.audit import Actor
from recovery.selectors import fhir_search
from recovery.services.ingestion import DeliveryRefused, PromiseBroken, deliver
from recovery.services.turns import taking_turns
from recovery.texts import is_storable

MOST_ENTRIES = 5_000
MOST_ATTEMPTS = 5
_ORDER = {"DELETE": 0, "POST": 1, "PUT": 2, "PATCH": 2, "GET": 3, "HEAD": 3}
READS = ("GET", "HEAD")
_ADDRESS = re.compile(r"([A-Z][A-Za-z]+)(?:/([^/?]*))?(?:\?(.*))?", re.DOTALL)

Allowed = Callable[[str, str], bool]
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Get:
    """A GET or HEAD of a Bundle, still to be answered; `if_none_match`: the versions that the caller has.

    `bare`: a HEAD, which is a GET answered without its resource.
    """

    address: str
    if_none_match: str = ""
    bare: bool = False


@dataclass(slots=True)
class Answers:
    """Per entry, by its place in the order sent: a Result, a FhirError, or a GET still to be answered.

    `ahead`: as `Tray.ahead`.
    """

    results: dict[int, Result | FhirError] = field(default_factory=dict)
    ahead: dict[int, float] = field(default_factory=dict)
    gets: dict[int, Get] = field(default_factory=dict)


def entries_of(bundle: Json) -> list[Any]:
    """The entries of a transaction or batch. Raises FhirError 400 or 413."""
    if bundle.get("resourceType") != "Bundle":
        raise refused(400, "invalid", "Only a Bundle may be sent to this address.", "Bundle.resourceType")
    if bundle.get("type") not in ("transaction", "batch"):
        sentence = f"Bundle.type must be transaction or batch here, not {str(bundle.get('type'))[:40]!r}."
        raise refused(400, "value", sentence, "Bundle.type")
    entries = bundle.get("entry", [])
    if not isinstance(entries, list):
        raise refused(400, "structure", "Bundle.entry must be a list.", "Bundle.entry")
    if len(entries) > MOST_ENTRIES:
        sentence = f"A Bundle may have {MOST_ENTRIES} entries, this one has {len(entries)}: send it in parts."
        raise refused(413, "too-costly", sentence, "Bundle.entry")
    return entries


def process(bundle: Json, body: bytes, actor: Actor, allowed: Allowed, place: Place) -> Answers:
    """Carry out a Bundle. Raises FhirError when it, or (transaction) any entry of it, is refused."""
    entries = entries_of(bundle)
    known_ids: dict[int, str] = {}
    for _ in range(MOST_ATTEMPTS):
        try:
            return _attempt(bundle, entries, body, actor, allowed, place, known_ids)
        except PromiseBroken as broken:
            known_ids[broken.index] = broken.fhir_id
    raise refused(409, "conflict", "Others are writing the same resources at the same time; send it again.")


def _attempt(
    bundle: Json,
    entries: list[Any],
    body: bytes,
    actor: Actor,
    allowed: Allowed,
    place: Place,
    known_ids: Mapping[int, str],
) -> Answers:
    """Carry it out, given the ids that entries turned out to have. Raises PromiseBroken when another one did."""
    atomic = bundle["type"] == "transaction"
    answers = Answers()
    asked = _read_all(entries, allowed, answers, place, atomic)
    if atomic:
        _refuse_overlaps(asked.values())
    same = _repeated(asked)
    conditions = [said for one in asked.values() for said in interactions.conditions_of(one)]
    with taking_turns(conditions):
        asked, wrong = resolve(asked, entries, body, place, known_ids, same)
        for index, error in wrong.items():
            _fail(index, error, answers, atomic)
        _carry_out({n: one for n, one in asked.items() if n not in same}, answers, actor, place, atomic)
    for index, first in same.items():
        if index in asked:
            answers.results[index] = _as_held(answers.results[first])
    return answers


def _repeated(asked: Mapping[int, Asked]) -> dict[int, int]:
    """Conditional creates under the conditions of an earlier entry -> that entry: what it makes is what they find."""
    firsts: dict[str, int] = {}
    same: dict[int, int] = {}
    for index, one in asked.items():
        if one.method == "POST" and one.if_none_exist:
            first = firsts.setdefault(interactions.conditions_of(one)[0], index)
            if first != index:
                same[index] = first
    return same


def _as_held(result: Result | FhirError) -> Result | FhirError:
    return replace(result, status=200) if isinstance(result, Result) else result


def _carry_out(asked: dict[int, Asked], answers: Answers, actor: Actor, place: Place, atomic: bool) -> None:
    """Plan each entry, in the order of the specification, and deliver them all."""
    tray = Tray(base=place.base, reach=place.reach)
    held = _standing(asked.values())
    for index, one in sorted(asked.items(), key=lambda item: _ORDER[item[1].method]):
        try:
            done = interactions.plan(one, tray, place, held)
        except FhirError as error:
            _fail(index, error, answers, atomic)
            continue
        if done is not None:
            answers.results[index] = done
    _deliver(tray, asked, answers, actor, place, atomic)


def _fail(index: int, error: FhirError, answers: Answers, atomic: bool) -> None:
    """In a transaction a fault is everybody's, so it names its entry; in a batch it costs only itself."""
    if atomic:
        raise at_entry(index, error) from error
    answers.results[index] = error


def at_entry(index: int, error: FhirError) -> FhirError:
    """The error, naming the entry at which it happened."""
    return FhirError(error.status, *(_at_entry(index, issue) for issue in error.issues))


def _at_entry(index: int, issue: Issue) -> Issue:
    where = f"Bundle.entry[{index}]"
    if issue.expression.startswith("Bundle.entry["):
        return issue
    _, dot, rest = issue.expression.partition(".")
    expression = f"{where}.resource{dot}{rest}" if issue.expression else where
    return Issue(issue.code, f"{where}: {issue.diagnostics}", expression, issue.severity)


def _read_all(entries: list[Any], allowed: Allowed, answers: Answers, place: Place, atomic: bool) -> dict[int, Asked]:
    """`plain`: creates by the identity of their request, which entries have in common that were recalled by one mould
    (streams.recalled): there nothing differs that is looked at here."""
    asked: dict[int, Asked] = {}
    plain: dict[int, Asked] = {}
    for index, entry in enumerate(entries):
        is_recalled = isinstance(entry, dict) and type(entry.get("resource")) is Recalled
        first = plain.get(id(entry["request"])) if is_recalled else None
        if first is not None:
            asked[index] = Asked(index, "POST", first.type, resource=entry["resource"])
            continue
        try:
            method, url, request = _request_of(entry)
            if method in READS:
                known = request.get("ifNoneMatch")
                address = url.removeprefix(place.base).lstrip("/")
                answers.gets[index] = Get(address, known if isinstance(known, str) else "", method == "HEAD")
            else:
                asked[index] = _asked(index, method, url.removeprefix(place.base).lstrip("/"), entry, request, allowed)
                if is_recalled:
                    plain[id(request)] = asked[index]
        except FhirError as error:
            _fail(index, error, answers, atomic)
    return asked


def _request_of(entry: Any) -> tuple[str, str, Json]:
    request = entry.get("request") if isinstance(entry, dict) else None
    if not isinstance(request, dict):
        raise refused(400, "required", "The entry has no request.", "Entry.request")
    method, url = request.get("method"), request.get("url")
    if not isinstance(method, str) or method not in _ORDER:
        sentence = f"request.method must be one of {', '.join(_ORDER)}, not {str(method)[:20]!r}."
        raise refused(400, "value", sentence, "Entry.request.method")
    if not isinstance(url, str) or not url:
        raise refused(400, "required", "The entry has no request.url.", "Entry.request.url")
    said = f"{url}{request.get('ifNoneExist')}{entry.get('fullUrl')}"
    if not said.isascii() and not is_storable(said):
        raise refused(400, "value", "An address of the entry holds half a character.", "Entry.request")
    return method, url, request


def _asked(index: int, method: str, url: str, entry: Json, request: Json, allowed: Allowed) -> Asked:
    match = _ADDRESS.fullmatch(url)
    if match is None:
        raise refused(400, "value", f"request.url {url[:80]!r} is no address of a resource type.", "Entry.request.url")
    type_name, fhir_id, criteria = match.group(1), match.group(2) or "", match.group(3) or ""
    route = writable(type_name)
    if not allowed(route.type, interactions.INTERACTION[method]):
        raise refused(403, "forbidden", f"Your scopes do not allow {method} of {type_name}.")
    if method == "PATCH" and not allowed(route.type, "read"):
        raise refused(403, "forbidden", f"Your scopes do not allow to read {type_name}, as a patch must.")
    _check_address(method, url, fhir_id, criteria)
    resource = entry.get("resource")
    if method != "DELETE" and not isinstance(resource, dict):
        raise refused(400, "required", f"A {method} entry needs a resource.", "Entry.resource")
    condition = request.get("ifNoneExist", "")
    if not isinstance(condition, str):
        raise refused(400, "value", "request.ifNoneExist must be a string.", "Entry.request.ifNoneExist")
    known = request.get("ifNoneMatch")
    return Asked(
        index=index,
        method=method,
        type=type_name,
        fhir_id=fhir_id,
        criteria=criteria,
        resource=resource if isinstance(resource, dict) else {},
        if_match=interactions.if_match(request.get("ifMatch")) if isinstance(request.get("ifMatch"), str) else None,
        if_none_exist=condition.removeprefix("?"),
        patch=_patch_in(resource) if method == "PATCH" else None,
        if_none_match=known if method == "PUT" and isinstance(known, str) else "",
    )


def _patch_in(binary: Any) -> Any:
    """The JSON Patch in an entry's Binary (http.html#transaction). Raises FhirError 400 or 415."""
    if not isinstance(binary, dict) or binary.get("resourceType") != "Binary":
        kind = binary.get("resourceType") if isinstance(binary, dict) else None
        sentence = f"A PATCH entry holds a Binary with a JSON Patch, not {str(kind)[:40]!r}."
        raise refused(400, "not-supported", sentence, "Entry.resource")
    if str(binary.get("contentType")).partition(";")[0].strip() != patch.MEDIA_TYPE:
        raise refused(415, "not-supported", f"A patch is {patch.MEDIA_TYPE}.", "Entry.resource.contentType")
    try:
        data = base64.b64decode(str(binary.get("data", "")), validate=True)
    except ValueError as error:
        raise refused(400, "value", "The Binary's data is not base64.", "Entry.resource.data") from error
    return wire.parse(data)


def _check_address(method: str, url: str, fhir_id: str, criteria: str) -> None:
    if fhir_id and ID.fullmatch(fhir_id) is None:
        raise refused(400, "value", f"request.url {url[:80]!r} has no valid id.", "Entry.request.url")
    if method == "POST" and (fhir_id or criteria):
        raise refused(400, "value", "A POST goes to a type: request.url is its name alone.", "Entry.request.url")
    if method != "POST" and not (fhir_id or criteria):
        raise refused(400, "value", f"A {method} needs an id or conditions in request.url.", "Entry.request.url")


def _refuse_overlaps(asked: Iterable[Asked]) -> None:
    """A transaction may name each resource once (http.html#trules)."""
    seen: set[tuple[str, str]] = set()
    for one in asked:
        if not one.fhir_id:
            continue
        if (one.type, one.fhir_id) in seen:
            sentence = f"{one.type}/{one.fhir_id} is written twice in one transaction."
            raise refused(400, "invariant", sentence, f"Bundle.entry[{one.index}].request.url")
        seen.add((one.type, one.fhir_id))


def _standing(asked: Iterable[Asked]) -> Held:
    """What stands at the ids of the Observations that are written: one look for all of them."""
    ids = [one.fhir_id for one in asked if one.type == "Observation" and one.fhir_id]
    return fhir_search.held_observations(ids) if ids else {}


def _deliver(tray: Tray, asked: dict[int, Asked], answers: Answers, actor: Actor, place: Place, atomic: bool) -> None:
    delivery = tray.delivery("fhir", from_outside=True)
    if not (delivery.readings or delivery.packets or delivery.documents):
        return
    try:
        receipt = deliver(delivery=delivery, actor=actor, now=place.now, atomic=atomic)
    except DeliveryRefused as error:
        wrong = of_refusal(error.outcome)
        issues = (_at_entry(error.outcome.index, issue) for issue in wrong.issues)
        raise FhirError(wrong.status, *issues) from error
    answers.ahead = tray.ahead(place.now)
    for index, outcome in receipt.outcomes.items():
        try:
            answers.results[index] = interactions.answer(asked[index], outcome)
        except FhirError as error:
            answers.results[index] = error
