"""The pathway editor: what is typed is read back, a wrong cell is named, a version is published once."""

from datetime import timedelta

import pytest
from django.http import QueryDict
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from recovery import forms_pathway
from recovery.audit import Actor
from recovery.exceptions import Conflict, Forbidden, Invalid
from recovery.models import Episode, EpisodeChange, Owed, Pathway, User
from recovery.pathway_plan import DEFAULT_PLAN, Plan
from recovery.selectors.pathways import pathway_of, versions_of
from recovery.services import enrolment, pathways
from recovery.services.pathways import Draft
from recovery.twin.alert_policy import DEFAULT_POLICY
from tests import factories

pytestmark = pytest.mark.django_db
SHIPPED = DEFAULT_POLICY.to_plain()


@pytest.fixture
def lead(scene) -> User:
    return factories.make_person("lead", "lead", team=scene.episode.team)


@pytest.fixture
def knee(scene) -> Pathway:
    pathway = enrolment.publish_pathway(
        key="knee",
        name="Knee",
        procedure="knee_replacement",
        days=30,
        policy=None,
        actor=factories.ACTOR,
        now=scene.now,
    )
    Episode.objects.update(pathway=pathway)
    return pathway


def form_of(draft: Draft, version: int) -> dict[str, object]:
    """What a browser sends for a draft that nobody has touched."""
    sent: dict[str, object] = {"base_version": version, "name": draft.name, "procedure": draft.procedure}
    sent |= {"key": draft.key, "days": draft.days, "budget": draft.content["budget"]}
    for shown in forms_pathway.shown(draft.content):
        for row in shown.rows:
            for cell in row:
                sent[cell.id] = list(cell.values) if cell.column.kind == "weekdays" else cell.value
    for rule in draft.policy["rules"]:
        sent[f"rule-{rule['cause']}-on"] = "on"
        for name in (*forms_pathway.RULE_NUMBERS, "severity"):
            sent[f"rule-{rule['cause']}-{name}"] = "" if rule[name] is None else rule[name]
    return sent


def as_post(sent: dict[str, object]) -> QueryDict:
    post = QueryDict(mutable=True)
    for key, value in sent.items():
        post.setlist(key, [str(one) for one in value] if isinstance(value, list) else [str(value)])
    return post


def draft(**over) -> Draft:
    given = {"key": "knee", "name": "Knee", "procedure": "knee_replacement", "days": 30}
    return Draft(**{**given, "policy": SHIPPED, "content": DEFAULT_PLAN.to_plain(), **over})


def test_an_untouched_form_reads_back_as_it_was():
    read = forms_pathway.read(as_post(form_of(draft(), 1)), SHIPPED["rules"], SHIPPED["version"])
    assert read.problems == {} and read.draft == draft()


@given(st.sets(st.integers(0, 365), min_size=1))
def test_days_read_back_as_they_were_written(days):
    assert set(forms_pathway.read_days(forms_pathway.days_text(sorted(days)))) == days


@pytest.mark.parametrize(
    ("cell", "typed", "said"),
    [
        ("check_ins-0-days", "14-1", "runs backwards"),
        ("check_ins-0-days", "1, soon", "is no day"),
        ("check_ins-0-time", "9 o'clock", "time of day"),
        ("check_ins-0-window_h", "long", "whole number"),
        ("milestones-0-label", "", "Write 1 to 120"),
        ("escalation-0-after_minutes", "0", "whole number from 1"),
        ("watch_hours-0-end", "07:00", "later than"),
        ("rule-news2-raise_at", "nan", "no number"),
        ("budget", "1e99", "no number"),
        ("days", "", "whole number"),
    ],
)
def test_a_wrong_cell_is_named_with_its_value_and_a_remedy(cell, typed, said):
    post = as_post(form_of(draft(), 1) | {cell: typed})
    read = forms_pathway.read(post, SHIPPED["rules"], SHIPPED["version"])
    assert read.draft is None and said in read.problems[cell]


def test_a_changed_limit_names_the_site_as_its_source_and_a_rule_can_be_off():
    sent = form_of(draft(), 1) | {"rule-news2-raise_at": "6"}
    del sent["rule-pain-on"]
    read = forms_pathway.read(as_post(sent), SHIPPED["rules"], SHIPPED["version"])
    rules = {rule["cause"]: rule for rule in read.draft.policy["rules"]}
    assert rules["news2"]["raise_at"] == 6 and rules["news2"]["source"].startswith("[site]")
    assert "pain" not in rules and rules["risk"]["source"] == next(
        rule["source"] for rule in SHIPPED["rules"] if rule["cause"] == "risk"
    )


