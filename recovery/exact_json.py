"""JSON that comes back to the digit: 36.90 stays 36.90 and 1e-7 stays 1e-7 (FHIR R4, json#primitive).

`loads` gives ExactDecimal for every number with a point or exponent; `dumps` writes its text again.
"""

import json
from decimal import Decimal
from typing import Any

import orjson


class ExactDecimal(Decimal):
    """A decimal that remembers how it was written."""

    __slots__ = ("text",)
    text: str

    def __new__(cls, text: str) -> "ExactDecimal":
        number = super().__new__(cls, text)
        number.text = text
        return number

    def __reduce__(self) -> tuple[type["ExactDecimal"], tuple[str]]:
        return (ExactDecimal, (self.text,))


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


def loads(text: str | bytes) -> Any:
    """Parse; raises ValueError (json.JSONDecodeError, UnicodeDecodeError) or RecursionError for what is not JSON."""
    if isinstance(text, bytes):
        text = text.decode("utf-8")
    return json.loads(text, parse_float=ExactDecimal, parse_constant=_refuse_constant)


def dumps(value: Any) -> str:
    """Compact JSON text. Raises TypeError for what JSON cannot say and for NaN or infinite decimals."""
    return orjson.dumps(value, default=_write_decimal, option=orjson.OPT_PASSTHROUGH_DATACLASS).decode()


def pretty(value: Any) -> str:
    """As `dumps`, on lines for people."""
    return orjson.dumps(
        value, default=_write_decimal, option=orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_INDENT_2
    ).decode()


def _write_decimal(value: Any) -> orjson.Fragment:
    if isinstance(value, ExactDecimal):
        return orjson.Fragment(value.text)
    if isinstance(value, Decimal) and value.is_finite():
        return orjson.Fragment(str(value))
    raise TypeError(f"{type(value).__name__} has no JSON form")
