"""Pages and the product's files travel compressed, what systems and event streams get does not, and no two answers
have one length."""

import gzip
import os

import pytest
from django.templatetags.static import static
from django.urls import reverse

from tests import factories
from tests.integration.integrations.fhir.conftest import token_for
from twinweb.static_files import packed

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


@pytest.mark.parametrize("name", ["css/twin.css", "js/portal.js", "img/icon.svg"])
def test_a_file_of_the_product_comes_compressed_to_whoever_takes_that(client, name):
    small, plain = client.get(static(name), headers=TAKES), client.get(static(name))
    whole = b"".join(plain.streaming_content)
    sent = b"".join(small.streaming_content)
    assert small["Content-Encoding"] == "gzip" and not plain.has_header("Content-Encoding")
    assert gzip.decompress(sent) == whole and len(sent) == int(small["Content-Length"]) < len(whole)
    assert small["Content-Type"] == plain["Content-Type"] and "Accept-Encoding" in small["Vary"]
    assert client.get(static(name), headers={"if-none-match": plain["ETag"]}).status_code == 304


def test_a_packed_copy_is_of_the_file_as_it_is_now(tmp_path):
    source, folder = tmp_path / "page.css", tmp_path / "packed"
    source.write_text("a { color: red } " * 40)
    first = packed(source, folder)
    assert packed(source, folder) == first and len(list(folder.iterdir())) == 1
    source.write_text("a { color: tan } " * 40)
    os.utime(source, ns=(1, source.stat().st_mtime_ns + 1))
    assert b"tan" in gzip.decompress(packed(source, folder).read_bytes())


def test_a_file_that_cannot_be_packed_is_sent_as_it_is(tmp_path):
    source, folder = tmp_path / "page.css", tmp_path / "packed"
    source.write_text("a { color: red } " * 40)
    folder.write_text("no directory")
    assert packed(source, folder) is None
    (tmp_path / "picture.png").write_bytes(bytes(1000))
    assert packed(tmp_path / "picture.png", tmp_path / "other") is None
