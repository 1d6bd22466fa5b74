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

_words = st.sampled_from(["", "a", "ab", "abc", "b", "ba"])
_dates = st.builds(
    lambda low, width: IndexEntry("p", "date", low_ms=low, high_ms=low + width),
    st.integers(0, 6),
    st.integers(1, 3),
)
_open = st.builds(lambda high: IndexEntry("p", "date", low_ms=None, high_ms=high), st.integers(1, 6))
_tokens = st.builds(lambda system, value: IndexEntry("p", "token", system, value), _words, _words)
_strings = st.builds(lambda value: IndexEntry("p", "string", value.upper(), value), _words)
_comparisons = st.sampled_from(["eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "overlap"])
_date_matches = st.builds(
    lambda how, low, width: Match(how, low_ms=low, high_ms=low + width),
    _comparisons,
    st.integers(0, 6),
    st.integers(1, 3),
)
_token_matches = st.builds(
    lambda s, v: Match(system=s, value=v), st.one_of(st.none(), _words), st.one_of(st.none(), _words)
)
_string_matches = st.builds(
    lambda how, v: Match(how, value=v.upper() if how == "exact" else v),
    st.sampled_from(["prefix", "contains", "exact"]),
    _words,
)


def _criteria(kind: str, matches: st.SearchStrategy[Match]) -> st.SearchStrategy[Criterion]:
    some = st.lists(matches, min_size=1, max_size=2).map(tuple)
    return st.one_of(
        st.builds(lambda found, negated: Criterion("p", kind, found, negated), some, st.booleans()),
        st.booleans().map(lambda missing: Criterion("p", kind, missing=missing)),
    )


_cases = st.one_of(
    st.tuples(st.lists(st.one_of(_dates, _open), max_size=3), _criteria("date", _date_matches)),
    st.tuples(st.lists(_tokens, max_size=3), _criteria("token", _token_matches)),
    st.tuples(st.lists(_strings, max_size=3), _criteria("string", _string_matches)),
)


@pytest.mark.django_db
@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(case=_cases)
def test_the_database_finds_what_the_matcher_finds(db: None, case: tuple[list[IndexEntry], Criterion]) -> None:
    entries, criterion = case
    Document.objects.all().delete()
    write = DocumentWrite(0, "Organization", "put", {}, fhir_id="o", index_entries=tuple(entries))
    deliver(delivery=Delivery("test", documents=(write,)), actor=Actor.system("test"), now=timezone.now(), atomic=True)
    found = search_documents(DocumentQuery("Organization", (criterion,)))
    assert bool(found) is holds(criterion, entries), criterion
