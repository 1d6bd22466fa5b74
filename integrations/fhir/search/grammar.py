"""FHIR R4 search parameters (search.html) to criteria. What cannot be honoured is refused or, if lenient, named."""

import base64
import binascii
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from integrations.fhir.documents.indexing import fold
from integrations.fhir.outcomes import refused
from integrations.fhir.primitives import ID, span, to_ms
from integrations.fhir.routes import ROUTES, Route, SearchParam
from recovery.selectors.fhir_search import Criterion, Match

DEFAULT_COUNT, LARGEST_COUNT = 50, 1000
MOST_ALTERNATIVES = 100
# Parameters that say how to answer, not what is looked for.
_ABOUT_THE_ANSWER = ("_format", "_pretty")
_DATE_PREFIX = re.compile(r"(eq|ne|gt|lt|ge|le|sa|eb|ap)?(.*)", re.DOTALL)
_SPLIT_COMMA, _SPLIT_BAR = re.compile(r"(?<!\\),"), re.compile(r"(?<!\\)\|")
_MODIFIERS = {
    "token": ("not", "missing"),
    "string": ("exact", "contains", "missing"),
    "reference": ("missing",),
    "date": ("missing",),
    "uri": ("missing",),
}

Pairs = Sequence[tuple[str, str]]


@dataclass(slots=True)
class SearchRequest:
    """A search understood. `said`: the parameters honoured, for the self link; `ignored`: those that were not."""

    route: Route
    criteria: list[Criterion] = field(default_factory=list)
    ids: list[str] | None = None
    updated: list[Match] = field(default_factory=list)
    count: int = DEFAULT_COUNT
    order: str = ""
    descending: bool = False
    wants_total: bool = False
    cursor: dict[str, Any] = field(default_factory=dict)
    said: list[tuple[str, str]] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)

    @property
    def only_counts(self) -> bool:
        return self.count == 0


def parse(route: Route, pairs: Pairs, *, base: str, strict: bool, now: datetime) -> SearchRequest:
    """Raises FhirError 400 for what cannot be used, and with `strict` for what is not known."""
    request = SearchRequest(
        route, order="date" if route.shelf == "streams" else "", descending=route.shelf == "streams"
    )
    for name, value in pairs:
        if name in _ABOUT_THE_ANSWER:
            continue
        if value == "" or not _take(request, name, value, base, now):
            _unknown(request, name, strict)
        elif name != "_cursor":
            request.said.append((name, value))
    return request


def _unknown(request: SearchRequest, name: str, strict: bool) -> None:
    if "." in name or name.startswith("_has"):
        raise refused(
            400, "not-supported", f"{name[:80]}: this server does not follow references in a search yet.", name[:80]
        )
    if strict:
        known = ", ".join(sorted(param.name for param in request.route.params))
        sentence = f"{request.route.type} cannot be searched by {name[:80]!r}; it can by: {known}."
        raise refused(400, "not-supported", sentence, name[:80])
    request.ignored.append(name[:80])


def _take(request: SearchRequest, name: str, value: str, base: str, now: datetime) -> bool:
    """Understand one parameter; False when the name is not known."""
    if name in _CONTROLS:
        return _CONTROLS[name](request, value)
    if name == "_lastUpdated":
        request.updated.append(_date(name, value, now))
        return True
    bare, _, modifier = name.partition(":")
    param = request.route.param(bare)
    if param is None:
        return False
    request.criteria.append(_criterion(param, modifier, value, base, now))
    return True


def _take_ids(request: SearchRequest, value: str) -> bool:
    said = [one for one in value.split(",") if ID.fullmatch(one)]
    request.ids = said if request.ids is None else [one for one in request.ids if one in said]
    return True


def _take_count(request: SearchRequest, value: str) -> bool:
    if not re.fullmatch(r"[0-9]{1,9}", value):
        raise refused(400, "invalid", f"_count must be a whole number of 0 or more, not {value[:40]!r}.", "_count")
    request.count = min(int(value), LARGEST_COUNT)
    request.wants_total |= request.count == 0
    return True


def _take_sort(request: SearchRequest, value: str) -> bool:
    """One date parameter, or _lastUpdated. Streams are kept in order of time, so `date` is their only order."""
    name = value.removeprefix("-")
    param = request.route.param(name)
    streams = request.route.shelf == "streams"
    if streams and name != "date":
        return False
    if name != "_lastUpdated" and (param is None or param.kind != "date"):
        return False
    request.order, request.descending = name, value.startswith("-")
    return True


