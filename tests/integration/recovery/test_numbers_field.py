"""A snapshot's numbers come back as they were written, on both engines."""

import json

import pytest
from django.db.models import TextField
from django.db.models.fields.json import KT
from django.db.models.functions import Cast
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recovery.models import Snapshot
from tests import factories

pytestmark = pytest.mark.django_db
# PostgreSQL writes a larger float as an integer, of which the digits beyond a float's own are noughts.
numbers = st.one_of(st.floats(-1e15, 1e15), st.integers(-(2**53), 2**53))
contents = st.recursive(
    st.one_of(numbers, st.booleans(), st.none(), st.text(st.characters(exclude_characters="\0", codec="utf-8"))),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=4),
    max_leaves=12,
)


@pytest.fixture
def snapshots():
    now = timezone.now()
    snapshot = factories.make_snapshot(factories.make_episode(ended=now), now, {})
    return Snapshot.objects.filter(pk=snapshot.pk)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=60)
@given(content=contents)
def test_what_is_written_is_read(snapshots, content):
    snapshots.update(content={"x": content})
    found = snapshots.values_list("content", flat=True).get()
    assert found == {"x": content}
    assert found == json.loads(snapshots.values_list(Cast("content", TextField()), flat=True).get())


def test_parts_of_it_can_be_asked_for(snapshots):
    snapshots.update(content={"state": "watch", "risks": [0.5]})
    assert snapshots.values_list(KT("content__state"), flat=True).get() == "watch"
    assert snapshots.values_list("content__risks", flat=True).get() == [0.5]
