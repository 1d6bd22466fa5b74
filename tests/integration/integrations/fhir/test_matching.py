"""The database and the in-memory matcher answer every criterion alike (two independent implementations)."""

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integrations.fhir.search.matching import holds
from recovery.audit import Actor
from recovery.models import Document
from recovery.selectors.fhir_search import Criterion, DocumentQuery, Match, search_documents
from recovery.services.ingestion import deliver
from recovery.services.intake import Delivery, DocumentWrite, IndexEntry

_words = st.sampled_from(["", "a", "ab", "abc", "b", "ba", "a/b", "a/b/c"])
_parts = st.integers(0, 2)
_low = st.one_of(st.none(), st.integers(0, 6))


def _date(low: int | None, width: int, is_open: bool, part: int) -> IndexEntry:
    high = None if is_open else (low if low is not None else 2) + width
    return IndexEntry("p", "date", low_ms=low, high_ms=high, part=part)


_dates = st.builds(_date, _low, st.integers(1, 3), st.booleans(), _parts)
_tokens = st.builds(
    lambda system, value, part: IndexEntry("p", "token", system, value, part=part), _words, _words, _parts
)
_strings = st.builds(lambda value: IndexEntry("p", "string", value.upper(), value), _words)
_uris = st.builds(lambda value: IndexEntry("p", "uri", "", value), _words)
_units = st.sampled_from([("", ""), ("u", "a"), ("~mass", ""), ("", "a")])
_edges = st.integers(-3, 3).map(float)


def _quantity(unit: tuple[str, str], low: float, width: int, has_number: bool, part: int) -> IndexEntry:
    low_end, high_end = (low, low + width) if has_number else (None, None)
    return IndexEntry("q", "quantity", *unit, number=low_end, number_high=high_end, part=part)


_quantities = st.builds(_quantity, _units, _edges, st.integers(0, 2), st.booleans(), _parts)
_comparisons = st.sampled_from(["eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "overlap"])
_date_matches = st.builds(
    lambda how, low, width: Match(how, low_ms=low, high_ms=low + width),
    _comparisons,
    st.integers(0, 6),
    st.integers(1, 3),
)
_maybe_words = st.one_of(st.none(), _words)
_token_matches = st.builds(lambda s, v: Match(system=s, value=v), _maybe_words, _maybe_words)
_string_matches = st.builds(
    lambda how, v: Match(how, value=v.upper() if how == "exact" else v),
    st.sampled_from(["prefix", "contains", "exact"]),
    _words,
)
_uri_matches = st.builds(lambda how, v: Match(how, value=v), st.sampled_from(["eq", "below", "above"]), _words)
_asked_units = st.sampled_from([(None, None), ("u", "a"), ("~mass", ""), (None, "a"), ("u", None)])
_quantity_matches = st.builds(
    lambda how, unit, low, width: Match(how, *unit, low=low, high=low + width),
    _comparisons,
    _asked_units,
    _edges,
    st.integers(0, 2),
)


def _criteria(param: str, kind: str, matches: st.SearchStrategy[Match]) -> st.SearchStrategy[Criterion]:
    some = st.lists(matches, min_size=1, max_size=2).map(tuple)
    return st.one_of(
        st.builds(lambda found, negated: Criterion(param, kind, found, negated), some, st.booleans()),
        st.booleans().map(lambda missing: Criterion(param, kind, missing=missing)),
    )


def _pairs(one: Match, other: Match) -> Match:
    return Match(parts=(one, other))


_together = st.lists(st.builds(_pairs, _token_matches, _quantity_matches), min_size=1, max_size=2).map(
    lambda found: Criterion("p-q", "composite", tuple(found), components=(("p", "token"), ("q", "quantity")))
)
_token_criteria = _criteria("p", "token", _token_matches)
_either = st.lists(_token_criteria, min_size=1, max_size=2).map(lambda found: Criterion("", "any", any_of=tuple(found)))

_cases = st.one_of(
    st.tuples(st.lists(_dates, max_size=3), _criteria("p", "date", _date_matches)),
    st.tuples(st.lists(_tokens, max_size=3), st.one_of(_token_criteria, _either)),
    st.tuples(st.lists(_strings, max_size=3), _criteria("p", "string", _string_matches)),
    st.tuples(st.lists(_uris, max_size=3), _criteria("p", "uri", _uri_matches)),
    st.tuples(st.lists(_quantities, max_size=3), _criteria("q", "quantity", _quantity_matches)),
    st.tuples(st.lists(st.one_of(_tokens, _quantities), max_size=5), _together),
)


@pytest.mark.django_db
@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(case=_cases)
def test_the_database_finds_what_the_matcher_finds(db: None, case: tuple[list[IndexEntry], Criterion]) -> None:
    entries, criterion = case
    Document.objects.all().delete()
    write = DocumentWrite(0, "Organization", "put", {}, fhir_id="o", index_entries=tuple(entries))
    deliver(delivery=Delivery("test", documents=(write,)), actor=Actor.system("test"), now=timezone.now(), atomic=True)
    found = search_documents(DocumentQuery("Organization", (criterion,)))
    assert bool(found) is holds(criterion, entries), criterion