def _take_total(request: SearchRequest, value: str) -> bool:
    request.wants_total |= value == "accurate"
    return value in ("none", "estimate", "accurate")


def _take_summary(request: SearchRequest, value: str) -> bool:
    if value == "count":
        request.count, request.wants_total = 0, True
    return value in ("count", "false")


def _take_cursor(request: SearchRequest, value: str) -> bool:
    try:
        found = json.loads(base64.urlsafe_b64decode(value.encode() + b"=="))
        if not isinstance(found, dict) or not all(_is_place(place) for place in found.values()):
            raise ValueError
    except (ValueError, binascii.Error, RecursionError) as error:
        raise refused(
            400, "invalid", "This page link is not one of ours; start the search again.", "_cursor"
        ) from error
    request.cursor = found
    return True


def _is_place(place: object) -> bool:
    return isinstance(place, list) and all(type(one) in (int, float) and abs(one) < 2**63 for one in place)


_CONTROLS = {
    "_id": _take_ids,
    "_count": _take_count,
    "_sort": _take_sort,
    "_total": _take_total,
    "_summary": _take_summary,
    "_cursor": _take_cursor,
}


def cursor_text(places: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(places, separators=(",", ":")).encode()).decode().rstrip("=")


def _criterion(param: SearchParam, modifier: str, value: str, base: str, now: datetime) -> Criterion:
    target = ""
    if param.kind == "reference" and modifier in ROUTES:
        modifier, target = "", modifier
    if modifier and modifier not in _MODIFIERS.get(param.kind, ()):
        raise refused(
            400, "not-supported", f"{param.name}: the modifier :{modifier[:40]} is not supported here.", param.name
        )
    if modifier == "missing":
        if value not in ("true", "false"):
            raise refused(400, "invalid", f"{param.name}:missing is true or false.", param.name)
        return Criterion(param.name, param.kind, missing=value == "true")
    alternatives = _SPLIT_COMMA.split(value)
    if len(alternatives) > MOST_ALTERNATIVES:
        raise refused(400, "too-costly", f"{param.name}: more than {MOST_ALTERNATIVES} alternatives.", param.name)
    matches = tuple(match for one in alternatives for match in _alternative(param, modifier, one, target, base, now))
    return Criterion(param.name, param.kind, matches, negated=modifier == "not")


def _alternative(
    param: SearchParam, modifier: str, text: str, target: str, base: str, now: datetime
) -> Iterable[Match]:
    if param.kind == "date":
        return [_date(param.name, text, now)]
    if param.kind == "token":
        return [_token(text)]
    if param.kind == "reference":
        return _reference(param.name, text, target, base)
    plain = _plain(text)
    if param.kind == "string" and modifier != "exact":
        return [Match(modifier or "prefix", value=fold(plain))]
    return [Match(modifier or "eq", value=plain)]


def _plain(text: str) -> str:
    r"""Without escapes: \, \| \$ and \\ stand for themselves (search.html#escaping)."""
    return re.sub(r"\\([,|$\\])", r"\1", text)


def _token(text: str) -> Match:
    """code, system|code, |code (no system), system| (any code)."""
    parts = _SPLIT_BAR.split(text, maxsplit=1)
    if len(parts) == 1:
        return Match(value=_plain(parts[0]))
    system, code = _plain(parts[0]), _plain(parts[1])
    return Match(system=system, value=code or None)


def _reference(name: str, text: str, target: str, base: str) -> Iterable[Match]:
    plain = _plain(text).removeprefix(base + "/")
    if "/" in plain or ":" in plain or ID.fullmatch(plain) is None:
        return [Match(value=plain)]
    types = [target] if target else (["Patient"] if name == "patient" else sorted(ROUTES))
    return [Match(value=f"{one}/{plain}") for one in types]


def _date(name: str, text: str, now: datetime) -> Match:
    """A date with its prefix; `ap` widens by a tenth of the time between then and now (search.html#prefix)."""
    match = _DATE_PREFIX.fullmatch(text)
    prefix, said = match.groups() if match else (None, text)
    try:
        # A "+" of an offset arrives as a space when it was not escaped in the URL.
        found = span(said.replace(" ", "+"), lenient=True)
    except ValueError as error:
        raise refused(400, "invalid", f"{name}: {error}", name) from error
    if prefix == "ap":
        tenth = abs(to_ms(now) - found.low_ms) // 10
        return Match("overlap", low_ms=found.low_ms - tenth, high_ms=found.high_ms + tenth)
    return Match(prefix or "eq", low_ms=found.low_ms, high_ms=found.high_ms)
