"""A version in shadow speaks beside the served one: the same numbers say the same, and nothing served is touched."""

from datetime import timedelta

import numpy as np
import pytest

from recovery.audit import Actor
from recovery.models import Alert, Episode, ModelVersion, ShadowRisk, Snapshot, Twin
from recovery.services import served_models, shadow, twinning
from recovery.services.factors import known_at
from recovery.services.ingestion import deliver
from recovery.services.intake import Delivery
from recovery.twin import hazard_store, hypotheses_store
from recovery.twin.cold_start import cold_start
from recovery.twin.hypotheses_store import shipped_for
from recovery.twin.risk import assess
from recovery.twin.surprise import features
from recovery.twin.suspicion import consider
from tests import deliveries as d
from tests import factories

NOW = d.SURGERY_END + timedelta(hours=75, minutes=20)
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_remembered():
    served_models._hazard.cache_clear()
    served_models._population.cache_clear()


@pytest.fixture
def snapshot() -> Snapshot:
    """A patient with three days of heart rates, whose twin was just brought up to date."""
    rng = np.random.default_rng(7)
    rows = tuple(d.number(h, h + 0.2, float(round(79 + rng.normal(0, 3)))) for h in range(75))
    deliver(delivery=d.enrolment(), actor=Actor.system("test"), now=NOW, atomic=False)
    deliver(delivery=Delivery("test", readings=rows), actor=Actor.system("test"), now=NOW, atomic=False)
    episode = Episode.objects.select_related("patient", "pathway").get()
    state = twinning.rebuild(episode, NOW, served_models.population()).fold.state
    Twin.objects.create(episode=episode, state=state.to_plain(), model_version=state.model_version, computed_at=NOW)
    return factories.make_snapshot(episode, NOW, factories.said())


def version(kind: str = "hazard", **fields) -> ModelVersion:
    shipped = {
        "hazard": lambda: hazard_store.to_plain(hazard_store.shipped_model()),
        "population": lambda: cold_start().to_plain(),
        "hypotheses": lambda: hypotheses_store.to_plain(shipped_for(cold_start().version)),
    }
    plain = shipped[kind]()
    given = {"trained_on": "x", "status": "shadow", "created_at": NOW, "evaluation": {"x": 1}} | fields
    return ModelVersion.objects.create(
        kind=kind, version=f"{kind}-s", parameters=plain | {"version": f"{kind}-s"}, **given
    )


def run() -> int:
    return shadow.run_shadows(clock=lambda: NOW)


def served_risks(episode: Episode, kind: str = "hazard") -> dict:
    """What the served models say of the same moment. Under a population of another name no hypothesis was learned, so
    that one speaks without suspicion, as it would were it served."""
    models, known = served_models.in_use(), known_at(episode, NOW)
    state = twinning.rebuild(episode, NOW, models.population).fold.state
    found = features(state, models.population, state.until_hour, known.profile)
    suspected = None
    if kind != "population":
        suspected = consider(known.profile, found, known.factors, models.hypotheses, models.hazard)
    risks = assess(known.profile, found, state.until_hour, models.hazard, factors=known.factors, suspicion=suspected)
    return {(one.outcome, one.horizon_h): one.probability for one in risks}


@pytest.mark.parametrize("kind", ["hazard", "population", "hypotheses"])
def test_the_very_same_numbers_in_shadow_say_the_very_same(snapshot, kind):
    version(kind)
    assert run() == 1
    stored = {(one["outcome"], one["horizon_h"]): one["probability"] for one in ShadowRisk.objects.get().risks}
    wanted = served_risks(snapshot.episode, kind)
    assert stored.keys() == wanted.keys()
    assert all(stored[key] == pytest.approx(wanted[key], abs=1e-4) for key in wanted)


def test_nothing_that_is_served_changes(snapshot):
    before = Twin.objects.values().get(), Snapshot.objects.values().get()
    version("population")
    run()
    assert (Twin.objects.values().get(), Snapshot.objects.values().get()) == before
    assert not Alert.objects.exists()


def test_each_snapshot_is_spoken_about_once_and_again_when_it_was_rewritten(snapshot):
    version()
    assert (run(), run()) == (1, 0)
    Snapshot.objects.update(made_at=NOW + timedelta(minutes=5))
    assert (run(), run()) == (1, 0)
    assert ShadowRisk.objects.count() == 1


def test_versions_not_in_shadow_are_silent(snapshot):
    version(status="draft")
    assert run() == 0


def test_a_shadow_that_cannot_be_read_or_breaks_harms_nobody(snapshot):
    broken = version()
    ModelVersion.objects.filter(pk=broken.pk).update(parameters={"version": "hazard-s"})
    assert run() == 0
    ModelVersion.objects.all().delete()
    version()
    Twin.objects.update(state={"format": 99})
    assert run() == 1
    assert ShadowRisk.objects.get().risks == []


def test_causes_in_shadow_whose_courses_are_not_in_service_are_silent_and_break_nothing(snapshot, caplog):
    other = version("hypotheses")
    ModelVersion.objects.filter(pk=other.pk).update(parameters=other.parameters | {"twin_version": "others"})
    assert run() == 0
    assert not ShadowRisk.objects.exists() and not caplog.records


@pytest.mark.parametrize("kind", ["hazard", "hypotheses"])
def test_a_shadow_waits_until_the_twin_was_rebuilt_under_the_courses_in_service(snapshot, kind):
    version(kind)
    Twin.objects.update(model_version="courses-of-before")
    assert run() == 0
    Twin.objects.update(model_version=cold_start().version)
    assert run() == 1


def test_what_a_shadow_said_long_ago_is_forgotten(snapshot):
    version()
    run()
    assert shadow.forget_old(now=NOW + timedelta(days=300)) == 0
    assert shadow.forget_old(now=NOW + timedelta(days=500)) == 1
