"""Training on the unit's own operations: asked by a steward, gone on with by any worker, serving nobody by itself."""

import json
import uuid
from datetime import timedelta
from importlib import import_module

import numpy as np
import pytest
from django.apps import apps
from django.db import OperationalError
from django.db.models import F
from django.utils import timezone

from recovery.audit import Actor
from recovery.exceptions import Conflict, Forbidden, Invalid
from recovery.models import (
    AuditEvent,
    Batch,
    Episode,
    Finding,
    ModelVersion,
    Patient,
    Sample,
    Series,
    Team,
    TrainingPart,
    TrainingRun,
    User,
)
from recovery.services import (
    model_changes,
    served_models,
    training,
    training_hazard,
    training_hypotheses,
    training_shared,
    training_steps,
)
from recovery.services.training_cases import case_of, eligible
from recovery.twin import fit_run, hazard_store, hypotheses_store
from recovery.twin.cold_start import cold_start
from recovery.twin.params import PopulationParams
from tests import factories

pytestmark = pytest.mark.django_db
NOW = timezone.now().replace(minute=10, second=0, microsecond=0)
SINCE, UNTIL = NOW - timedelta(days=200), NOW - timedelta(days=1)


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """A few dozen operations stand for hundreds."""
    monkeypatch.setattr(training_shared, "FEWEST_EVENTS", 8)
    monkeypatch.setattr(training_shared, "FEWEST_FREE", 8)
    monkeypatch.setattr(training_steps, "FEWEST_OPERATIONS", 20)
    monkeypatch.setattr(training_shared, "SLICE", 9)
    monkeypatch.setattr(training_hazard, "LANDMARKS", [24.0, 48.0, 96.0])
    monkeypatch.setattr(training_hypotheses, "LOOKS", [float(hour) for hour in range(6, 168, 6)])
    monkeypatch.setattr(training, "WORK_FOR", timedelta(0))  # one step a call
    rows = (served_models._hazard, served_models._population, served_models._hypotheses)
    for remembered in (training_shared.joined, *rows):
        remembered.cache_clear()  # by row id, which the next test's database gives again


def ward(n: int = 30, *, ill_every: int = 3, ended=None, hours: int = 60) -> list[Episode]:
    """n operations with two days of hourly heart rates; every third falls ill on day 6."""
    teams = factories.make_team(), factories.make_team("ward-9", "Ward 9")
    rng = np.random.default_rng(4)
    made = []
    for i in range(n):
        end = ended or NOW - timedelta(days=120 - i)
        episode = factories.make_episode(teams[i % 5 == 0], key=f"p{i}", ended=end, sex="female" if i % 2 else "male")
        read(episode, 80.0 + rng.normal(0, 3, hours) + 6 * (i % ill_every == 0), end)
        if i % ill_every == 0:
            diagnose(episode, f"c{i}", 6.0)
        made.append(episode)
    return made


def read(episode: Episode, values, end, *, received=None) -> None:
    received = received or end + timedelta(days=3)
    batch = Batch.objects.create(channel="test", received_at=received)
    series = Series.objects.create(
        patient=episode.patient, metric="heart_rate", code="8867-4", shape="number", template_hash="h"
    )
    zero = int(end.timestamp() * 1000)
    Sample.objects.bulk_create(
        Sample(series=series, at_ms=zero + (hour - 12) * 3_600_000, value=round(float(value), 1), digits=1, batch=batch)
        for hour, value in enumerate(values)
    )


def diagnose(episode: Episode, key: str, days: float) -> None:
    at = episode.surgery_end + timedelta(days=days)
    Finding.objects.create(
        patient=episode.patient,
        document_type="Condition",
        fhir_id=key,
        kind="complication",
        key="ssi",
        onset_at=at - timedelta(days=1),
        recorded_at=at,
    )


def steward(name: str = "ada") -> User:
    return User.objects.filter(username=name).first() or factories.make_person(name, "administrator")


