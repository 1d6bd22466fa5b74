"""Models go into service by two people, back by one, and every change says who, when and why."""

from dataclasses import fields, replace
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from recovery import card_rules
from recovery.audit import Actor
from recovery.card_rules import TEXT_WORDS, CardText
from recovery.exceptions import Conflict, Forbidden, Invalid
from recovery.models import AuditEvent, ModelChange, ModelVersion, Owed, User
from recovery.services import model_changes, served_models
from recovery.twin import hazard_store, hypotheses_store
from recovery.twin.cold_start import cold_start
from recovery.twin.hypotheses_store import shipped_for
from tests import factories

pytestmark = pytest.mark.django_db
NOW = timezone.now()
WHY = "Better calibrated on our own patients"
TRAINING = {"cohort": "500 operations", "data_sha256": "a" * 64, "code_sha256": "b" * 64}
JUDGED = {"out_of_fold": {"all": {"people": 500}, "subgroups": {"sex": {"female": None}}}}


@pytest.fixture(autouse=True)
def nothing_remembered():
    """A served version is remembered by its row id, which the next test's database gives again."""
    served_models._hazard.cache_clear()
    served_models._population.cache_clear()
    served_models._hypotheses.cache_clear()


def make_version(name: str = "hazard-run-1", kind: str = "hazard", **fields) -> ModelVersion:
    shipped = {
        "hazard": lambda: hazard_store.to_plain(hazard_store.shipped_model()),
        "population": lambda: cold_start().to_plain(),
        "hypotheses": lambda: hypotheses_store.to_plain(shipped_for(cold_start().version)),
    }
    plain = shipped[kind]() | {"version": name, "trained_on" if kind == "population" else "training": dict(TRAINING)}
    given = {"trained_on": "synthetic", "created_at": NOW, "evaluation": JUDGED, "parameters": plain} | fields
    return ModelVersion.objects.create(kind=kind, version=name, **given)


def administrator(name: str) -> User:
    return factories.make_person(name, "administrator")


def step(do, user: User, **given):
    return do(user=user, actor=Actor.of_user(user), now=NOW, reason=given.pop("reason", WHY), **given)


def promote(version: ModelVersion, one: User, two: User) -> ModelChange:
    change = step(model_changes.propose, one, version_id=version.pk)
    return step(model_changes.approve, two, change_id=change.pk)


def active(kind: str = "hazard") -> str | None:
    return ModelVersion.objects.filter(kind=kind, status="active").values_list("version", flat=True).first()


def test_a_version_is_served_when_a_second_person_approves():
    change = promote(make_version(), administrator("ada"), administrator("ben"))
    assert served_models.hazard().version == "hazard-run-1"
    assert (change.asked_name, change.answered_name, change.status) == ("ada", "ben", "done")
    assert [row.action for row in AuditEvent.objects.order_by("id")] == ["model_proposed", "model_promoted"]
    assert AuditEvent.objects.order_by("id").last().detail["reason"] == WHY


def test_whoever_proposed_cannot_approve():
    ada = administrator("ada")
    change = step(model_changes.propose, ada, version_id=make_version().pk)
    with pytest.raises(Forbidden, match="second person"):
        step(model_changes.approve, ada, change_id=change.pk)
    assert active() is None


def test_the_database_itself_refuses_a_promotion_by_one_person():
    ada, version = administrator("ada"), make_version()
    with pytest.raises(IntegrityError), transaction.atomic():
        ModelChange.objects.create(
            kind="hazard",
            action="promote",
            status="done",
            version=version,
            asked_by=ada,
            asked_name="ada",
            asked_at=NOW,
            reason=WHY,
            answered_by=ada,
        )
    with pytest.raises(IntegrityError), transaction.atomic():
        ModelChange.objects.create(
            kind="hazard",
            action="promote",
            status="done",
            version=version,
            asked_by=ada,
            asked_name="ada",
            asked_at=NOW,
            reason=WHY,
        )


def test_clinicians_patients_and_the_inactive_change_nothing_and_a_named_steward_may():
    version = make_version()
    for name, role in (("c", "clinician"), ("l", "lead"), ("p", "patient")):
        with pytest.raises(Forbidden):
            step(model_changes.propose, factories.make_person(name, role), version_id=version.pk)
    gone = factories.make_person("gone", "administrator", is_active=False)
    with pytest.raises(Forbidden):
        step(model_changes.propose, gone, version_id=version.pk)
    with pytest.raises(Forbidden):
        step(model_changes.propose, factories.make_person("q", "patient", is_model_steward=True), version_id=version.pk)
    step(model_changes.propose, factories.make_person("s", "clinician", is_model_steward=True), version_id=version.pk)


def test_one_proposal_of_a_kind_waits_at_a_time_and_is_answered_once():
    ada, ben = administrator("ada"), administrator("ben")
    change = step(model_changes.propose, ada, version_id=make_version().pk)
    with pytest.raises(Conflict, match="waits"):
        step(model_changes.propose, ben, version_id=make_version("hazard-run-2").pk)
    step(model_changes.refuse, ben, change_id=change.pk)
    with pytest.raises(Conflict, match="answered by ben"):
        step(model_changes.approve, ben, change_id=change.pk)
    assert active() is None


def test_a_proposer_withdraws():
    ada = administrator("ada")
    change = step(model_changes.propose, ada, version_id=make_version().pk)
    assert step(model_changes.refuse, ada, change_id=change.pk).status == "withdrawn"


