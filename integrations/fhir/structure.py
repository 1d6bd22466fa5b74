"""The rules of FHIR JSON that the R4B models do not check (fhir-bar 1.2), by one walk along the type's elements.

Types of JSON values, empties, unknown names, ids, required codes, reference forms and targets, narrative, depth.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from integrations.fhir import bindings, invariants, narrative, resources
from integrations.fhir.outcomes import Issue
from integrations.fhir.primitives import CONTROL, ID, span
from integrations.fhir.resources import Element
from recovery.exact_json import ExactDecimal

DEEPEST = 64
MOST_ISSUES = 20
# A finite double: beyond it no reader can compute with the number. R4 asks for 18 significant digits.
LARGEST_EXPONENT = 300
LONGEST_NUMBER = 100
_RANGES = {
    "integer": (-(2**31), 2**31 - 1),
    "unsignedint": (0, 2**31 - 1),
    "positiveint": (1, 2**31 - 1),
}
_EXTENSION = "fhir.resources.R4B.extension.Extension"
_PRIMITIVE_EXTENSION = "fhir.resources.R4B.fhirprimitiveextension.FHIRPrimitiveExtension"
_REFERENCE = re.compile(
    r"#[A-Za-z0-9\-.]{0,64}|([A-Z][A-Za-z]+)/[A-Za-z0-9\-.]{1,64}(?:/_history/[A-Za-z0-9\-.]{1,64})?"
    r"|urn:(?:uuid|oid):\S+|[a-z][a-z0-9+.\-]*:\S+"
)
_ABSOLUTE_TAIL = re.compile(r"https?://\S*/([A-Z][A-Za-z]+)/[A-Za-z0-9\-.]{1,64}(?:/_history/[A-Za-z0-9\-.]{1,64})?")


@dataclass(slots=True)
class Walk:
    """What was found on the way. `contained`: ids of contained resources, for #references."""

    issues: list[Issue] = field(default_factory=list)
    contained: frozenset[str] = frozenset()

    def say(self, code: str, path: str, sentence: str) -> None:
        self.add(Issue(code, f"{path}: {sentence}", path))

    def add(self, issue: Issue) -> None:
        if len(self.issues) < MOST_ISSUES:
            self.issues.append(issue)


def check(type_name: str, resource: Mapping[str, Any]) -> list[Issue]:
    """What is wrong with the JSON form of `resource`; empty when nothing."""
    walk = Walk(contained=_contained_ids(resource))
    _object(resource, type_name, type_name, type_name, 1, walk)
    for issue in invariants.of_resource(resource, type_name):
        walk.add(issue)
    return walk.issues


def _contained_ids(resource: Mapping[str, Any]) -> frozenset[str]:
    held = resource.get("contained")
    items = held if isinstance(held, list) else []
    return frozenset(str(item["id"]) for item in items if isinstance(item, dict) and "id" in item)


def _object(value: Mapping[str, Any], model: str, owner: str, path: str, depth: int, walk: Walk) -> None:
    """Check one JSON object of type `owner` (its short name) against the elements of `model`."""
    if depth > DEEPEST:
        walk.say("too-long", path, f"nested more than {DEEPEST} deep")
        return
    if not value:
        walk.say("structure", path, "an empty object says nothing; leave it out")
    known = resources.elements(model)
    for name, child in value.items():
        element = known.get(name)
        here = f"{path}.{name[:64]}"
        if name == "resourceType" and (element is not None or "." not in model):
            continue
        if element is None:
            element = _primitive_value_extension(model, name)
        if element is None:
            walk.say("structure", here, f"{owner} has no element {name[:64]!r} in FHIR R4")
        elif name.startswith("_"):
            _primitive_extension(child, element, here, depth, walk)
        else:
            _member(child, element, owner, here, depth, walk, sibling=value.get(f"_{name}"))
    for issue in invariants.faults(owner, value, path):
        walk.add(issue)


def _primitive_value_extension(model: str, name: str) -> Element | None:
    """`_value[x]` of an Extension: valid R4 that the R4B model has forgotten."""
    if model == _EXTENSION and name.startswith("_value") and name[1:] in resources.elements(model):
        return Element(name, False, "complex", _PRIMITIVE_EXTENSION)
    return None


def _primitive_extension(child: Any, element: Element, path: str, depth: int, walk: Walk) -> None:
    """A `_name` member: an object, or for a repeating primitive a list of objects and nulls."""
    items = child if isinstance(child, list) else [child]
    for item in items:
        if item is None and isinstance(child, list):
            continue
        if isinstance(item, dict):
            _object(item, element.model or _PRIMITIVE_EXTENSION, "Element", path, depth + 1, walk)
        else:
            walk.say("structure", path, "must be an object with id or extension")


def _member(child: Any, element: Element, owner: str, path: str, depth: int, walk: Walk, sibling: Any = None) -> None:
    if not element.many:
        _value(child, element, owner, path, depth, walk)
        return
    if not isinstance(child, list):
        walk.say("structure", path, "must be a list")
        return
    if not child:
        walk.say("structure", path, "an empty list says nothing; leave it out")
    for place, item in enumerate(child):
        if item is None and isinstance(sibling, list) and place < len(sibling) and sibling[place] is not None:
            continue
        _value(item, element, owner, f"{path}[{place}]", depth, walk)


def _value(value: Any, element: Element, owner: str, path: str, depth: int, walk: Walk) -> None:
    if value is None:
        walk.say("structure", path, "null says nothing; leave it out")
    elif isinstance(value, list):
        walk.say("structure", path, "is not a list")
    elif element.kind == "resource":
        _inner_resource(value, element, path, depth, walk)
    elif element.kind == "complex":
        _complex(value, element, owner, path, depth, walk)
    else:
        _primitive(value, element, owner, path, walk)


