"""The integrator's half hour, made by a script against a product of its own: every step of docs/quickstart.md."""

import os
import signal
import subprocess
import sys

import pytest

from tests import template_database
from tests.functional.integrator_journey import Journey, travel
from tests.functional.ward import ROOT
from tests.servers import free_port, wait_for_answer

STARTS_WITHIN_S = 180.0
HEADINGS = (
    "1. Look around",
    "its public key is registered",
    "3. Bring a patient",
    "5. Be told of changes",
    "7. Export a group",
    "8. Or HL7 v2",
)


@pytest.fixture(scope="module")
def product(tmp_path_factory):
    """`manage.py up` without the demo ward: (address, MLLP address, token)."""
    port, mllp = free_port(), free_port()
    clean = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    data = tmp_path_factory.mktemp("data")
    template_database.begin(data)
    ours = {"TWINWEB_DATA": str(data), "TWINWEB_DEMO": "0", "LOG_LEVEL": "WARNING"}
    ours |= {
        "PORT": str(port),
        "MLLP_PORT": str(mllp),
        "SUBSCRIPTION_ALLOW_LOOPBACK": "1",
        "SMART_OPEN_REGISTRATION": "1",
    }
    run = {"cwd": ROOT, "env": clean | ours}
    up = subprocess.Popen([sys.executable, "manage.py", "up"], stdout=subprocess.DEVNULL, **run)
    try:
        origin = f"http://127.0.0.1:{port}"
        wait_for_answer(origin + "/livez", STARTS_WITHIN_S, up)
        command = [sys.executable, "manage.py", "issue_token", "journey", "--scopes", "system/*.cruds"]
        token = subprocess.run(command, capture_output=True, text=True, check=True, **run).stdout.split()[-1]
        yield origin, f"127.0.0.1:{mllp}", token
    finally:
        up.send_signal(signal.SIGTERM)
        up.wait(timeout=60)


def test_every_step_of_the_quick_start_is_as_it_says(product):
    origin, mllp, token = product
    said = "\n".join(travel(Journey(origin, token, mllp)).said)
    page = (ROOT / "docs" / "quickstart.md").read_text(encoding="utf-8")
    for heading in HEADINGS:
        assert heading in said and heading in page