def ask(kind: str = "hazard", **given) -> TrainingRun:
    user = given.pop("user", None) or steward()
    window = {"since": SINCE, "until": UNTIL} | given
    return training.ask(kind=kind, user=user, actor=Actor.of_user(user), now=NOW, **window)


def work(run: TrainingRun, most: int = 400) -> TrainingRun:
    at = NOW
    for _ in range(most):
        at += timedelta(seconds=1)
        if not training.train_owed(clock=lambda at=at: at):
            break
    run.refresh_from_db()
    return run


def test_a_risk_model_is_made_judged_and_serves_nobody():
    ward()
    run = work(ask())
    assert (run.status, run.progress) == ("done", 100), run.words
    model = hazard_store.from_plain(run.version.parameters)
    assert model.version == run.version.version == f"hazard-own-{run.pk}"
    assert model.training["patients"] == 30 and model.training["synthetic"]
    assert "synthetic patients" in model.evidence
    assert run.version.evaluation["out_of_fold"]["all"]["people"] == 30
    assert run.version.status == "draft" and served_models.hazard().version != model.version
    assert not TrainingPart.objects.exists()
    assert set(AuditEvent.objects.values_list("action", flat=True)) == {"training_asked", "model_trained"}


def test_what_it_made_can_be_promoted_by_two_people():
    ward()
    version = work(ask()).version
    one, two = steward("ada"), steward("ben")
    why = "Calibrated on our own patients"
    change = model_changes.propose(version_id=version.pk, reason=why, user=one, actor=Actor.of_user(one), now=NOW)
    model_changes.approve(change_id=change.pk, reason=why, user=two, actor=Actor.of_user(two), now=NOW)
    assert served_models.hazard().version == version.version


def series_of(*patients: int) -> list[int]:
    """Asked beforehand: samples have no id, and PostgreSQL joined a change by its four columns for minutes."""
    return list(Series.objects.filter(patient_id__in=patients).values_list("pk", flat=True))


def with_a_pulse_before_the_diagnosis(n: int = 30, **given) -> list[Episode]:
    """As `ward`, a week of readings; the pulse of those who fall ill is twenty higher from the onset on."""
    made = ward(n, hours=180, **given)
    for episode in made[::3]:
        onset = int(episode.surgery_end.timestamp() * 1000) + 120 * 3_600_000
        late = Sample.objects.filter(series_id__in=series_of(episode.patient_id), at_ms__gte=onset)
        late.update(value=F("value") + 20.0)
    return made


def test_named_causes_are_learned_judged_on_unseen_patients_and_serve_nobody():
    with_a_pulse_before_the_diagnosis()
    run = work(ask("hypotheses"))
    assert (run.status, run.progress) == ("done", 100), run.words
    model = hypotheses_store.from_plain(run.version.parameters)
    assert model.version == run.version.version == f"hypotheses-own-{run.pk}"
    assert model.twin_version == served_models.population().version
    assert model.training["causes"]["ssi"] == 10 and model.training["causes"]["leak"] == 0
    assert model.training["risk_version"] == served_models.hazard().version
    assert "ssi" in model.signatures and "leak" not in model.signatures
    assert max(model.signatures["ssi"].shifts["heart_rate"]) > 1.0
    told = run.version.evaluation["out_of_fold"]["all"]
    assert (told["people"], told["events"]) == (30, 10)
    assert told["auroc"]["value"] > 0.9
    assert "synthetic patients" in model.evidence and "synthetic patients" in model.signatures["ssi"].source
    assert run.version.status == "draft" and served_models.in_use().hypotheses.version != model.version
    assert not TrainingPart.objects.exists()


def test_causes_learned_here_are_served_once_two_people_say_so():
    with_a_pulse_before_the_diagnosis()
    version = work(ask("hypotheses")).version
    one, two = steward("ada"), steward("ben")
    why = "Names what our own patients had"
    change = model_changes.propose(version_id=version.pk, reason=why, user=one, actor=Actor.of_user(one), now=NOW)
    model_changes.approve(change_id=change.pk, reason=why, user=two, actor=Actor.of_user(two), now=NOW)
    assert served_models.in_use().hypotheses.version == version.version


