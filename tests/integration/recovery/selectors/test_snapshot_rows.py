"""A list's row is read from what is kept beside a snapshot, and says what the snapshot says."""

from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import Q
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from recovery.audit import Actor
from recovery.consent_rules import CARE
from recovery.models import Episode, Sample, Snapshot
from recovery.selectors.careteam import current_rows, current_snapshots
from recovery.selectors.consents import sealed_flags, without_sealed
from recovery.selectors.plain_rows import plain_rows
from recovery.selectors.snapshot import headline_risk
from recovery.services import consents
from recovery.snapshot_row import for_row
from recovery.twin.metrics import METRICS
from tests import deliveries as d
from tests import factories

NOW = d.SURGERY_END + timedelta(hours=98)
WORDS = ("state", "sentence", "reasons", "made_at", "data_until", "strays_most")
deviation = st.one_of(st.none(), st.floats(-9, 9))
metric = st.fixed_dictionaries(
    {
        "now": deviation,
        "deviation": deviation,
        "curve": st.fixed_dictionaries({"hours": st.lists(st.floats(0, 99), max_size=2)}),
    }
)
content = st.fixed_dictionaries(
    {
        "state": st.sampled_from(["act", "watch"]),
        "metrics": st.dictionaries(st.sampled_from(sorted(METRICS)), metric, max_size=4),
        "risks": st.lists(
            st.fixed_dictionaries(
                {"outcome": st.sampled_from(["any_complication", "vte"]), "horizon_h": st.sampled_from([72, 168])}
            ),
            max_size=4,
        ),
        "scores": st.lists(st.fixed_dictionaries({"name": st.sampled_from(["NEWS2", "qSOFA"])}), max_size=2),
    }
)


@given(content)
def test_the_row_of_a_row_is_itself(said):
    assert for_row(for_row(said)) == for_row(said)


@pytest.fixture
def ward(db):
    factories.make_ward(NOW, factories.STORIES[:3])
    return list(Episode.objects.all())


def _told(said):
    return [getattr(said, word) for word in WORDS], headline_risk(said.risks), said.metrics.get(said.strays_most)


def _agree(ward):
    rows, whole = current_rows(Q(episode__in=ward)), current_snapshots(Q(episode__in=ward))
    assert rows.keys() == whole.keys() != set()
    assert [_told(rows[pk]) for pk in rows] == [_told(whole[pk]) for pk in rows]


def test_it_says_what_the_whole_says_where_a_row_is_kept_and_where_none_is(ward):
    assert not Snapshot.objects.filter(current=True, row=None).exists()
    _agree(ward)
    Snapshot.objects.update(row=None)
    _agree(ward)


def test_what_a_patient_withdrew_is_in_no_row_although_it_was_kept_there(ward):
    episode = ward[0]
    shown = current_rows(Q(episode=episode))[episode.pk].strays_most
    assert shown
    withdrawn = {(CARE, "activity"): False, (CARE, "vitals"): False}
    consents.decide(
        patient_id=episode.patient_id, choices=withdrawn, said_by="Ida", actor=Actor.system("test"), now=NOW
    )
    _agree(ward)
    assert shown not in current_rows(Q(episode=episode))[episode.pk].metrics


def test_what_is_expected_or_advised_of_a_withdrawn_measure_is_gone_with_it(ward):
    flagged = Episode.objects.annotate(**sealed_flags("patient_id")).first()
    of_each = [{"metric": "steps"}, {"metric": "heart_rate"}, {"metric": "qor15"}]
    content = {"metrics": {"steps": {}, "heart_rate": {}}, "milestones": of_each, "advice": of_each}
    assert without_sealed(content, flagged) == content
    flagged.sealed_activity = True
    left = without_sealed(content, flagged)
    assert set(left["metrics"]) == {"heart_rate"}
    assert [one["metric"] for one in left["milestones"]] == [one["metric"] for one in left["advice"]]
    assert [one["metric"] for one in left["advice"]] == ["heart_rate", "qor15"]


def test_plain_rows_of_nothing_ask_nothing(db):
    with CaptureQueriesContext(connection) as asked:
        assert plain_rows(Sample.objects.filter(series_id__in=[]).values_list("value")) == []
    assert len(asked) == 0
