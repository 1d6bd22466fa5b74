"""What the types served can be searched by: the official R4 and US Core search parameters, kept as data.

`search_parameters.tsv` is made from the SearchParameter resources of R4 4.0.1 (choice elements written out, types that
are not served left out of the targets); parameters that this server does not offer (phonetic, near, _content ...) are
not in it. Paths: dots go down, lists are entered, `|` gives alternatives, `[key=value]` keeps the elements that say so,
`@name` is worked out by the indexing (`documents.indexing`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Literal, cast

Kind = Literal["token", "string", "reference", "date", "number", "quantity", "uri", "composite"]

FILE = Path(__file__).with_name("search_parameters.tsv")
DEFINITIONS = "http://hl7.org/fhir/SearchParameter/"


@dataclass(frozen=True, slots=True)
class SearchParam:
    """`targets`: types that a reference may point at (none: any). `components`: names of a composite's parameters."""

    name: str
    kind: Kind
    paths: tuple[str, ...]
    targets: tuple[str, ...] = ()
    components: tuple[str, ...] = ()
    definition: str = ""


# Searchable on every type: the first two stand beside each document, the others in its meta.
COMMON_PARAMS: Mapping[str, Kind] = MappingProxyType(
    {
        "_id": "token",
        "_lastUpdated": "date",
        "_tag": "token",
        "_profile": "uri",
        "_security": "token",
        "_source": "uri",
    }
)
META_PARAMS = (
    SearchParam("_tag", "token", ("meta.tag",), definition=f"{DEFINITIONS}Resource-tag"),
    SearchParam("_profile", "uri", ("meta.profile",), definition=f"{DEFINITIONS}Resource-profile"),
    SearchParam("_security", "token", ("meta.security",), definition=f"{DEFINITIONS}Resource-security"),
    SearchParam("_source", "uri", ("meta.source",), definition=f"{DEFINITIONS}Resource-source"),
)


def official_params(type_name: str) -> tuple[SearchParam, ...]:
    """The R4 and US Core parameters of a type, in alphabetical order."""
    return _by_type().get(type_name, ())


@cache
def _by_type() -> Mapping[str, tuple[SearchParam, ...]]:
    return read(FILE.read_text(encoding="utf-8"))


def read(table: str) -> Mapping[str, tuple[SearchParam, ...]]:
    """The parameters of each type, from the text of a table such as `search_parameters.tsv`."""
    found: dict[str, list[SearchParam]] = {}
    for line in table.splitlines():
        if line.startswith("#"):
            continue
        type_name, name, kind, said, targets, definition = (line.split("\t") + [""] * 3)[:6]
        composite = kind == "composite"
        found.setdefault(type_name, []).append(
            SearchParam(
                name=name,
                kind=cast(Kind, kind),
                paths=() if composite else tuple(said.split("|")),
                targets=tuple(targets.split(",")) if targets else (),
                components=tuple(said.split("$")) if composite else (),
                definition=definition if "/" in definition else (definition and DEFINITIONS + definition),
            )
        )
    return {name: tuple(params) for name, params in found.items()}