def test_causes_held_back_are_judged_but_never_learned_from():
    with_a_pulse_before_the_diagnosis(40)
    run = work(ask("hypotheses", held_out=Team.objects.get(key="ward-9").pk))
    assert run.status == "done", run.words
    assert run.version.parameters["training"]["patients"] == 32
    assert run.version.evaluation["out_of_fold"]["all"]["people"] == 32
    assert run.version.evaluation["held_out"]["all"] is None  # 8 people: fewer than may be shown


def test_causes_are_not_learned_where_no_onset_was_recorded_before_the_diagnosis():
    with_a_pulse_before_the_diagnosis()
    Finding.objects.filter(kind="complication").update(onset_at=F("recorded_at"))
    run = work(ask("hypotheses"))
    assert run.status == "refused" and "the onset must be recorded" in run.words


def test_causes_are_not_learned_from_patients_without_readings():
    made = with_a_pulse_before_the_diagnosis()
    Sample.objects.filter(series_id__in=series_of(*(one.patient_id for one in made[::3]))).delete()
    run = work(ask("hypotheses"))
    assert run.status == "refused" and "0 with" in run.words


def test_an_onset_from_before_the_operation_counts_as_not_known():
    made = with_a_pulse_before_the_diagnosis()
    Finding.objects.filter(patient=made[0].patient).update(onset_at=made[0].surgery_end - timedelta(days=300))
    assert case_of(Episode.objects.get(pk=made[0].pk)).diagnoses == [(144.0, 144.0, "ssi")]
    run = work(ask("hypotheses"))
    assert run.status == "done" and run.version.parameters["training"]["causes"]["ssi"] == 9


def test_only_complications_seen_under_way_are_counted_and_only_those_are_named():
    made = with_a_pulse_before_the_diagnosis()
    for episode in made[::3]:  # a second one, whose onset nobody recorded
        at = episode.surgery_end + timedelta(days=6.5)
        Finding.objects.create(
            patient=episode.patient,
            document_type="Condition",
            fhir_id=f"p{episode.pk}",
            kind="complication",
            key="pneumonia",
            recorded_at=at,
        )
    training_said = work(ask("hypotheses")).version.parameters["training"]
    assert (training_said["causes"]["ssi"], training_said["causes"]["pneumonia"]) == (10, 0)
    assert training_said["named"] == ["ssi"]


def test_causes_are_learned_from_the_newest_operations_and_what_is_held_back_takes_no_place(monkeypatch):
    monkeypatch.setattr(training_hypotheses, "MOST_OPERATIONS", 25)
    late = with_a_pulse_before_the_diagnosis(30)
    run = ask("hypotheses")
    training.train_owed(clock=lambda: NOW)
    run.refresh_from_db()
    newest = sorted(Episode.objects.order_by("-surgery_end").values_list("pk", flat=True)[:25])
    assert sorted(run.state["keys"]) == newest
    archive = Episode.objects.filter(pk__in=[one.pk for one in late[20:]])
    for number, one in enumerate(archive):  # those with the highest row ids become the oldest
        Episode.objects.filter(pk=one.pk).update(surgery_end=NOW - timedelta(days=190 - number))
    TrainingRun.objects.all().delete()
    run = ask("hypotheses", cut_at=NOW - timedelta(days=110))
    training.train_owed(clock=lambda: NOW + timedelta(seconds=1))
    run.refresh_from_db()
    assert (
        len(run.state["held"]) == 5
        and len(run.state["keys"]) - 5 == Episode.objects.filter(surgery_end__lt=NOW - timedelta(days=110)).count()
    )


