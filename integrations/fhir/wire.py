"""From bytes to JSON values, exactly: decimals keep their text, and what is not JSON is refused with its place."""

import json
from collections.abc import Mapping
from typing import Any

from integrations.fhir.outcomes import FhirError, Issue, refused
from recovery.exact_json import ExactDecimal

# FHIR R4 asks for at least 18 digits; a double holds 1e308. Longer integers are kept as exact decimals.
LONGEST_INT = 17


def parse(body: bytes) -> Any:
    """The JSON value of `body`. Raises FhirError 400 naming line and column."""
    try:
        return json.loads(body.decode("utf-8"), **_EXACTLY)
    except UnicodeDecodeError as error:
        raise refused(400, "structure", f"The body is not UTF-8: byte {error.start} cannot be read.") from error
    except json.JSONDecodeError as error:
        raise refused(
            400, "structure", f"The body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}."
        ) from error
    except RecursionError as error:
        raise refused(400, "too-long", "The body is nested too deeply.") from error


def parse_object(body: bytes) -> dict[str, Any]:
    """A JSON object. Raises FhirError 400 for anything else."""
    value = parse(body)
    if not isinstance(value, dict):
        raise refused(400, "structure", "The body must be one JSON object: a FHIR resource.")
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object whose names differ; of two equal names nobody can know which was meant."""
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)[:80]
        raise FhirError(400, Issue("structure", f"The name {twice!r} stands twice in one JSON object.", twice))
    return found


def integer(text: str) -> int | ExactDecimal:
    return int(text) if len(text) <= LONGEST_INT and text != "-0" else ExactDecimal(text)


def _refuse_constant(name: str) -> None:
    raise refused(400, "value", f"{name} is not a number that JSON or FHIR has; leave the value out and say why.")


_EXACTLY: Mapping[str, Any] = {
    "parse_float": ExactDecimal,
    "parse_int": integer,
    "parse_constant": _refuse_constant,
    "object_pairs_hook": _object,
}
# The same for a value inside a text; raises what `parse` turns into FhirError.
DECODER = json.JSONDecoder(**_EXACTLY)
