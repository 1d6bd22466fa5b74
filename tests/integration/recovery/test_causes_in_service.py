"""Named causes serve only beside the expected courses under which they were learned, and say so when they do not."""

import threading
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connections
from django.urls import reverse
from django.utils import timezone

from integrations.backtest.served import served as served_by_a_backtest
from recovery.exceptions import Conflict, Invalid
from recovery.models import AuditEvent, ModelChange, ModelVersion, Owed
from recovery.presenters.models import models_view
from recovery.selectors.models import models_page
from recovery.services import model_changes, model_report, served_models
from recovery.twin.cold_start import cold_start
from recovery.twin.hypotheses_store import shipped_for
from tests import factories
from tests.integration.recovery.test_alert_races import shared  # noqa: F401
from tests.integration.recovery.test_model_changes import (
    TRAINING,
    active,
    administrator,
    make_version,
    nothing_remembered,  # noqa: F401
    promote,
    step,
)

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def causes(name: str, course: str) -> ModelVersion:
    """Named causes that were learned under the expected courses called `course`."""
    version = make_version(name, "hypotheses")
    version.parameters |= {"twin_version": course, "training": TRAINING | {"twin_version": course}}
    version.save(update_fields=["parameters"])
    return version


def test_named_causes_go_into_service_by_two_people_and_back_to_those_shipped():
    ada, ben = administrator("ada"), administrator("ben")
    episode = factories.make_episode(ended=NOW - timedelta(days=3))
    promote(make_version("causes-1", "hypotheses"), ada, ben)
    assert served_models.in_use().hypotheses.version == "causes-1"
    assert list(Owed.objects.values_list("key", flat=True)) == [episode.pk]
    step(model_changes.roll_back, ada, kind="hypotheses")
    assert served_models.in_use().hypotheses.version == shipped_for(cold_start().version).version


def test_causes_learned_under_other_courses_cannot_serve():
    ada, ben = administrator("ada"), administrator("ben")
    change = step(model_changes.propose, ada, version_id=causes("causes-1", "population-1").pk)
    with pytest.raises(Invalid, match="learned under the expected courses population-1"):
        step(model_changes.approve, ben, change_id=change.pk)
    assert active("hypotheses") is None


def test_courses_and_the_causes_learned_under_them_may_be_proposed_together():
    ada, ben = administrator("ada"), administrator("ben")
    courses = make_version("population-1", "population")
    both = [
        step(model_changes.propose, ada, version_id=one.pk) for one in (courses, causes("causes-1", "population-1"))
    ]
    for change in both:
        step(model_changes.approve, ben, change_id=change.pk)
    served = served_models.in_use()
    assert (served.population.version, served.hypotheses.version) == ("population-1", "causes-1")


def test_causes_go_out_of_service_with_their_courses_and_come_back_with_them():
    ada, ben = administrator("ada"), administrator("ben")
    promote(make_version("population-1", "population"), ada, ben)
    promote(causes("causes-1", "population-1"), ada, ben)
    promote(make_version("population-2", "population"), ada, ben)
    assert active("hypotheses") is None and served_models.in_use().hypotheses is None
    step(model_changes.roll_back, ada, kind="population")
    assert active("hypotheses") == "causes-1" and served_models.in_use().hypotheses.version == "causes-1"
    followed = ModelChange.objects.filter(kind="hypotheses", action="follow").order_by("pk")
    assert [(one.version and one.version.version, one.replaced and one.replaced.version) for one in followed] == [
        (None, "causes-1"),
        ("causes-1", None),
    ]
    assert AuditEvent.objects.filter(action="model_followed").count() == 2


@pytest.mark.parametrize("why", ["Too many alarms since Monday", "Goes with its expected courses: useless here"])
def test_causes_that_a_person_took_out_of_service_do_not_come_back_by_themselves(why):
    ada, ben = administrator("ada"), administrator("ben")
    promote(make_version("population-1", "population"), ada, ben)
    promote(causes("causes-1", "population-1"), ada, ben)
    step(model_changes.roll_back, ada, kind="hypotheses", reason=why)
    promote(make_version("population-2", "population"), ada, ben)
    step(model_changes.roll_back, ada, kind="population")
    assert active("hypotheses") is None


def test_going_back_from_causes_serves_none_that_were_learned_under_other_courses():
    ada, ben = administrator("ada"), administrator("ben")
    promote(make_version("causes-0", "hypotheses"), ada, ben)  # under the courses shipped with the product
    promote(make_version("population-1", "population"), ada, ben)
    promote(causes("causes-1", "population-1"), ada, ben)
    ModelChange.objects.filter(version__version="causes-1").update(
        replaced=ModelVersion.objects.get(version="causes-0")  # as two approvals at once could have left it
    )
    step(model_changes.roll_back, ada, kind="hypotheses")
    assert active("hypotheses") is None


def test_causes_that_came_back_meanwhile_are_not_put_into_service_a_second_time():
    ada, ben = administrator("ada"), administrator("ben")
    promote(make_version("population-1", "population"), ada, ben)
    version = causes("causes-1", "population-1")
    promote(version, ada, ben)
    promote(make_version("population-2", "population"), ada, ben)
    again = step(model_changes.propose, ada, version_id=version.pk)
    step(model_changes.roll_back, ada, kind="population")
    with pytest.raises(Conflict, match="went into service meanwhile"):
        step(model_changes.approve, ben, change_id=again.pk)
    assert step(model_changes.refuse, ben, change_id=again.pk).status == "refused"
    step(model_changes.roll_back, ada, kind="hypotheses")
    assert active("hypotheses") is None


