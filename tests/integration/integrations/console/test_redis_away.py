"""The broker of production, killed and started again: the status page says so in time, by itself, and names nobody."""

import re
import shutil
import time

import pytest
from django.urls import reverse

from tests import factories
from tests.integration.integrations.fhir.conftest import Door, token_for
from tests.servers import free_port, redis_on

SEEN_WITHIN_S = 30.0
LOOKS_EVERY_S = 10.0  # the open page asks again so often (static/js/connections.js)
KEEPS = ("--appendonly", "yes", "--maxmemory-policy", "noeviction")  # as the status page wants it


def broker_on(page: str) -> str:
    return re.search(r'<th scope="row">Broker</th><td>(.*?)</td>', page, re.S)[1]


@pytest.mark.skipif(shutil.which("redis-server") is None, reason="redis-server is not installed")
def test_a_killed_redis_is_red_at_the_pages_next_look_and_green_again_without_anybody(
    db, client, settings, tmp_path, monkeypatch
):
    port = free_port()
    settings.REDIS_URL, settings.EMBEDDED = f"redis://127.0.0.1:{port}/0", False
    settings.EXPORT_FILES, settings.MLLP_PORT = tmp_path / "exports", 0
    patient = factories.make_episode(key="ida", family_name="Hartmann", record_number="S-4711").patient
    token = token_for("system/*.cruds")
    Door(token).put("Patient/p", {"resourceType": "Patient", "id": "p", "name": [{"family": "Quill"}]})
    client.force_login(factories.make_person("boss", "administrator"))

    def look() -> tuple[str, float]:
        begun = time.monotonic()
        page = client.get(reverse("connections_status")).content.decode()
        assert not any(word in page for word in (patient.family_name, "Quill", "S-4711", token, settings.SECRET_KEY))
        return broker_on(page), time.monotonic() - begun

    with redis_on(port, tmp_path, *KEEPS) as server:
        assert "not working" not in look()[0]
        server.kill()
        server.wait(timeout=10)
        said, took = look()
        assert "not working" in said and took + LOOKS_EVERY_S < SEEN_WITHIN_S
    with redis_on(port, tmp_path, *KEEPS):
        said, took = look()
        assert "not working" not in said and took + LOOKS_EVERY_S < SEEN_WITHIN_S
