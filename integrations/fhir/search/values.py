r"""The value of a search parameter to Matches (FHIR R4 search.html): prefixes, systems, units, references.

Escapes: \, \| \$ and \\ stand for themselves (search.html#escaping).
"""

import re
from collections.abc import Iterable
from decimal import Decimal
from itertools import product

from integrations.fhir.documents.indexing import fold
from integrations.fhir.outcomes import refused
from integrations.fhir.primitives import ID, LOCAL_REFERENCE, span, to_ms
from integrations.fhir.routes import ROUTES, Route, SearchParam
from integrations.fhir.search.request import Asker
from integrations.fhir.streams import units
from recovery.selectors.fhir_criteria import CANONICAL, Match

MOST_ALTERNATIVES = 100
_PREFIX = re.compile(r"(eq|ne|gt|lt|ge|le|sa|eb|ap)?(.*)", re.DOTALL)
_NUMBER = re.compile(r"[+-]?[0-9]{1,40}(?:\.([0-9]{0,40}))?(?:[eE]([+-]?[0-9]{1,3}))?")
_ESCAPED = re.compile(r"\\([,|$\\])")


def split(text: str, mark: str, most: int = -1) -> list[str]:
    """The pieces between marks that are not escaped, escapes still in them."""
    pieces, current, escaped = [], "", False
    for char in text:
        if char == mark and not escaped and most:
            pieces.append(current)
            current, most = "", most - 1
            continue
        escaped = char == "\\" and not escaped
        current += char
    return [*pieces, current]


def plain(text: str) -> str:
    return _ESCAPED.sub(r"\1", text)


def matches_of(route: Route, param: SearchParam, modifier: str, value: str, asker: Asker) -> tuple[Match, ...]:
    """One Match or more for each alternative between commas. Raises FhirError 400."""
    said = split(value, ",")
    if len(said) > MOST_ALTERNATIVES:
        raise refused(400, "too-costly", f"{param.name}: more than {MOST_ALTERNATIVES} alternatives.", param.name)
    return tuple(match for one in said for match in alternative(route, param, modifier, one, asker))


def alternative(route: Route, param: SearchParam, modifier: str, text: str, asker: Asker) -> Iterable[Match]:
    if param.kind == "date":
        return [date_match(param.name, text, asker)]
    if param.kind == "token" or modifier == "identifier":
        return [_token_match(param.name, modifier, text)]
    if param.kind == "reference":
        return _references(param, text, modifier, asker.base)
    if param.kind == "number":
        prefix, number = _number(param.name, text)
        return [_number_match(prefix, number)]
    if param.kind == "quantity":
        return [_quantity(param.name, text)]
    if param.kind == "composite":
        return _composite(route, param, text, asker)
    if param.kind == "string" and modifier != "exact":
        return [Match(modifier or "prefix", value=fold(plain(text)))]
    return [Match(modifier or "eq", value=plain(text))]


def _token_match(name: str, modifier: str, text: str) -> Match:
    """code, system|code, |code (no system), system| (any code); :of-type is system|code|value; :text is a string."""
    if modifier == "text":
        return Match("contains", value=fold(plain(text)))
    parts = [plain(one) for one in split(text, "|", 2 if modifier == "of-type" else 1)]
    if modifier == "of-type":
        if len(parts) != 3 or not all(parts):
            raise refused(400, "invalid", f"{name}:of-type takes system|code|value.", name)
        return Match(system=parts[0], value=f"{parts[1]}|{parts[2]}")
    return Match(value=parts[0]) if len(parts) == 1 else Match(system=parts[0], value=parts[1] or None)


def _references(param: SearchParam, text: str, target: str, base: str) -> Iterable[Match]:
    """id, Type/id (with or without a version), an absolute URL or a canonical."""
    said = plain(text).removeprefix(f"{base}/")
    local = LOCAL_REFERENCE.fullmatch(said)
    if local is not None:
        name = f"{local.group(1)}/{local.group(2)}"
        return [Match(value=name), Match(value=f"{base}/{name}")] if target in ("", local.group(1)) else []
    if ID.fullmatch(said) is None:
        return [Match(value=said)]
    return [Match(value=f"{one}/{said}") for one in ([target] if target else param.targets or sorted(ROUTES))]


def date_match(name: str, text: str, asker: Asker) -> Match:
    """A date with its prefix; `ap` widens by a tenth of the time between then and now (search.html#prefix)."""
    match = _PREFIX.fullmatch(text)
    prefix, said = match.groups() if match else (None, text)
    try:
        # A "+" of an offset arrives as a space when it was not escaped in the URL.
        found = span(said.replace(" ", "+"), lenient=True)
    except ValueError as error:
        raise refused(400, "invalid", f"{name}: {error}", name) from error
    if prefix == "ap":
        tenth = abs(to_ms(asker.now) - found.low_ms) // 10
        return Match("overlap", low_ms=found.low_ms - tenth, high_ms=found.high_ms + tenth)
    return Match(prefix or "eq", low_ms=found.low_ms, high_ms=found.high_ms)


def _number(name: str, text: str) -> tuple[str, tuple[float, float, float]]:
    """(prefix, (value, lower and upper end of what its digits leave open)): 5.4 may be 5.35 to 5.45."""
    match = _PREFIX.fullmatch(text)
    prefix, said = (match.group(1) or "eq", match.group(2).replace(" ", "+")) if match else ("eq", text)
    found = _NUMBER.fullmatch(said)
    if found is None:
        raise refused(400, "invalid", f"{name}: {said[:40]!r} is not a number.", name)
    value = Decimal(said)
    half = Decimal(5).scaleb(int(found.group(2) or 0) - len(found.group(1) or "") - 1)
    return prefix, (float(value), float(value - half), float(value + half))


def _number_match(prefix: str, number: tuple[float, float, float]) -> Match:
    value, low, high = number
    if prefix == "ap":
        return Match("overlap", low=value - abs(value) / 10, high=value + abs(value) / 10)
    return Match(prefix, low=low, high=high) if prefix in ("eq", "ne") else Match(prefix, low=value, high=value)


def _quantity(name: str, text: str) -> Match:
    """number, number|system|code or number||code. A UCUM unit finds every unit of its dimension."""
    said, *unit = split(text, "|", 2)
    prefix, number = _number(name, said)
    system, code = (plain(unit[0]), plain(unit[1])) if len(unit) == 2 else ("", "")
    if len(unit) == 1:
        raise refused(400, "invalid", f"{name}: write number|system|code, not one of the two.", name)
    found = _number_match(prefix, number)
    base = units.base_of(code) if system == units.UCUM else None
    if base is None:
        return Match(found.how, system or None, code or None, low=found.low, high=found.high)
    dimension, scale, shift = base
    low, high = (units.tidy(bound * scale + shift) for bound in (found.low, found.high))
    return Match(found.how, f"{CANONICAL}{dimension}", "", low=low, high=high)


def _composite(route: Route, param: SearchParam, text: str, asker: Asker) -> Iterable[Match]:
    said = split(text, "$")
    if len(said) != len(param.components):
        names = "$".join(param.components)
        raise refused(400, "invalid", f"{param.name} takes {names}.", param.name)
    parts = []
    for name, value in zip(param.components, said, strict=True):
        component = route.param(name)
        parts.append(list(alternative(route, component, "", value, asker)) if component is not None else [])
    return [Match(parts=found) for found in product(*parts)]