def test_causes_of_a_format_that_is_no_longer_read_do_not_come_back():
    ada, ben = administrator("ada"), administrator("ben")
    promote(make_version("population-1", "population"), ada, ben)
    version = causes("causes-1", "population-1")
    promote(version, ada, ben)
    promote(make_version("population-2", "population"), ada, ben)
    ModelVersion.objects.filter(pk=version.pk).update(parameters=version.parameters | {"format": 0})
    step(model_changes.roll_back, ada, kind="population")
    assert active("hypotheses") is None and served_models.in_use().hypotheses is None


@pytest.mark.django_db(transaction=True)
def test_courses_cannot_change_while_causes_that_fit_them_go_into_service(shared, monkeypatch):  # noqa: F811
    """Two approvals at once: on PostgreSQL one waits for the other, on SQLite one writes at a time anyway."""
    ada, ben = administrator("ada"), administrator("ben")
    promote(make_version("population-1", "population"), ada, ben)
    courses = step(model_changes.propose, ada, version_id=make_version("population-2", "population").pk)
    found = step(model_changes.propose, ada, version_id=causes("causes-1", "population-1").pk)
    checked, started, real = threading.Event(), threading.Event(), model_changes.check_fits_its_courses

    def slowly(version):
        real(version)
        if version.kind == "hypotheses":
            checked.set()
            started.wait(20)
            other.join(1.0)  # it must not get through in the meantime

    def approve(change):
        try:
            step(model_changes.approve, ben, change_id=change.pk)
        finally:
            connections.close_all()

    monkeypatch.setattr(model_changes, "check_fits_its_courses", slowly)
    first = threading.Thread(target=approve, args=(found,))
    other = threading.Thread(target=approve, args=(courses,))
    first.start()
    assert checked.wait(20)
    other.start()
    started.set()
    first.join(20)
    other.join(20)
    assert active("population") == "population-2" and active("hypotheses") is None


def test_the_page_says_in_service_only_of_causes_that_speak():
    ada, ben = administrator("ada"), administrator("ben")
    promote(make_version("population-1", "population"), ada, ben)
    promote(causes("causes-1", "population-1"), ada, ben)
    assert told("ada")["Named causes"] == ("causes-1", "In service")
    promote(make_version("population-2", "population"), ada, ben)
    assert told("ada")["Named causes"] == ("none", "Silent")
    ModelVersion.objects.filter(version="causes-1").update(status="active")  # by whatever way
    assert told("ada")["Named causes"] == ("none", "Silent")


def told(name: str) -> dict[str, tuple[str, str]]:
    user = administrator_of(name)
    return {
        one.label: (one.version.version, one.version.status_word)
        for one in models_view(models_page(user), ZoneInfo("UTC")).served
    }


def administrator_of(name: str):
    return ModelChange.objects.filter(asked_name=name).first().asked_by


def test_the_change_that_followed_and_going_back_to_nothing_are_told(client):
    ada, ben = administrator("ada"), administrator("ben")
    promote(make_version("population-1", "population"), ada, ben)
    promote(causes("causes-1", "population-1"), ada, ben)
    client.force_login(ada)
    given = {"reason": "Too many alarms since Monday"}
    page = client.post(reverse("model_back", args=["hypotheses"]), given, follow=True).content.decode()
    assert "No causes serve now" in page and "none serve since" in page


def test_causes_that_followed_their_courses_are_told_so_in_the_history(client):
    ada, ben = administrator("ada"), administrator("ben")
    promote(make_version("population-1", "population"), ada, ben)
    promote(causes("causes-1", "population-1"), ada, ben)
    promote(make_version("population-2", "population"), ada, ben)
    step(model_changes.roll_back, ada, kind="population")
    client.force_login(ada)
    page = client.get(reverse("models")).content.decode()
    assert "causes-1 out of service with its expected course" in page
    assert "causes-1 back into service with its expected course" in page
    assert "in service with its expected courses, changed by ada" in page


def test_a_report_names_the_causes_and_judges_no_others(monkeypatch):
    ada, ben = administrator("ada"), administrator("ben")
    promote(make_version("causes-1", "hypotheses"), ada, ben)
    assert model_report.figures(NOW)[1]["hypotheses"] == "causes-1"
    served = model_report.Spoken("hazard-1", "causes-1")
    rows = {one: factory_row(version, one) for version, one in (("hazard-1", "causes-1"), ("hazard-1", "causes-0"))}
    assert served.by(rows["causes-1"]) and not served.by(rows["causes-0"])
    assert served.by(factory_row("hazard-1", "")) and not served.by(factory_row("hazard-0", "causes-1"))


def factory_row(version: str, causes: str):
    """A landmark row of which only the versions are asked."""
    from types import SimpleNamespace

    return SimpleNamespace(version=version, causes=causes)


def test_a_backtest_of_causes_uses_the_courses_and_the_risk_model_they_were_learned_with():
    plain = make_version("hazard-1"), make_version("population-1", "population")
    version = causes("causes-1", "population-1")
    version.parameters["training"] |= {"risk_version": "hazard-1"}
    version.save()
    found = served_by_a_backtest("causes-1")
    assert (found.hazard.version, found.population.version) == tuple(one.version for one in plain)
    assert found.hypotheses.version == "causes-1"