def test_a_patient_of_two_operations_is_in_one_fold_and_never_held_back_and_learned_from():
    made = with_a_pulse_before_the_diagnosis(60)
    for episode in made[:40]:
        given = {
            one.attname: getattr(episode, one.attname) for one in Episode._meta.concrete_fields if one.name != "id"
        }
        given |= {"key": uuid.uuid4(), "fhir_id": f"again-{episode.pk}"}
        Episode.objects.create(**given | {"surgery_end": episode.surgery_end + timedelta(days=12)})
    run = ask("hypotheses", cut_at=made[40].surgery_end)
    at = NOW
    while run.state.get("stage") != "weigh_fold":
        at += timedelta(seconds=1)
        training.train_owed(clock=lambda at=at: at)
        run.refresh_from_db()
        assert run.status == "running", run.words
    found, learn = training_hypotheses._looks(run)
    who = found.people[found.looks.patient]
    assert not set(who[learn]) & set(who[~learn])
    folds = fit_run.fold_of(who, run.seed)
    assert all(len(set(folds[who == one])) == 1 for one in set(who))
    assert max(np.unique(found.people, return_counts=True)[1]) == 2


def test_a_risk_model_in_training_across_the_upgrade_begins_anew_under_the_courses_in_service():
    ward()
    plain = cold_start().to_plain() | {"version": "ours"}
    ours = ModelVersion.objects.create(
        kind="population", version="ours", parameters=plain, trained_on="x", status="active", created_at=NOW
    )
    run = ask("hazard")
    for seconds in range(3):
        training.train_owed(clock=lambda at=NOW + timedelta(seconds=seconds): at)
    run.refresh_from_db()
    old = {name: value for name, value in run.state.items() if name != "held_people"}
    TrainingRun.objects.update(
        under=None, state=old, claimed_until=NOW + timedelta(days=1)
    )  # as a release before left it
    assert TrainingPart.objects.exists()
    upgrade = import_module("recovery.migrations.0032_learned_under_which_course")
    upgrade.risk_models_in_training_begin_anew(apps, None)
    run.refresh_from_db()
    assert (run.under, run.state, run.progress, run.claimed_until) == (
        ours,
        {},
        0,
        None,
    ) and not TrainingPart.objects.exists()
    run = work(run)
    assert run.status == "done", run.words
    assert run.version.parameters["training"]["twin_version"] == "ours"


def test_another_risk_model_in_service_ends_the_learning_of_causes():
    with_a_pulse_before_the_diagnosis()
    run = ask("hypotheses")
    at = NOW
    while run.state.get("stage") != "weigh_fold":
        at += timedelta(seconds=1)
        training.train_owed(clock=lambda at=at: at)
        run.refresh_from_db()
    plain = hazard_store.to_plain(hazard_store.shipped_model()) | {"version": "other"}
    ModelVersion.objects.create(
        kind="hazard", version="other", parameters=plain, trained_on="x", status="active", created_at=NOW
    )
    run = work(run)
    assert run.status == "refused" and "went into service meanwhile" in run.words


def test_causes_may_be_learned_under_courses_that_are_not_in_service_yet():
    with_a_pulse_before_the_diagnosis()
    plain = cold_start().to_plain() | {"version": "courses-of-ours"}
    ours = ModelVersion.objects.create(
        kind="population", version="courses-of-ours", parameters=plain, trained_on="x", created_at=NOW
    )
    run = work(ask("hypotheses", under=ours.pk))
    assert run.status == "done", run.words
    assert run.version.parameters["twin_version"] == "courses-of-ours"
    user = steward()
    words = {"reason": "Names what ours had", "user": user, "actor": Actor.of_user(user), "now": NOW}
    with pytest.raises(Invalid, match="courses-of-ours"):
        model_changes.set_shadow(version_id=run.version.pk, on=True, **words)
    assert ask("hazard", under=ours.pk).under == ours


