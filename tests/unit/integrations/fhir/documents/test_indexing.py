"""What a document can be found by."""

from integrations.fhir.documents.indexing import fold, index_entries
from integrations.fhir.routes import ROUTES
from recovery.services.intake import IndexEntry


def test_names_are_folded_for_search_and_kept_as_written_for_exact() -> None:
    entries = index_entries(
        ROUTES["Patient"], {"resourceType": "Patient", "name": [{"family": "Müller", "given": ["Zoë"]}]}
    )
    assert IndexEntry("family", "string", "Müller", "muller") in entries
    assert {entry.value for entry in entries if entry.param == "name"} == {"muller", "zoe"}


def test_folding_drops_case_and_accents_in_several_scripts() -> None:
    assert [fold(text) for text in ("STRASSE", "Straße", "Ångström", "Ιώ")] == ["strasse", "strasse", "angstrom", "ιω"]


def test_every_coding_of_a_concept_is_a_token() -> None:
    code = {"coding": [{"system": "urn:a", "code": "1"}, {"code": "2"}, {"system": "urn:b"}], "text": "x"}
    entries = index_entries(ROUTES["Procedure"], {"resourceType": "Procedure", "code": code})
    assert [(entry.system, entry.value) for entry in entries if entry.param == "code"] == [("urn:a", "1"), ("", "2")]


def test_a_period_without_an_end_reaches_on() -> None:
    entries = index_entries(ROUTES["Encounter"], {"resourceType": "Encounter", "period": {"start": "2026-01-05"}})
    (entry,) = (entry for entry in entries if entry.param == "date")
    assert entry.low_ms == 1767571200000 and entry.high_ms is None


def test_references_are_found_as_type_and_id_without_their_version() -> None:
    subject = {"reference": "Patient/p1/_history/3"}
    entries = index_entries(ROUTES["Procedure"], {"resourceType": "Procedure", "subject": subject})
    assert {(entry.param, entry.value) for entry in entries} == {("patient", "Patient/p1"), ("subject", "Patient/p1")}


def test_a_boolean_is_a_token_and_a_canonical_a_reference() -> None:
    assert IndexEntry("active", "token", "", "true") in index_entries(ROUTES["Patient"], {"active": True})
    response = {"questionnaire": "http://example.org/q|1"}
    entries = index_entries(ROUTES["QuestionnaireResponse"], response)
    assert IndexEntry("questionnaire", "reference", "", "http://example.org/q|1") in entries
