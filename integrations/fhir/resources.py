"""The only import of fhir.resources, and always its R4B package: the top level is R5 and refuses valid R4.

R4B and R4 4.0.1 have the same elements for every resource that this server routes; `structure` and `validation` add
what the models do not check.
"""

import importlib
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from fhir.resources.R4B import get_fhir_model_class
from pydantic import BaseModel, ValidationError

PRIMITIVE_EXTENSION = "FHIRPrimitiveExtension"
# R4B value types that R4 has not.
NOT_IN_R4 = frozenset({"valueCodeableReference", "valueRatioRange"})


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a type. `kind`: a primitive's name in lower case, "complex" or "resource"."""

    name: str
    many: bool
    kind: str
    model: str = ""
    codes: frozenset[str] = frozenset()
    targets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelError:
    """One complaint of the R4B model: where (names and indexes), what kind, and its sentence."""

    where: tuple[str | int, ...]
    kind: str
    message: str


def has_type(name: str) -> bool:
    """Whether R4 has a resource of that name."""
    try:
        model = get_fhir_model_class(name)
    except (KeyError, LookupError, ValueError):
        return False
    return bool(model.has_resource_base())


@cache
def elements(model_path: str) -> Mapping[str, Element]:
    """JSON name -> Element of a type, given as a resource name or as the dotted path of a model class."""
    model = _model(model_path)
    return {
        (info.alias or name): _element(info.alias or name, info)
        for name, info in model.model_fields.items()
        if name != "fhir_comments" and (info.alias or name) not in NOT_IN_R4
    }


@cache
def _model(path: str) -> type[BaseModel]:
    if "." not in path:
        found: type[BaseModel] = get_fhir_model_class(path)
        return found
    module, _, name = path.rpartition(".")
    model: type[BaseModel] = getattr(importlib.import_module(module), name)
    return model


def _element(name: str, info: Any) -> Element:
    annotation, many = _bare(info.annotation)
    extra = info.json_schema_extra or {}
    path = getattr(annotation, "_model_klass", "")
    if path:
        kind = "resource" if path.endswith(".Resource") else "complex"
        return Element(name, many, kind, path, targets=tuple(extra.get("enum_reference_types", ())))
    codes = tuple(extra.get("enum_values", ()))
    known = frozenset() if "+" in codes else frozenset(codes)
    return Element(name, many, _primitive(annotation), codes=known)


def _bare(annotation: Any) -> tuple[Any, bool]:
    """The type inside Optional[...] and List[...], and whether there was a list."""
    many = False
    while True:
        origin = typing.get_origin(annotation)
        inside = [arg for arg in typing.get_args(annotation) if arg is not types.NoneType]
        if origin in (typing.Union, types.UnionType) and len(inside) == 1:
            annotation = inside[0]
        elif origin is list:
            annotation, many = inside[0], True
        else:
            return annotation, many


def _primitive(annotation: Any) -> str:
    if annotation is bool:
        return "boolean"
    marks = getattr(annotation, "__metadata__", ())
    return type(marks[-1]).__name__.lower() if marks else "string"


def model_errors(type_name: str, resource: Mapping[str, Any]) -> list[ModelError]:
    """What the R4B model says against `resource` (checked as plain JSON values); empty when nothing."""
    try:
        _model(type_name).model_validate(resource)
    except ValidationError as error:
        return [ModelError(tuple(said["loc"]), said["type"], said["msg"]) for said in error.errors(include_url=False)]
    except (KeyError, LookupError, TypeError, ValueError, RecursionError, OverflowError) as error:
        return [ModelError((), "structure", f"cannot be read as {type_name}: {type(error).__name__}")]
    return []


@cache
def in_summary(type_name: str) -> frozenset[str]:
    """JSON names of the elements of a type that R4 marks as part of its summary."""
    return _marked(type_name, "summary_element_property")


@cache
def required(type_name: str) -> frozenset[str]:
    """JSON names of the elements that a type must have; of a choice that it must make, all alternatives."""
    marked = _marked(type_name, "element_required") | _marked(type_name, "one_of_many_required")
    return marked | {name for name, info in _by_json_name(type_name).items() if info.is_required()}


@cache
def stem(type_name: str, name: str) -> str:
    """The name of the choice element that `name` is an alternative of ("value" of valueQuantity), or "" ."""
    info = _by_json_name(type_name).get(name)
    return str((info.json_schema_extra or {}).get("one_of_many", "")) if info is not None else ""


def _marked(type_name: str, mark: str) -> frozenset[str]:
    fields = _by_json_name(type_name).items()
    return frozenset(name for name, info in fields if (info.json_schema_extra or {}).get(mark))


@cache
def _by_json_name(type_name: str) -> Mapping[str, Any]:
    return {info.alias or name: info for name, info in _model(type_name).model_fields.items()}
