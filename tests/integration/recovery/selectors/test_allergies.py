"""Allergies as the record has them: what holds, what is over, and that silence is never taken for "none"."""

import pytest
from django.urls import reverse
from django.utils import timezone

from recovery.audit import Actor
from recovery.ports import ports
from recovery.presenters.allergies import allergy_strip, allergy_words
from recovery.selectors.allergies import allergies_of, read_allergies
from recovery.services.ingestion import deliver
from tests import factories

pytestmark = pytest.mark.django_db
SNOMED = "http://snomed.info/sct"
STATUS = "http://terminology.hl7.org/CodeSystem/allergyintolerance-"


def allergy(name, *, code="", verification="confirmed", clinical="active", **more):
    said = {"resourceType": "AllergyIntolerance", "patient": {"reference": "Patient/p1"}, "code": {"text": name}}
    if code:
        said["code"]["coding"] = [{"system": SNOMED, "code": code}]
    said["verificationStatus"] = {"coding": [{"system": f"{STATUS}verification", "code": verification}]}
    if clinical:
        said["clinicalStatus"] = {"coding": [{"system": f"{STATUS}clinical", "code": clinical}]}
    return said | more


ANAPHYLAXIS = [{"manifestation": [{"text": "anaphylaxis"}]}]


def words(*documents):
    return allergy_words(read_allergies(documents))


def test_the_gravest_stands_first_with_what_happened_and_how_sure_it_is():
    latex = allergy("Latex", criticality="low", verification="unconfirmed")
    said = words(latex, allergy("Nickel"), allergy("Penicillin", criticality="high", reaction=ANAPHYLAXIS))
    assert said == (
        "Penicillin (anaphylaxis, high criticality, confirmed); Nickel (criticality not stated, confirmed);"
        " Latex (low criticality, unconfirmed)"
    )


@pytest.mark.parametrize(
    "over",
    [
        {"verification": "entered-in-error", "clinical": ""},
        {"verification": "refuted"},
        {"clinical": "inactive"},
        {"clinical": "resolved"},
    ],
)
def test_what_is_over_or_was_never_true_is_left_out_and_leaves_the_answer_open(over):
    assert words(allergy("Penicillin", **over)) == "not known to twinweb"
    assert words(allergy("No known allergy", code="716186003", **over)) == "not known to twinweb"


def test_none_is_said_only_where_the_record_says_so_and_never_against_a_known_one():
    none = allergy("No known allergy", code="716186003")
    assert words() == "not known to twinweb"
    assert words(none) == "no known allergies (says the record)"
    assert words(none, allergy("Latex")) == "Latex (criticality not stated, confirmed)"
    drug = allergy("No known drug allergy", code="409137002")
    assert words(drug) == "no known drug allergy; others not known to twinweb"


def test_one_substance_from_two_systems_stands_once_as_the_graver_has_it_and_no_grave_one_is_folded_away():
    said = words(allergy("latex", criticality="low"), allergy("Latex", criticality="high"))
    assert said == "Latex (high criticality, confirmed)"
    many = [allergy(f"Drug {n}", criticality="high") for n in range(5)] + [allergy("Dust", criticality="low")]
    strip = allergy_strip(read_allergies(many))
    assert len(strip.lines) == 5 and [one.substance for one in strip.more] == ["Dust"]


def test_what_arrives_over_fhir_is_on_every_page_of_the_patient_and_goes_when_it_is_taken_back(client):
    now = timezone.now()
    team = factories.make_team()
    episode = factories.make_episode(team, key="ours", ended=now)
    factories.make_snapshot(episode, now, factories.said())
    client.force_login(factories.make_person("own", team=team))
    said = allergy("Penicillin <V>", criticality="high") | {"id": "a1", "patient": {"reference": "Patient/ours"}}

    def send(resource):
        deliver(delivery=ports().delivery_of([resource], "test"), actor=Actor.system("test"), now=now, atomic=True)

    def pages():
        of_one = [reverse(name, args=[episode.key]) for name in ("patient", "what_if", "record_send", "compare")]
        urls = [*of_one, reverse("readings", args=[episode.key, "heart_rate"]), reverse("handover")]
        return [client.get(url, headers={"host": "localhost"}).content.decode() for url in urls]

    assert all("not known to twinweb" in page for page in pages())
    send(said)
    assert all("Penicillin &lt;V&gt;" in page and "high criticality" in page for page in pages())
    send(
        allergy("Penicillin <V>", verification="entered-in-error", clinical="")
        | {"id": "a1"}
        | {"patient": said["patient"]}
    )
    assert not any("Penicillin" in page for page in pages())


def test_it_takes_one_query(django_assert_num_queries):
    episode = factories.make_episode(factories.make_team(), key="ours", ended=timezone.now())
    with django_assert_num_queries(1):
        allergies_of(episode.patient_id)
