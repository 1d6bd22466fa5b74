"""The order of a search across shelves, and its keyset: where a page begins, never how many rows come before it.

A place is the tuple (a value per step, shelf, ties of the shelf). Missing values come last. Texts are compared by code
point on every engine, so that rows of two shelves merge in one order.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cmp_to_key
from itertools import zip_longest
from typing import Any

from django.db.models import Q

Value = int | float | str | None
Place = tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One key of `_sort`. Of several values ascending takes the least, descending the greatest."""

    name: str
    kind: str  # text, date, number
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Order:
    """`backwards`: walked from its end, for the page before a place."""

    steps: tuple[Step, ...] = ()
    backwards: bool = False

    def reversed(self) -> "Order":
        return replace(self, backwards=not self.backwards)

    def goes_down(self, place: int) -> bool:
        """Whether the key at `place` falls; shelf and ties go the way of the last step."""
        if not self.steps:
            return self.backwards
        return self.steps[min(place, len(self.steps) - 1)].descending is not self.backwards

    def compare(self, left: Place, right: Place) -> int:
        """Below 0 when `left` comes first."""
        for number, (mine, yours) in enumerate(zip_longest(left, right)):
            found = self.compare_one(number, mine, yours)
            if found:
                return found
        return 0

    def compare_one(self, number: int, mine: Value, yours: Value) -> int:
        if mine == yours:
            return 0
        if mine is None or yours is None:
            return -1 if (mine is None) is self.backwards else 1
        less = mine < yours  # type: ignore[operator]  # a step compares one kind
        return -1 if less is not self.goes_down(number) else 1

    def sort_key(self, place_of: Callable[[Any], Place]) -> Callable[[Any], Any]:
        """A key for `sorted` and `heapq`, of things that have a place."""
        return cmp_to_key(lambda one, other: self.compare(place_of(one), place_of(other)))

    def fits(self, place: Sequence[object]) -> bool:
        """Whether a place said by somebody else is one of this order: kinds and length."""
        kinds = [step.kind for step in self.steps]
        if not len(kinds) < len(place) <= len(kinds) + 5:
            return False
        return all(
            _is_of_kind(kinds[number] if number < len(kinds) else "number", value, number < len(kinds))
            for number, value in enumerate(place)
        )


def _is_of_kind(kind: str, value: object, may_miss: bool) -> bool:
    if value is None:
        return may_miss
    if kind == "text":
        return isinstance(value, str) and "\x00" not in value
    return type(value) in (int, float) and abs(value) < 2**63  # type: ignore[arg-type]  # false for NaN too


@dataclass(frozen=True, slots=True)
class Key:
    """What a shelf has for one key of a place: a column (or annotation), or the same value in all its rows."""

    field: str = ""
    constant: Value = None


def beyond(order: Order, keys: Sequence[Key], after: Place) -> Q | None:
    """The rows that come after a place: None when none can, an empty Q when all do."""
    found: list[Q] = []
    equal = Q()
    for number, (key, value) in enumerate(zip(keys, after, strict=False)):
        if key.field:
            step = _further(order, number, key.field, value)
            if step is not None:
                found.append(equal & step)
            equal &= Q(**{f"{key.field}__isnull": True}) if value is None else Q(**{key.field: value})
            continue
        how = order.compare_one(number, key.constant, value)
        if how > 0:
            found.append(equal)
        if how:
            break
    return _any(found)


def _further(order: Order, number: int, field: str, value: Value) -> Q | None:
    nulls_follow = number < len(order.steps) and not order.backwards
    if value is None:
        return Q(**{f"{field}__isnull": False}) if order.backwards else None
    step = Q(**{f"{field}__{'lt' if order.goes_down(number) else 'gt'}": value})
    return step | Q(**{f"{field}__isnull": True}) if nulls_follow else step


def _any(found: Sequence[Q]) -> Q | None:
    if not found:
        return None
    if any(not one for one in found):
        return Q()
    every = found[0]
    for one in found[1:]:
        every |= one
    return every