def test_expected_courses_are_learned_and_judged_on_operations_held_back(monkeypatch):
    from recovery.twin import fit_em, fit_population

    monkeypatch.setattr(fit_em, "FEWEST_PATIENTS", 10)
    monkeypatch.setattr(fit_population.begin, "__defaults__", (None, 10))
    monkeypatch.setattr(fit_population, "ITERATIONS", 2)
    ward(ill_every=100, hours=288)
    run = work(ask("population"))
    assert run.status == "done", run.words
    found = PopulationParams.from_plain(run.version.parameters)
    assert found.version == f"population-own-{run.pk}" and found.trained_on["synthetic"]
    measures = run.version.evaluation["held_out"]["measures"]
    assert run.version.evaluation["held_out"]["operations"] == 6
    assert measures["heart_rate"]["readings"] == 6 * 288 and 0.7 < measures["heart_rate"]["coverage90"] <= 1


def test_a_killed_worker_costs_one_step_and_the_result_is_the_same():
    ward()
    undisturbed = work(ask()).version.parameters
    again = ask()
    at = NOW + timedelta(hours=1)
    for step in range(400):
        at += timedelta(seconds=400)
        if step % 3 == 0:  # a worker that took the run and died: its claim must run out
            TrainingRun.objects.filter(pk=again.pk).update(claimed_until=at + timedelta(seconds=100))
            assert training.train_owed(clock=lambda at=at: at) == 0
            training_shared.joined.cache_clear()
            continue
        if not training.train_owed(clock=lambda at=at: at):
            break
    again.refresh_from_db()
    assert again.status == "done"
    same = {"effects", "features", "baselines", "fade_hours"}
    assert {k: again.version.parameters[k] for k in same} == {k: undisturbed[k] for k in same}


def test_a_run_that_kills_its_workers_is_given_up(monkeypatch):
    ward()
    run = ask()
    TrainingRun.objects.filter(pk=run.pk).update(attempts=training.MOST_ATTEMPTS)
    assert work(run).status == "failed" and "Given up" in run.words


def test_a_step_that_fails_ends_the_run_with_words_and_without_a_version(monkeypatch):
    ward()
    monkeypatch.setitem(training_steps.STAGES, "check", lambda run: 1 / 0)
    run = work(ask())
    assert run.status == "failed" and "ZeroDivisionError" in run.words
    assert not ModelVersion.objects.exists() and not TrainingPart.objects.exists()


def test_a_database_that_was_away_costs_only_the_step(monkeypatch):
    ward()
    run, gather = ask(), training_steps.STAGES["gather"]
    training.train_owed(clock=lambda: NOW)

    def away(_):
        raise OperationalError("the connection was closed")

    monkeypatch.setitem(training_steps.STAGES, "gather", away)
    with pytest.raises(OperationalError):
        training.train_owed(clock=lambda: NOW + timedelta(seconds=1))
    monkeypatch.setitem(training_steps.STAGES, "gather", gather)
    assert not training.train_owed(clock=lambda: NOW + timedelta(seconds=2))  # its claim still stands
    assert training.train_owed(clock=lambda: NOW + timedelta(seconds=400)) == 1
    run.refresh_from_db()
    assert run.status == "running" and run.state["next"] == 1


def test_too_few_operations_are_refused_with_what_is_missing():
    ward(12)
    run = work(ask())
    assert run.status == "refused" and "there are 12" in run.words


def test_too_few_events_are_refused_with_what_is_missing():
    ward(30, ill_every=15)
    run = work(ask())
    assert run.status == "refused" and "2 with and 28 without" in run.words
    assert training_shared.joined.cache_info().currsize == 0  # what was gathered takes no memory any more


def test_operations_without_complete_follow_up_and_cancelled_ones_are_not_taken():
    episodes = ward(4)
    late = factories.make_episode(key="late", ended=UNTIL - timedelta(days=29))
    Episode.objects.filter(pk=episodes[0].pk).update(status="cancelled")
    Patient.objects.filter(pk=episodes[1].patient_id).update(deleted_at=NOW)
    assert set(eligible(SINCE, UNTIL)) == set(episodes[2:])
    assert late not in eligible(SINCE, UNTIL)


def test_what_a_site_holds_back_is_judged_but_never_learned_from():
    ward(40)
    run = work(ask(held_out=Team.objects.get(key="ward-9").pk))
    assert run.status == "done", run.words
    assert run.version.parameters["training"]["patients"] == 32
    assert run.version.evaluation["held_out"]["all"] is None  # 8 people: fewer than may be shown
    assert run.version.evaluation["out_of_fold"]["all"]["people"] == 32


