"""An operation is named in the patient's language where it is one of the catalogue."""

import pytest
from django.utils import translation

from recovery.presenters.portal_operation import NAMES, operation_name
from recovery.twin.profile import PROCEDURES


def test_every_operation_of_the_catalogue_has_a_name_for_patients():
    assert set(NAMES) == set(PROCEDURES)


@pytest.mark.parametrize(
    ("language", "procedure", "sent", "told"),
    [
        ("en", "knee_replacement", "Total knee replacement", "total knee replacement"),
        ("en", "cardiac", "CABG", "CABG"),
        ("en", "knee_replacement", "", "your new knee joint"),
        ("en", "", "", "your operation"),
        ("de", "knee_replacement", "Total knee replacement", "neues Kniegelenk"),
        ("de", "", "Leistenbruch rechts", "Leistenbruch rechts"),
        ("de", "", "", "Ihrer Operation"),
        ("ar", "hip_fracture", "Hip fracture repair", "عملية كسر الورك"),
    ],
)
def test_it_is_told_in_the_language_of_the_page_or_as_the_hospital_sent_it(language, procedure, sent, told):
    with translation.override(language):
        assert operation_name(procedure, sent) == told
