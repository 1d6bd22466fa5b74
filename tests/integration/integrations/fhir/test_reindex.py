"""An update that brings search parameters finds what was stored before it."""

from io import StringIO

from django.core.management import call_command

from recovery.models import DocumentIndex
from tests.integration.integrations.fhir.conftest import Door
from tests.integration.integrations.fhir.searching import fill, ids


def test_documents_are_found_again_once_they_are_indexed_anew(door: Door) -> None:
    ward = fill(door)
    before = DocumentIndex.objects.count()
    DocumentIndex.objects.all().delete()
    assert ids(ward, "Patient?family=berg") == []
    said = StringIO()
    call_command("reindex_fhir", stdout=said)
    assert DocumentIndex.objects.count() == before and "documents indexed" in said.getvalue()
    assert ids(ward, "Patient?family=berg") == ["bob"] and ids(ward, "Observation?component-code=8480-6") == [
        "bp2",
        "bp1",
    ]
    call_command("reindex_fhir", stdout=said)
    assert DocumentIndex.objects.count() == before