def test_rolling_back_serves_what_was_served_before_and_in_the_end_the_shipped_model():
    ada, ben = administrator("ada"), administrator("ben")
    promote(make_version("hazard-run-1"), ada, ben)
    promote(make_version("hazard-run-2"), ada, ben)
    step(model_changes.roll_back, ada, kind="hazard")
    assert active() == "hazard-run-1"
    step(model_changes.roll_back, ada, kind="hazard")
    assert active() is None
    assert served_models.hazard().version == hazard_store.shipped_model().version
    with pytest.raises(Conflict, match="shipped"):
        step(model_changes.roll_back, ada, kind="hazard")
    assert set(ModelVersion.objects.values_list("status", flat=True)) == {"retired"}


def test_a_version_that_was_rolled_back_may_be_promoted_again():
    ada, ben = administrator("ada"), administrator("ben")
    version = make_version()
    promote(version, ada, ben)
    step(model_changes.roll_back, ada, kind="hazard")
    promote(version, ben, ada)
    assert active() == version.version


def test_a_new_population_model_owes_every_twin_a_rebuild_and_a_new_risk_model_another_look():
    episode = factories.make_episode(ended=NOW - timedelta(days=3))
    finished = factories.make_episode(key="old", ended=NOW - timedelta(days=90))
    type(finished).objects.filter(pk=finished.pk).update(status="finished")
    ada, ben = administrator("ada"), administrator("ben")
    promote(make_version(), ada, ben)
    assert list(Owed.objects.values_list("key", flat=True)) == [episode.pk]
    promote(make_version("population-run-1", "population"), ada, ben)
    assert set(Owed.objects.values_list("key", flat=True)) == {episode.pk, finished.pk}
    assert set(Owed.objects.values_list("dirty_from_ms", flat=True)) == {None}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"evaluation": {}}, "never judged"),
        ({"parameters": {"version": "hazard-run-9"}}, "cannot be read"),
        ({"parameters": hazard_store.to_plain(hazard_store.shipped_model())}, "its numbers say"),
    ],
)
def test_a_version_that_cannot_be_served_is_refused_with_the_reason(fields, words):
    version = make_version("hazard-run-9")
    ModelVersion.objects.filter(pk=version.pk).update(**fields)
    for do, more in ((model_changes.propose, {}), (model_changes.set_shadow, {"on": True})):
        with pytest.raises(Invalid, match=words):
            step(do, administrator(f"a{do.__name__}"), version_id=version.pk, **more)


def test_courses_whose_bands_held_too_few_unseen_readings_are_refused_by_measure():
    told = {"held_out": {"measures": {"heart_rate": {"coverage90": 0.62}, "pain": {"coverage90": 0.91}}}}
    version = make_version("population-run-1", "population", evaluation=told)
    with pytest.raises(Invalid, match="unseen readings of heart rate:"):
        step(model_changes.propose, administrator("ada"), version_id=version.pk)


@pytest.mark.parametrize("kind", ["hazard", "population", "hypotheses"])
@pytest.mark.parametrize("name", [one.name for one in fields(CardText)])
def test_no_model_goes_into_service_while_a_field_of_its_card_is_empty(monkeypatch, kind, name):
    blank = card_rules.CARDS | {kind: replace(card_rules.CARDS[kind], **{name: " "})}
    change = step(model_changes.propose, administrator("ada"), version_id=make_version("own", kind).pk)
    monkeypatch.setattr(card_rules, "CARDS", blank)
    with pytest.raises(Invalid, match=f"Empty: {TEXT_WORDS[name]}"):
        step(model_changes.approve, administrator("ben"), change_id=change.pk)
    assert active(kind) is None
    monkeypatch.undo()
    step(model_changes.approve, User.objects.get(username="ben"), change_id=change.pk)
    assert active(kind) == "own"


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("Trained on", {"trained_on": " "}),
        ("Population of the training data", {"training": {"cohort": ""}}),
        ("Fingerprint of the data", {"training": {"data_sha256": "none"}}),
        ("Fingerprint of the code", {"training": {"code_sha256": None}}),
        ("Validation on people it had not seen", {"evaluation": {"out_of_fold": {"subgroups": {"sex": {}}}}}),
        ("Figures by group", {"evaluation": {"out_of_fold": {"all": {"people": 500}}}}),
    ],
)
def test_nor_while_the_version_itself_does_not_bring_what_the_card_needs(name, given):
    version = make_version(**{key: value for key, value in given.items() if key != "training"})
    version.parameters["training"] |= given.get("training", {})
    version.save()
    with pytest.raises(Invalid, match=f"not complete. Empty: {name}\\."):
        step(model_changes.propose, administrator("ada"), version_id=version.pk)


def test_the_name_of_a_shipped_model_cannot_be_taken():
    shipped = make_version(hazard_store.shipped_model().version)
    with pytest.raises(Invalid, match="name of its own"):
        step(model_changes.propose, administrator("ada"), version_id=shipped.pk)


def test_a_change_without_a_real_reason_is_refused():
    for words in ("", "   ", "ok", "x" * 501):
        with pytest.raises(Invalid, match="reason"):
            step(
                model_changes.propose, administrator(f"a{len(words)}"), version_id=make_version_once().pk, reason=words
            )


def make_version_once() -> ModelVersion:
    return ModelVersion.objects.filter(version="hazard-run-1").first() or make_version()


def test_a_shadow_begins_and_ends_and_serves_nobody():
    ada, version = administrator("ada"), make_version()
    step(model_changes.set_shadow, ada, version_id=version.pk, on=True)
    version.refresh_from_db()
    assert version.status == "shadow" and active() is None
    with pytest.raises(Conflict):
        step(model_changes.set_shadow, ada, version_id=version.pk, on=True)
    step(model_changes.set_shadow, ada, version_id=version.pk, on=False)
    assert ModelChange.objects.filter(status="done").count() == 2