def test_what_came_after_the_cut_is_judged_but_never_learned_from():
    ward(60)
    run = work(ask(cut_at=NOW - timedelta(days=85)))
    assert run.status == "done", run.words
    assert run.version.parameters["training"]["patients"] == 36 - 1
    assert run.version.evaluation["held_out"]["all"]["people"] == 25


def test_a_run_is_cancelled_at_once_when_nobody_holds_it_and_after_its_step_otherwise():
    ward()
    user = steward()
    run = ask()
    training.cancel(run_id=run.pk, user=user, actor=Actor.of_user(user), now=NOW)
    run.refresh_from_db()
    assert run.status == "cancelled"
    with pytest.raises(Conflict, match="ended"):
        training.cancel(run_id=run.pk, user=user, actor=Actor.of_user(user), now=NOW)
    other = ask()
    TrainingRun.objects.filter(pk=other.pk).update(status="running", claimed_until=NOW + timedelta(seconds=5))
    training.cancel(run_id=other.pk, user=user, actor=Actor.of_user(user), now=NOW)
    other.refresh_from_db()
    assert other.status == "running"
    TrainingRun.objects.filter(pk=other.pk).update(claimed_until=None)
    assert work(other).status == "cancelled" and not ModelVersion.objects.exists()


def test_one_training_of_a_kind_is_open_at_a_time():
    ask()
    with pytest.raises(Conflict, match="under way"):
        ask()
    ask("population")


def test_only_administrators_and_stewards_train():
    for name, role in (("c", "clinician"), ("l", "lead"), ("p", "patient")):
        with pytest.raises(Forbidden):
            ask(user=factories.make_person(name, role))
    ask(user=factories.make_person("s", "clinician", is_model_steward=True))


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"since": UNTIL, "until": SINCE}, "until"),
        ({"until": NOW + timedelta(days=1)}, "until"),
        ({"since": NOW - timedelta(days=9000)}, "since"),
        ({"cut_at": SINCE}, "cut_at"),
        ({"held_out": 999_999}, "held_out"),
        ({"kind": "detector"}, "kind"),
        ({"kind": "hypotheses", "under": 999_999}, "under"),
        ({"kind": "population", "under": 1}, "under"),
    ],
)
def test_what_makes_no_sense_is_refused_by_field(given, field):
    with pytest.raises(Invalid) as refused:
        ask(given.pop("kind", "hazard"), **given)
    assert refused.value.field == field


def test_a_case_knows_what_arrived_when_and_an_archive_counts_as_arriving_when_taken():
    (episode,) = ward(1)
    case = case_of(episode)
    np.testing.assert_allclose(case.arrived["heart_rate"], 72.0)
    assert case.diagnoses == [(144.0, 120.0, "ssi")]
    other = factories.make_episode(key="old", ended=NOW - timedelta(days=100))
    read(other, [80.0] * 5, other.surgery_end, received=NOW)
    archived = case_of(other)
    np.testing.assert_allclose(archived.arrived["heart_rate"], archived.samples["heart_rate"].hours)


def test_history_recorded_after_the_operation_does_not_leak_into_the_inputs():
    (episode,) = ward(1)
    for key, days in (("diabetes", -30), ("atrial_fibrillation", 5)):
        Finding.objects.create(
            patient=episode.patient,
            document_type="Condition",
            fhir_id=key,
            kind="comorbidity",
            key=key,
            recorded_at=episode.surgery_end + timedelta(days=days),
        )
    factors = case_of(episode).factors
    assert factors.diabetes is True and factors.atrial_fibrillation is False


def test_the_state_between_steps_is_plain_json():
    ward()
    run = ask()
    at = NOW
    for _ in range(8):
        at += timedelta(seconds=1)
        training.train_owed(clock=lambda at=at: at)
        run.refresh_from_db()
        json.dumps(run.state)
