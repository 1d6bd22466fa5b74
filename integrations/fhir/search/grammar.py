"""FHIR R4 search parameters (search.html) to criteria. What cannot be honoured is refused or, if lenient, named."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime

from integrations.fhir.outcomes import refused
from integrations.fhir.primitives import ID
from integrations.fhir.reach import EVERYTHING, Reach
from integrations.fhir.routes import ROUTES, Route, SearchParam
from integrations.fhir.search import linking
from integrations.fhir.search.request import LARGEST_COUNT, Asker, Include, SearchRequest, read_cursor
from integrations.fhir.search.values import date_match, matches_of, split
from recovery.selectors.fhir_criteria import Criterion
from recovery.selectors.fhir_order import Order, Step
from recovery.texts import is_storable

__all__ = ["LARGEST_COUNT", "SearchRequest", "parse"]

# Parameters that say how to answer, not what is looked for; what they wish is so anyway or makes no difference here.
_ABOUT_THE_ANSWER = ("_format", "_pretty", "_containedType")
# Known to R4, not offered: passing over them would find far more than was asked for.
_REFUSED = ("_text", "_content", "_filter", "_query", "_list", "_graph")
_MODIFIERS = {
    "token": ("not", "text", "of-type", "missing"),
    "string": ("exact", "contains", "missing"),
    "reference": ("identifier", "missing"),
    "date": ("missing",),
    "number": ("missing",),
    "quantity": ("missing",),
    "uri": ("below", "above", "missing"),
    "composite": (),
}
_SUMMARIES = ("true", "text", "data", "count", "false")
_SORT_KINDS = {"date": "date", "number": "number", "quantity": "number"}
MOST_SORT_KEYS = 4

Pairs = Sequence[tuple[str, str]]


def parse(
    route: Route, pairs: Pairs, *, base: str, strict: bool, now: datetime, reach: Reach, follows: bool = False
) -> SearchRequest:
    """Raises FhirError 400 for what cannot be used, and with `strict` for what is not known.

    `reach`: of the caller, beyond which nothing is found, followed or included. `follows`: references at all.
    """
    asker = Asker(base, strict, now, reach, follows)
    request = SearchRequest(route, reach, order=default_order(route), address=route.type)
    cursor = ""
    for name, value in pairs:
        if name in _ABOUT_THE_ANSWER:
            continue
        if name == "_cursor":
            cursor = value
        elif value == "" or not _take(request, name, value, asker):
            _unknown(request, name, strict)
        else:
            request.said.append((name, value))
    if cursor:
        request.place, request.order = read_cursor(cursor, request.order)
    _check_together(request)
    return request


def criteria_of(route: Route, pairs: Pairs, now: datetime) -> list[Criterion]:
    """Search parameters of a type as criteria. Raises FhirError 400 for what is not known, or no such parameter."""
    request = SearchRequest(route, EVERYTHING)
    asker = Asker("", strict=True, now=now, reach=EVERYTHING)
    for name, value in pairs:
        if name.startswith("_") or not take_criterion(request, name, value, asker):
            _unknown(request, name, strict=True)
    return request.criteria


def default_order(route: Route) -> Order:
    """Observations and the audit trail newest first, all else in order of arrival."""
    return Order((Step("date", "date", True),)) if route.shelf == "streams" or route.type == "AuditEvent" else Order()


def _unknown(request: SearchRequest, name: str, strict: bool) -> None:
    if strict:
        known = ", ".join(sorted(param.name for param in request.route.params))
        sentence = f"{request.route.type} cannot be searched by {name[:80]!r}; it can by: {known}."
        raise refused(400, "not-supported", sentence, name[:80])
    request.ignored.append(name[:80])


def _check_together(request: SearchRequest) -> None:
    if request.summary == "text" and (request.includes or request.reverse_includes):
        sentence = "_summary=text does not go with _include or _revinclude (R4 search.html#summary)."
        raise refused(400, "invalid", sentence, "_summary")


def _take(request: SearchRequest, name: str, value: str, asker: Asker) -> bool:
    """Understand one parameter; False when the name is not known."""
    bare = name.partition(":")[0]
    if bare in _CONTROLS:
        return _CONTROLS[bare](request, name, value)
    return take_criterion(request, name, value, asker)


def take_criterion(request: SearchRequest, name: str, value: str, asker: Asker) -> bool:
    """Understand one parameter that says what is looked for."""
    bare, _, modifier = name.partition(":")
    if bare in _REFUSED:
        raise refused(400, "not-supported", f"{bare} is not offered by this server.", bare)
    if not is_storable(value):
        raise refused(
            400, "invalid", f"{name[:80]}: a value cannot hold the character NUL or half a character.", name[:80]
        )
    if name == "_id":
        return _take_ids(request, value)
    if name == "_lastUpdated":
        request.updated.append(tuple(date_match(name, one, asker) for one in split(value, ",")))
        return True
    head, dot, rest = name.partition(".")
    if bare == "_has":
        return _add(request, linking.has(request.route, modifier, value, asker, take_criterion))
    if dot:
        return _add(request, linking.chain(request.route, head, rest, value, asker, take_criterion))
    param = request.route.param(bare)
    return _add(request, None if param is None else _criterion(request.route, param, modifier, value, asker))


def _add(request: SearchRequest, criterion: Criterion | None) -> bool:
    if criterion is not None:
        request.criteria.append(criterion)
    return criterion is not None


def _criterion(route: Route, param: SearchParam, modifier: str, value: str, asker: Asker) -> Criterion:
    name, kind = param.name, param.kind
    is_type = kind == "reference" and modifier in ROUTES
    if modifier and not is_type and modifier not in _MODIFIERS[kind]:
        raise refused(400, "not-supported", f"{name}: the modifier :{modifier[:40]} is not supported here.", name)
    if modifier == "missing":
        if value not in ("true", "false"):
            raise refused(400, "invalid", f"{name}:missing is true or false.", name)
        return Criterion(name, kind, missing=value == "true")
    matches = matches_of(route, param, modifier, value, asker)
    if kind == "composite":
        components = [route.param(one) for one in param.components]
        return Criterion(name, kind, matches, components=tuple((one.name, one.kind) for one in components if one))
    if modifier == "text":
        return Criterion(f"{name}:text", "string", matches)
    if modifier in ("of-type", "identifier"):
        return Criterion(f"{name}:{modifier}", "token", matches)
    return Criterion(name, kind, matches, negated=modifier == "not")


def _take_ids(request: SearchRequest, value: str) -> bool:
    said = [one for one in value.split(",") if ID.fullmatch(one)]
    request.ids = said if request.ids is None else [one for one in request.ids if one in said]
    return True


def _take_count(request: SearchRequest, name: str, value: str) -> bool:
    if not re.fullmatch(r"[0-9]{1,9}", value):
        raise refused(400, "invalid", f"_count must be a whole number of 0 or more, not {value[:40]!r}.", "_count")
    request.count = min(int(value), LARGEST_COUNT)
    request.wants_total |= request.count == 0
    return True


def _take_sort(request: SearchRequest, name: str, value: str) -> bool:
    """Up to four keys; `-` turns one round. Only what every shelf of the type can be sorted by."""
    steps = [_step(request.route, one.strip()) for one in value.split(",")]
    if len(steps) > MOST_SORT_KEYS:
        raise refused(400, "too-costly", f"_sort takes up to {MOST_SORT_KEYS} keys.", "_sort")
    known = tuple(step for step in steps if step is not None)
    if len(known) != len(steps):
        return False
    request.order = Order(known)
    return True


def _step(route: Route, text: str) -> Step | None:
    name, down = text.removeprefix("-"), text.startswith("-")
    if name == "_lastUpdated":
        return Step(name, "date", down)
    if route.type == "AuditEvent":
        return Step(name, "date", down) if name == "date" else None
    if name == "_id":
        return Step(name, "text", down) if route.shelf != "streams" else None
    param = route.param(name)
    if param is None or param.kind == "composite":
        return None
    kind = _SORT_KINDS.get(param.kind, "text")
    of_the_reading = route.shelf == "streams" and (kind == "number" or name == "identifier")
    return None if of_the_reading else Step(name, kind, down)


def _take_total(request: SearchRequest, name: str, value: str) -> bool:
    request.wants_total |= value in ("estimate", "accurate")
    return value in ("none", "estimate", "accurate")


def _take_summary(request: SearchRequest, name: str, value: str) -> bool:
    if value not in _SUMMARIES:
        raise refused(400, "invalid", f"_summary is one of {', '.join(_SUMMARIES)}.", "_summary")
    if value == "count":
        request.count, request.wants_total = 0, True
    request.summary = "" if value in ("count", "false") else value
    return True


def _take_elements(request: SearchRequest, name: str, value: str) -> bool:
    wanted = tuple(one.strip().removeprefix(f"{request.route.type}.") for one in value.split(",") if one.strip())
    request.elements += wanted
    return bool(wanted)


def _take_contained(request: SearchRequest, name: str, value: str) -> bool:
    if value != "false":
        raise refused(400, "not-supported", "Contained resources are not searched: _contained=false.", "_contained")
    return True


def _take_include(request: SearchRequest, name: str, value: str) -> bool:
    """Type:param[:target], with :iterate (or its older name :recurse) for what was included itself."""
    bare, _, modifier = name.partition(":")
    reverse = bare == "_revinclude"
    if modifier not in ("", "iterate", "recurse"):
        raise refused(400, "invalid", f"{bare} has no modifier :{modifier[:40]}.", bare)
    source, _, rest = ("*", "", "*") if value == "*" and not reverse else value.partition(":")
    param, _, target = rest.partition(":")
    _check_include(bare, value, source, param, target)
    found = Include(source, param, target, modifier != "")
    (request.reverse_includes if reverse else request.includes).append(found)
    return True


def _check_include(name: str, said: str, source: str, param: str, target: str) -> None:
    if source == param == "*" and name == "_include":
        return
    route = ROUTES.get(source)
    known = route.param(param) if route is not None else None
    is_all = param == "*" and name == "_include" and route is not None
    if not is_all and (known is None or known.kind != "reference") or (target and target not in ROUTES):
        raise refused(400, "not-supported", f"{name}={said[:80]}: write Type:reference, both served here.", name)


_CONTROLS: dict[str, Callable[[SearchRequest, str, str], bool]] = {
    "_count": _take_count,
    "_sort": _take_sort,
    "_total": _take_total,
    "_summary": _take_summary,
    "_elements": _take_elements,
    "_contained": _take_contained,
    "_include": _take_include,
    "_revinclude": _take_include,
}
