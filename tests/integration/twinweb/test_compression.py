"""Pages travel compressed, what systems and event streams get does not, and no two answers have one length."""

import gzip

import pytest
from django.urls import reverse

from tests import factories
from tests.integration.integrations.fhir.conftest import token_for

pytestmark = pytest.mark.django_db
TAKES = {"accept-encoding": "gzip"}


def test_a_page_comes_compressed_to_whoever_takes_that_and_plain_to_others(client):
    client.force_login(factories.make_person("nurse", team=factories.make_team()))
    small = client.get(reverse("model"), headers=TAKES)
    plain = client.get(reverse("model"))
    assert small["Content-Encoding"] == "gzip" and not plain.has_header("Content-Encoding")
    assert len(small.content) * 4 < len(plain.content)
    assert b"What the model is" in gzip.decompress(small.content)
    assert "no-store" in small["Cache-Control"] and "Accept-Encoding" in small["Vary"]


def test_equal_pages_differ_in_length(client):
    lengths = {len(client.get(reverse("login"), headers=TAKES).content) for _ in range(8)}
    assert len(lengths) > 1


def test_what_systems_read_is_left_as_it_is(client):
    token = token_for("system/*.rs")
    answer = client.get("/fhir/metadata", headers=TAKES | {"authorization": f"Bearer {token}"})
    assert answer.status_code == 200 and not answer.has_header("Content-Encoding")
