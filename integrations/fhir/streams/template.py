"""A streamed Observation as *template + slots*: what all readings of a series share, and what each alone has.

The template is JSON text, `{"at": [offset, digits], "end": [offset, digits, span_ms], "parts": [text, slot, text,
slot, ... text]}`: `parts` alternates literal JSON text with slot names, so reading back is joining. Equal content gives
equal text whatever the order of keys in which it was sent. Slots: id, version, updated (the server's), at, end, value,
data (the row's own columns) and the strings that only this reading has, kept as a JSON list in the row: end_text,
identifier0..., issued.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson

from integrations.fhir.primitives import write_time
from recovery.exact_json import ExactDecimal

# A placeholder is a JSON string that begins with U+0001, which no FHIR string may hold.
MARK = "\x01"
_PLACEHOLDER = re.compile(r'"\\u0001([a-z_0-9]+)"')
OWN_SLOTS = re.compile(r"issued|end_text|identifier[0-9]+")
FIRST_KEYS = ("resourceType", "id", "meta")
LONGEST_EXACT_DIGITS = 17

At = tuple[str, int]  # offset and digits of the fraction of a second, as written
End = tuple[str, int, int]  # the same, and the ms from start to end; 0 where the row has its own end


@dataclass(frozen=True, slots=True)
class Template:
    """A parsed template. `own`: names of the slots kept with each reading, in their order."""

    at: At
    end: End | None
    parts: tuple[str, ...]
    own: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Filling:
    """What fills a template: one reading."""

    fhir_id: str
    version: int
    updated: str
    at_ms: int
    end_ms: int | None = None
    value: float | None = None
    digits: int = 0
    data: str | None = None
    slots: str | None = None


def placeholder(name: str) -> str:
    return MARK + name


def layout(marked: Mapping[str, Any]) -> str:
    """JSON text of an Observation whose varying values are placeholders, keys in one order."""
    ordered = {key: marked[key] for key in FIRST_KEYS if key in marked}
    ordered |= {key: _sorted(marked[key]) for key in sorted(marked) if key not in FIRST_KEYS}
    return orjson.dumps(ordered, default=write_decimal).decode()


def compose(laid_out: str, fixed: Mapping[str, str], at: At, end: End | None = None) -> str:
    """Template text: `laid_out` with the placeholders named in `fixed` filled in for good."""
    for name, value in fixed.items():
        laid_out = laid_out.replace(f'"\\u0001{name}"', orjson.dumps(value).decode())
    said: dict[str, Any] = {"at": list(at), "parts": _PLACEHOLDER.split(laid_out)}
    if end is not None:
        said["end"] = list(end)
    return orjson.dumps(said, option=orjson.OPT_SORT_KEYS).decode()


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [_sorted(item) for item in value]
    return value


def write_decimal(value: Any) -> orjson.Fragment:
    if isinstance(value, ExactDecimal):
        return orjson.Fragment(value.text)
    raise TypeError(f"{type(value).__name__} has no JSON form")


@lru_cache(maxsize=4096)
def parse(text: str) -> Template:
    said = orjson.loads(text)
    parts = tuple(said["parts"])
    end = said.get("end")
    own = tuple(name for name in parts[1::2] if OWN_SLOTS.fullmatch(name))
    return Template(tuple(said["at"]), tuple(end) if end else None, parts, own)


def render(text: str, filling: Filling) -> str:
    """The JSON text of the Observation, as it was sent, with id and meta set."""
    template = parse(text)
    own = dict(zip(template.own, orjson.loads(filling.slots) if filling.slots else (), strict=True))
    pieces = list(template.parts)
    for place in range(1, len(pieces), 2):
        name = pieces[place]
        pieces[place] = json.dumps(own[name], ensure_ascii=False) if name in own else _column(name, template, filling)
    return "".join(pieces)


def _column(name: str, template: Template, filling: Filling) -> str:
    if name == "value" and filling.value is not None:
        return number_text(filling.value, filling.digits)
    if name == "at":
        return f'"{write_time(filling.at_ms, *template.at)}"'
    if name == "end" and template.end is not None:
        offset, digits, span_ms = template.end
        end_ms = filling.at_ms + span_ms if filling.end_ms is None else filling.end_ms
        return f'"{write_time(end_ms, offset, digits)}"'
    said = {"id": filling.fhir_id, "version": str(filling.version), "updated": filling.updated, "data": filling.data}
    return json.dumps(said[name], ensure_ascii=False)


def number_text(value: float, digits: int) -> str:
    return f"{value:.{digits}f}"


def split_number(value: object) -> tuple[float, int] | None:
    """(value, digits) when they give the number back exactly as it was written; else None."""
    if type(value) is int:
        number = float(value) if abs(value) < 2**53 else None
        return None if number is None else (number, 0)
    if not isinstance(value, ExactDecimal):
        return None
    whole, point, fraction = value.text.partition(".")
    if not point or len(value.text) > LONGEST_EXACT_DIGITS + 2:
        return None
    number, digits = float(value), len(fraction)
    if number_text(number, digits) != value.text or (number == 0 and whole[0] == "-"):
        return None
    return number, digits
