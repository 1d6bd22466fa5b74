"""A search that has been understood, and the text of a place in it."""

import base64
import binascii
import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from integrations.fhir.outcomes import refused
from integrations.fhir.reach import Reach, restricted
from integrations.fhir.routes import Route
from recovery.selectors.fhir_criteria import Criterion, DocumentQuery, Match
from recovery.selectors.fhir_order import Order, Place

DEFAULT_COUNT, LARGEST_COUNT = 50, 1000


@dataclass(frozen=True, slots=True)
class Asker:
    """Who searches, where and when. Without `follows` no reference is followed."""

    base: str
    strict: bool
    now: datetime
    reach: Reach
    follows: bool = False


@dataclass(frozen=True, slots=True)
class Include:
    """`_include` or `_revinclude`: references `param` ("*" for all) of `source`, to `target` ("" for any type)."""

    source: str
    param: str
    target: str = ""
    iterate: bool = False


@dataclass(slots=True)
class SearchRequest:
    """A search that finds nothing beyond `reach`, whatever it asks for: the limit is among its criteria from the start.

    `said`: the parameters honoured, for the self link; `ignored`: those that were not. `place`: where the page
    begins; `address`: below the base, for the links.
    """

    route: Route
    reach: Reach
    criteria: list[Criterion] = field(default_factory=list)
    ids: list[str] | None = None
    updated: list[tuple[Match, ...]] = field(default_factory=list)
    count: int = DEFAULT_COUNT
    order: Order = Order()
    place: Place | None = None
    wants_total: bool = False
    summary: str = ""
    elements: tuple[str, ...] = ()
    includes: list[Include] = field(default_factory=list)
    reverse_includes: list[Include] = field(default_factory=list)
    address: str = ""
    said: list[tuple[str, str]] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        limit = self.reach.limit(self.route.type, "search-type")
        self.criteria += [one for one in restricted((), limit) if one not in self.criteria]

    @property
    def only_counts(self) -> bool:
        return self.count == 0

    def documents(self) -> DocumentQuery:
        ids = None if self.ids is None else tuple(self.ids)
        return DocumentQuery(self.route.type, tuple(self.criteria), ids, tuple(self.updated))


def cursor_text(place: Place, backwards: bool = False) -> str:
    said: dict[str, Any] = {"k": list(place)}
    if backwards:
        said["b"] = 1
    text = json.dumps(said, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(text: str, order: Order) -> tuple[Place, Order]:
    """The place, and the order in which it is walked. Raises FhirError 400 for what is no cursor of that order."""
    try:
        said = json.loads(base64.urlsafe_b64decode(text.encode() + b"=="))
        place = said["k"]
        if said.get("b"):
            order = order.reversed()
        if not isinstance(place, list) or not order.fits(place):
            raise ValueError
    except (ValueError, TypeError, KeyError, AttributeError, binascii.Error, RecursionError) as error:
        sentence = "This page link is not one of ours; start the search again."
        raise refused(400, "invalid", sentence, "_cursor") from error
    return tuple(place), order
