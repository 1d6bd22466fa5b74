"""A page that is not there says so in the person's own language, and to staff as before."""

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db
ABSENT = "/me/nothing-here/"


@pytest.mark.parametrize(
    ("language", "words"), [("en", "There is nothing here"), ("de", "Hier ist nichts"), ("ar", "لا يوجد شيء هنا")]
)
def test_a_link_that_was_used_and_a_page_that_is_not_there_speak_the_readers_language(scene, language, words):
    asked = {"headers": {"accept-language": language}}
    for client, path in (
        (Client(headers={"host": "localhost"}), "/join/no-such-link/"),
        (scene.client("patient"), ABSENT),
    ):
        answer = client.get(path, **asked)
        said = answer.content.decode()
        assert answer.status_code == 404 and words in said and f'lang="{language}"' in said


def test_staff_are_told_as_before_and_nobody_is_told_of_a_patient(scene):
    said = scene.client("own").get("/patients/00000000-0000-0000-0000-000000000000/").content.decode()
    assert "Emergency access" in said and "Not found" in said