def published(scene, user, wanted=None, base=1, move=False, note="later hours"):
    wanted = wanted or draft(content=DEFAULT_PLAN.to_plain() | {"budget": 2.0})
    return pathways.publish(
        draft=wanted,
        base_version=base,
        note=note,
        move_running=move,
        user=user,
        actor=Actor.of_user(user),
        now=scene.now,
    )


def test_a_new_version_leaves_running_patients_on_theirs(scene, knee, lead):
    new, moved = published(scene, lead)
    scene.episode.refresh_from_db()
    assert (new.version, moved, pathway_of(scene.episode).version) == (2, 0, 1)
    assert [one.running for one in versions_of("knee")] == [0, 2]
    assert Pathway.objects.get(active=True) == new


def test_a_lead_moves_those_of_their_teams_and_an_administrator_all(scene, knee, lead):
    _, moved = published(scene, lead, move=True)
    scene.episode.refresh_from_db()
    scene.foreign.refresh_from_db()
    assert (moved, scene.episode.pathway.version, scene.foreign.pathway.version) == (1, 2, 1)
    assert EpisodeChange.objects.get().what == "pathway" and Owed.objects.filter(key=scene.episode.pk).exists()
    again = draft(content=DEFAULT_PLAN.to_plain() | {"budget": 3.0})
    assert published(scene, scene.administrator, again, base=2, move=True)[1] == 2


def test_who_publishes_second_is_told_and_nothing_is_lost(scene, knee, lead):
    published(scene, scene.administrator)
    with pytest.raises(Conflict, match="by administrator while you edited version 1"):
        published(scene, lead, draft(days=20, content={**DEFAULT_PLAN.to_plain(), "check_ins": []}))
    assert Pathway.objects.count() == 2


@pytest.mark.parametrize("who", ["own", "patient"])
def test_only_leads_and_administrators_publish(scene, knee, who):
    with pytest.raises(Forbidden):
        published(scene, getattr(scene, who))


def test_nothing_new_a_missing_note_and_a_plan_beyond_its_days_are_refused(scene, knee, lead):
    with pytest.raises(Conflict, match="Nothing has changed"):
        published(scene, lead, draft())
    with pytest.raises(Invalid, match="note"):
        published(scene, lead, note=" ")
    with pytest.raises(Invalid, match="ends on day 10"):
        published(scene, lead, draft(days=10))
    with pytest.raises(Invalid, match="key"):
        published(scene, lead, draft(key="new"), base=0)


def test_edited_previewed_and_published_by_hand(scene, knee, lead):
    client = scene.client("own")
    client.force_login(lead)
    url = reverse("pathway_edit", kwargs={"slug": "knee"})
    assert client.get(url).status_code == 200
    sent = {key: value for key, value in form_of(draft(), 1).items()} | {"patient_sees_numbers": "on"}
    preview = client.post(url, {**sent, "do": "preview"})
    text = preview.content.decode()
    assert preview.status_code == 200 and "words" in text and "Publish version 2" in text
    assert Pathway.objects.count() == 1
    wrong = client.post(url, {**sent, "check_ins-0-time": "late", "do": "publish", "note": "x"})
    assert wrong.status_code == 422 and 'value="late"' in wrong.content.decode()
    done = client.post(url, {**sent, "do": "publish", "note": "patients asked for numbers"}, follow=True)
    page = done.content.decode()
    assert done.status_code == 200 and "patients asked for numbers" in page and "Patient sees" in page
    assert Plan.from_plain(Pathway.objects.get(active=True).content).patient_sees_numbers
    late = client.post(url, {**sent, "base_version": 1, "do": "publish", "note": "again"})
    assert late.status_code == 409 and "Compare and edit that one" in late.content.decode()


def test_a_first_pathway_is_made_and_takes_no_key_twice(scene, lead):
    client = scene.client("own")
    client.force_login(lead)
    sent = form_of(draft(key="hip", name="Hip", procedure="hip_replacement"), 0) | {"do": "publish", "note": "first"}
    assert client.post(reverse("pathway_new"), sent).status_code == 302
    again = client.post(reverse("pathway_new"), sent)
    assert again.status_code == 409 and "Choose another key" in again.content.decode()
    assert Pathway.objects.get().published_at - scene.now < timedelta(minutes=5)