def _inner_resource(value: Any, element: Element, path: str, depth: int, walk: Walk) -> None:
    name = value.get("resourceType") if isinstance(value, dict) else None
    if not isinstance(name, str) or not resources.has_type(name):
        walk.say("structure", path, "must be a resource with a resourceType of FHIR R4")
        return
    if "contained" in value and element.name == "contained":
        walk.say("invariant", path, "a contained resource holds no others (dom-2)")
        return
    outer = walk.contained
    walk.contained = outer if element.name == "contained" else _contained_ids(value)
    _object(value, name, name, path, depth + 1, walk)
    walk.contained = outer


def _complex(value: Any, element: Element, owner: str, path: str, depth: int, walk: Walk) -> None:
    if not isinstance(value, dict):
        walk.say("structure", path, "must be an object")
        return
    name = element.model.rpartition(".")[2]
    _object(value, element.model, name, path, depth + 1, walk)
    whole = f"{owner}.{element.name}"
    if name == "Reference":
        _reference(value, bindings.TARGETS.get(whole, element.targets), path, walk)
    elif whole in bindings.CONCEPTS:
        _concept(value, *bindings.CONCEPTS[whole], path, walk)


def _reference(value: Mapping[str, Any], targets: tuple[str, ...], path: str, walk: Walk) -> None:
    text = value.get("reference")
    if type(text) is not str:
        return
    here = f"{path}.reference"
    match = _REFERENCE.fullmatch(text)
    if match is None:
        walk.say("value", here, f"{text[:80]!r} is no reference: write Type/id, #id, urn:uuid:... or a URL")
        return
    if text.startswith("#") and text != "#" and text[1:] not in walk.contained:
        walk.say("value", here, f"{text!r} names no contained resource (ref-1)")
    absolute = _ABSOLUTE_TAIL.fullmatch(text)
    target = match.group(1) or (absolute.group(1) if absolute else None)
    if target and not resources.has_type(target) and match.group(1):
        walk.say("value", here, f"there is no resource type {target!r}")
    elif target and targets and target not in targets and "Resource" not in targets:
        walk.say("value", here, f"refers to a {target}; allowed here: {', '.join(targets)}")


def _concept(value: Mapping[str, Any], system: str, codes: frozenset[str], path: str, walk: Walk) -> None:
    codings = value.get("coding")
    for place, coding in enumerate(codings if isinstance(codings, list) else ()):
        if isinstance(coding, dict) and coding.get("system") == system and coding.get("code") not in codes:
            here = f"{path}.coding[{place}].code"
            walk.say("code-invalid", here, f"{str(coding.get('code'))[:60]!r} is not one of {_listed(codes)}")


def _primitive(value: Any, element: Element, owner: str, path: str, walk: Walk) -> None:
    kind = element.kind
    if kind == "boolean":
        if type(value) is not bool:
            walk.say("value", path, "must be true or false, without quotation marks")
    elif kind == "decimal":
        _decimal(value, path, walk)
    elif kind in _RANGES:
        low, high = _RANGES[kind]
        if type(value) is not int or not low <= value <= high:
            walk.say("value", path, f"must be a whole number from {low} to {high}, without quotation marks")
    elif type(value) is not str:
        walk.say("value", path, "must be a string")
    else:
        _string(value, element, owner, path, walk)


def _decimal(value: Any, path: str, walk: Walk) -> None:
    if type(value) is not int and not isinstance(value, ExactDecimal):
        walk.say("value", path, "must be a number, without quotation marks")
    elif isinstance(value, ExactDecimal) and (
        abs(value.adjusted()) > LARGEST_EXPONENT or len(value.text) > LONGEST_NUMBER
    ):
        walk.say("value", path, "is a number too large, too small or too long to be a measurement")


def _string(value: str, element: Element, owner: str, path: str, walk: Walk) -> None:
    kind = element.kind
    if not value.strip():
        walk.say("value", path, "an empty string says nothing; leave it out")
    elif CONTROL.search(value) or _lone_surrogate(value):
        walk.say("value", path, "holds a character that FHIR strings may not hold")
    elif kind == "id" and ID.fullmatch(value) is None:
        walk.say("value", path, f"{value[:80]!r} is no id: 1 to 64 of A-Z a-z 0-9 - .")
    elif kind in ("date", "datetime", "instant"):
        _date(value, kind, path, walk)
    elif kind == "xhtml":
        said = narrative.fault(value)
        if said:
            walk.say("invalid", path, said)
    elif kind == "code":
        _code(value, f"{owner}.{element.name}", element, path, walk)


def _lone_surrogate(value: str) -> bool:
    return any("\ud800" <= char <= "\udfff" for char in value) if not value.isascii() else False


def _date(value: str, kind: str, path: str, walk: Walk) -> None:
    try:
        span(value)
    except ValueError as error:
        walk.say("value", path, str(error))
        return
    if kind == "date" and "T" in value:
        walk.say("value", path, "is a date and has no time")
    elif kind == "instant" and "T" not in value:
        walk.say("value", path, "is an instant: date and time to the second with an offset are required")


def _code(value: str, whole: str, element: Element, path: str, walk: Walk) -> None:
    codes = bindings.CODES.get(whole, element.codes)
    form = bindings.FORMS.get(whole) or bindings.FORMS.get(element.name, bindings.CODE)
    if codes and value not in codes:
        walk.say("code-invalid", path, f"{value[:60]!r} is not one of {_listed(codes)}")
    elif form.fullmatch(value) is None:
        walk.say("code-invalid", path, f"{value[:60]!r} is no code of this kind")


def _listed(codes: frozenset[str]) -> str:
    return ", ".join(sorted(codes))
