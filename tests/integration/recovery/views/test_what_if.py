"""The what-if page works by links and forms alone, keeps nothing but an audit row, and says what it will not answer."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from recovery.models import AuditEvent, Episode, Snapshot, Twin, User
from tests import factories
from tests.factories import Story

pytestmark = pytest.mark.django_db


@pytest.fixture
def ward(db):
    """One patient after open colectomy, six days on, with a twin and a snapshot, and her nurse."""
    now = timezone.now()
    team = factories.make_team()
    factories.make_ward(now, [Story("Ida", "Hartmann", "colectomy_open", 150.0, 1)], team)
    factories.make_person("nurse", team=team)
    return Episode.objects.get()


def page(client, episode, **asked):
    client.force_login(User.objects.get(username="nurse"))
    answer = client.get(reverse("what_if", kwargs={"key": episode.key}), asked, headers={"host": "localhost"})
    return answer, " ".join(answer.content.decode().split())


def test_the_questions_are_shown_with_their_evidence_before_any_is_asked(ward, client):
    answer, text = page(client, ward)
    assert answer.status_code == 200
    for words in ("Trial-based", "Observational", "Assumption", "Not a treatment recommendation", "0.60"):
        assert words in text
    assert not AuditEvent.objects.filter(action="what_if").exists()


def test_a_question_is_answered_with_both_distributions_and_its_evidence(ward, client):
    answer, text = page(client, ward, lever="walking", amount="10")
    drawn = answer.context["view"].answer.picture
    assert drawn.before90.startswith("M") and drawn.after != drawn.before
    assert " ".join(drawn.summary.split()) in text
    assert "in 100 people like this" in text and "fewer in 100" in text
    assert "Association in past patients, not proof" in text and "day 7" in text
    row = AuditEvent.objects.get(action="what_if")
    assert row.detail == {"lever": "walking", "amount": 10.0, "model": row.detail["model"], "answered": True}


def test_the_same_question_gives_the_same_picture_and_changes_nothing(ward, client):
    before = Twin.objects.get().state, Snapshot.objects.filter(current=True).get().content
    first, second = (page(client, ward, lever="beta_blocker", amount="10")[1] for _ in range(2))
    table = slice(first.index("<table>"), first.index("</table>"))
    assert first[table] == second[table]
    assert (Twin.objects.get().state, Snapshot.objects.filter(current=True).get().content) == before


@pytest.mark.parametrize("amount", ["21", "-1", "1e9"])
def test_an_amount_out_of_range_gives_no_number(ward, client, amount):
    _, text = page(client, ward, lever="walking", amount=amount)
    assert "No answer." in text and "0 to 20" in text and "<table" not in text
    assert AuditEvent.objects.get(action="what_if").detail["answered"] is False


@pytest.mark.parametrize(
    "asked", [{"lever": "surgery"}, {"lever": "walking", "amount": "much"}, {"lever": "walking", "amount": "nan"}]
)
def test_what_cannot_be_asked_is_a_plain_refusal(ward, client, asked):
    assert page(client, ward, **asked)[0].status_code == 400


def test_without_a_twin_every_question_is_closed_with_the_reason(client):
    team = factories.make_team()
    episode = factories.make_episode(team, ended=timezone.now() - timedelta(hours=30))
    factories.make_person("nurse", team=team)
    _, text = page(client, episode)
    assert text.count("Not for this patient now") == 4 and "has never been read" in text


def test_the_patients_page_says_what_would_tell_most_tonight(ward, client):
    client.force_login(User.objects.get(username="nurse"))
    text = client.get(reverse("patient", kwargs={"key": ward.key}), headers={"host": "localhost"}).content.decode()
    said = Snapshot.objects.filter(current=True).get().content["advice"]
    assert said and said[0]["label"] in text
    assert "What would tell most tonight" in text and "expected to remove" in text


def test_no_button_orders_anything_and_nothing_is_sent_but_a_question(ward, client):
    """Every form of the page asks by GET; what changes something (a POST) is only to sign out, or of the frame."""
    _, text = page(client, ward, lever="walking", amount="10")
    main = text[text.index("<main") : text.index("</main>")]
    assert 'method="post"' not in main
    assert set(re.findall(r"<button[^>]*>(.*?)</button>", main)) == {"Show"}
