"""The deployment files cannot be run here; they must at least parse and agree with the code that they start."""

import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import get_commands

from twinweb.celery import QUEUES, app
from twinweb.management.commands.up import child_specs

ROOT = Path(__file__).resolve().parents[3]
DEPLOY = ROOT / "deploy"
OURS = ("web", "live", "worker", "trainer", "beat", "mllp")
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
KUBERNETES = [
    item for item in yaml.safe_load_all((DEPLOY / "kubernetes" / "twinweb.yaml").read_text()) if item is not None
]


def _pods() -> dict[str, dict[str, Any]]:
    """The pod of each Kubernetes workload, by the workload's name."""
    workloads = [item for item in KUBERNETES if item["kind"] in ("Deployment", "Job")]
    return {item["metadata"]["name"]: item["spec"]["template"]["spec"] for item in workloads}


def _systemd_command(name: str) -> list[str]:
    lines = (DEPLOY / "systemd" / f"{name}.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines)["COMMAND"].split()


def _commands(where: str) -> dict[str, list[str]]:
    """What each of our processes runs, by its name."""
    if where == "compose":
        return {name: COMPOSE[name].get("command", ["gunicorn", "twinweb.wsgi:application"]) for name in OURS}
    if where == "kubernetes":
        return {name: _pods()[f"twinweb-{name}"]["containers"][0]["command"] for name in OURS}
    if where == "systemd":
        return {name: _systemd_command(name) for name in OURS}
    return {spec.name: list(spec.command) for spec in child_specs(demo=False)}


@pytest.mark.parametrize("where", ["compose", "kubernetes", "systemd", "embedded"])
def test_every_queue_has_a_consumer(where: str) -> None:
    consumed = [
        queue
        for command in _commands(where).values()
        if "-Q" in command
        for queue in command[command.index("-Q") + 1].split(",")
    ]
    assert sorted(consumed) == sorted(QUEUES)


@pytest.mark.parametrize("where", ["compose", "kubernetes", "systemd", "embedded"])
def test_every_module_that_is_started_exists(where: str) -> None:
    for command in _commands(where).values():
        for module, attribute in re.findall(r"(twinweb[\w.]*):(\w+)", " ".join(command)):
            assert find_spec(module) is not None and attribute in ("app", "application")


@pytest.mark.parametrize("where", ["compose", "kubernetes", "systemd"])
def test_hl7_v2_is_a_process_of_its_own_that_leaves_a_sign_of_life(where: str) -> None:
    assert _commands(where)["mllp"] == ["python", "manage.py", "mllp"]
    assert get_commands()["mllp"] == "integrations" and COMPOSE["mllp"]["profiles"] == ["hl7v2"]
    probe = " ".join(_pods()["twinweb-mllp"]["containers"][0]["livenessProbe"]["exec"]["command"])
    assert "/data/mllp.heartbeat" in probe


def test_an_orderly_stop_outlasts_the_longest_task() -> None:
    limit = app.conf.task_time_limit
    assert int(COMPOSE["worker"]["stop_grace_period"].rstrip("s")) > limit
    assert _pods()["twinweb-worker"]["terminationGracePeriodSeconds"] > limit
    unit = (DEPLOY / "systemd" / "twinweb@.service").read_text()
    assert int(re.findall(r"TimeoutStopSec=(\d+)", unit)[0]) > limit


def test_our_containers_are_unprivileged_and_read_only() -> None:
    for name in (*OURS, "migrate"):
        assert COMPOSE[name]["read_only"] is True and COMPOSE[name]["cap_drop"] == ["ALL"]
    for pod in _pods().values():
        assert pod["securityContext"]["runAsNonRoot"] is True
        inside = pod["containers"][0]["securityContext"]
        assert inside["readOnlyRootFilesystem"] is True and inside["allowPrivilegeEscalation"] is False
    lines = (DEPLOY / "Dockerfile").read_text().splitlines()
    assert lines.index("USER twinweb") < next(n for n, line in enumerate(lines) if line.startswith("CMD"))


def test_redis_keeps_what_it_is_given() -> None:
    command = " ".join(COMPOSE["redis"]["command"])
    assert "--appendonly yes" in command and "--maxmemory-policy noeviction" in command


def test_secrets_have_no_default() -> None:
    environment = COMPOSE["web"]["environment"]
    assert environment["SECRET_KEY"].startswith("${SECRET_KEY:?")
    assert "${POSTGRES_PASSWORD:?" in environment["DATABASE_URL"]


def test_what_the_image_copies_exists() -> None:
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    copied = [words for words in re.findall(r"^COPY (?!--)(\S+) ", dockerfile, re.M)]
    assert {"twinweb", "recovery", "integrations", "templates", "static"} <= set(copied)
    assert all((ROOT / name).exists() for name in copied)


def test_the_front_sends_only_the_event_stream_to_asgi() -> None:
    conf = (DEPLOY / "nginx.conf").read_text()
    blocks = dict(re.findall(r"location (\S+) \{([^}]*)\}", conf))
    assert "proxy_pass http://live;" in blocks["/live/"] and "proxy_buffering off;" in blocks["/live/"]
    assert "proxy_pass http://web;" in blocks["/"]
    (ingress,) = [item for item in KUBERNETES if item["kind"] == "Ingress"]
    paths = {path["path"]: path["backend"]["service"]["name"] for path in ingress["spec"]["rules"][0]["http"]["paths"]}
    assert paths == {"/live/": "twinweb-live", "/": "twinweb-web"}


def test_the_settings_table_names_exactly_what_the_code_reads() -> None:
    table = re.findall(r"^\| (`.*?)\|", (ROOT / "docs" / "production.md").read_text(), re.M)
    documented = {name for cell in table for name in re.findall(r"`([A-Z][A-Z_]+)`", cell)}
    read = set()
    for package in ("twinweb", "recovery", "integrations"):
        for path in (ROOT / package).rglob("*.py"):
            read |= set(re.findall(r"\b(?:env\.\w+|flag)\(\s*\"([A-Z_]+)\"", path.read_text()))
            read |= set(re.findall(r"environ(?:\.get\(|\[)\"([A-Z_]+)\"", path.read_text()))
    from twinweb.broker.file import TAKE_OVER

    assert documented == read | {TAKE_OVER}
