"""A door, and a worker whose clock is the test's."""

import gzip
from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.bulk import writing
from integrations.fhir import wire
from tests.integration.integrations.fhir.conftest import Door, content, token_for


class Later:
    """The real time, a little later: what has just been delivered has settled."""

    def __call__(self):
        return timezone.now() + timedelta(seconds=5)


@pytest.fixture
def files(settings, tmp_path):
    settings.EXPORT_FILES = tmp_path / "exports"
    return settings.EXPORT_FILES


@pytest.fixture
def door(db, files):
    return Door(token_for("system/*.cruds"))


def kick_off(door, path="$export", **headers):
    response = door.get(path, Prefer="respond-async", **headers)
    assert response.status_code == 202, response.content
    return response["Content-Location"].partition("/fhir/")[2]


def work(slice_s=60.0):
    return writing.run_owed(clock=Later(), slice_s=slice_s)


def manifest(door, status):
    response = door.get(status)
    assert response.status_code == 200, (response.status_code, response.content)
    return content(response)


def fetched(door, said, kind="output"):
    """All resources by type."""
    found = {}
    for one in said[kind]:
        response = door.get(one["url"].partition("/fhir/")[2], Accept_Encoding="gzip")
        assert response.status_code == 200, response.content
        lines = gzip.decompress(b"".join(response.streaming_content)).decode().splitlines()
        assert len(lines) == one["count"]
        found.setdefault(one["type"], []).extend(wire.parse(line.encode()) for line in lines)
    return found


def exported(door, path="$export", **headers):
    status = kick_off(door, path, **headers)
    work()
    return fetched(door, manifest(door, status))
