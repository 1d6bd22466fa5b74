"""Whatever is sent, the door answers in FHIR and never with a 500.

FHIR_RANDOM_CASES=200000 (or any other number) makes a longer run of the same.
"""

import logging
import os
import random
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recovery.models import Document, Packet, Sample
from tests.integration.integrations.fhir.conftest import FHIR_JSON, Door, content, token_for
from tests.integration.integrations.fhir.random_requests import Asked, Handlers, request
from tests.integration.integrations.fhir.test_official_examples import without_what_is_ours
from tests.unit.integrations.fhir.observations import json_of
from tests.unit.integrations.fhir.wide_observations import wide_observation_texts

CASES = int(os.environ.get("FHIR_RANDOM_CASES", "10000"))
OBSERVATIONS = CASES // 20
CASES_A_SEED = 50
_SETTINGS = {"deadline": None, "suppress_health_check": list(HealthCheck), "database": None}


@pytest.fixture
def handlers(door: Door, patient: str, caplog: pytest.LogCaptureFixture) -> Handlers:
    caplog.set_level(logging.CRITICAL)  # thousands of refusals need no log
    logging.disable(logging.WARNING)
    yield Handlers(token_for("system/*.cruds", "random"))
    logging.disable(logging.NOTSET)


def is_well_answered(asked: Asked, status: int, body: bytes) -> bool:
    """No 500; every refusal an OperationOutcome with an issue that says something."""
    if status >= 500:
        return False
    if status < 400 or asked.method == "HEAD":
        return True
    said = content(type("Response", (), {"content": body}))
    return said["resourceType"] == "OperationOutcome" and all(issue["diagnostics"] for issue in said["issue"])


def test_no_random_request_is_answered_with_a_500(handlers: Handlers) -> None:
    told: Counter[int] = Counter()

    @settings(max_examples=max(1, CASES // CASES_A_SEED), **_SETTINGS)
    @given(seed=st.integers(0, 2**63))
    def run(seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(CASES_A_SEED):
            asked = request(chance)
            response = handlers.ask(asked)
            told[response.status_code] += 1
            assert is_well_answered(asked, response.status_code, response.content), (asked, response.content)

    run()
    print(f"{told.total()} random requests: {dict(sorted(told.items()))}")
    assert told[201] > told.total() // 100 and told[400] > told.total() // 10


@settings(max_examples=300, **_SETTINGS)
@given(seed=st.integers(0, 2**63))
def test_nor_over_http(door: Door, patient: str, seed: int) -> None:
    asked = request(random.Random(seed))
    headers = {name.replace("-", "_"): value for name, value in asked.headers.items()}
    response = door.send(asked.method, asked.path, asked.body, asked.content_type, **headers)
    assert is_well_answered(asked, response.status_code, response.content), (asked, response.content)
    assert response["Content-Type"].startswith("application/fhir+json")


def test_every_valid_observation_reads_back_as_it_was_created(handlers: Handlers) -> None:
    """`read(create(x))` is x plus id and meta: every value type, precision, unit and detail, on both shelves."""
    shelves_used: Counter[bool] = Counter()

    @settings(max_examples=max(1, OBSERVATIONS), **_SETTINGS)
    @given(text=wide_observation_texts())
    def run(text: str) -> None:
        Sample.objects.all().delete()  # each for itself: the same reading again keeps its first `issued`
        Packet.objects.all().delete()
        Document.objects.filter(type="Observation").delete()
        made = handlers.ask(Asked("POST", "Observation", text, FHIR_JSON, {}))
        assert made.status_code == 201, (text, made.content)
        address = made["Location"].partition("/fhir/")[2].partition("/_history")[0]
        found = handlers.ask(Asked("GET", address, "", FHIR_JSON, {}))
        sent = json_of(text)
        assert without_what_is_ours(content(found)) == without_what_is_ours(sent)
        assert content(found)["id"] == address.partition("/")[2]
        assert made.content == found.content
        shelves_used[Document.objects.filter(type="Observation").exists()] += 1

    run()
    print(f"{shelves_used[False]} streamed, {shelves_used[True]} documents")
    assert shelves_used[False] > OBSERVATIONS // 50 and shelves_used[True] > OBSERVATIONS // 10
