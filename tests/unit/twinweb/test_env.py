"""Settings from the environment fail loudly, in one sentence that names the variable."""

import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from twinweb import env


@pytest.mark.parametrize(("said", "meant"), [("1", True), ("yes", True), ("TRUE", True), ("0", False), ("off", False)])
def test_a_flag_is_yes_or_no(monkeypatch: pytest.MonkeyPatch, said: str, meant: bool) -> None:
    monkeypatch.setenv("TWINWEB_DEMO", said)
    assert env.flag("TWINWEB_DEMO", default=not meant) is meant


def test_a_flag_that_is_not_set_has_its_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TWINWEB_DEMO", raising=False)
    assert env.flag("TWINWEB_DEMO", default=True)


def test_a_flag_that_is_neither_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWINWEB_DEMO", "maybe")
    with pytest.raises(ImproperlyConfigured, match="TWINWEB_DEMO must be 1 or 0"):
        env.flag("TWINWEB_DEMO", default=True)


def test_a_data_directory_set_to_nothing_is_never_the_current_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TWINWEB_DATA", "")
    assert env.data_directory(tmp_path) == tmp_path / "var"


def test_a_data_directory_that_cannot_be_made_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TWINWEB_DATA", str(tmp_path / "file" / "data"))
    with pytest.raises(ImproperlyConfigured, match="TWINWEB_DATA"):
        env.data_directory(tmp_path)


@pytest.mark.parametrize("url", ["foo", "postgres://", "mysql://u:canary@h/x", "postgres://u:canary@h"])
def test_an_address_of_no_database_of_ours_is_refused_without_repeating_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, url: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL must look like") as refusal:
        env.database(tmp_path)
    assert "canary" not in str(refusal.value)


@pytest.mark.parametrize("url", ["postgres://u@h/x", "postgresql://u@h:5432/x", "sqlite:////tmp/x.sqlite3"])
def test_an_address_of_a_database_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, url: str) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    assert env.database(tmp_path)["NAME"]


def test_without_an_address_sqlite_in_the_data_directory_serves(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    assert env.database(tmp_path)["NAME"] == str(tmp_path / "twinweb.sqlite3")


def test_an_address_of_no_redis_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "foo")
    with pytest.raises(ImproperlyConfigured, match="REDIS_URL must look like"):
        env.redis_url()


def test_a_secret_whose_file_is_missing_is_refused_by_the_name_of_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SECRET_KEY", raising=False)
    monkeypatch.setenv("SECRET_KEY_FILE", "/nowhere/key")
    with pytest.raises(ImproperlyConfigured, match="SECRET_KEY_FILE: /nowhere/key cannot be read"):
        env.env.str("SECRET_KEY", default="")


def test_a_command_with_a_wrong_setting_ends_in_one_line(tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[3]
    environment = {"PATH": "/usr/bin:/bin", "SECRET_KEY_FILE": "/nowhere/key", "TWINWEB_DATA": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "manage.py", "check"], cwd=root, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 1 and done.stderr.count("\n") == 1
    assert "SECRET_KEY_FILE: /nowhere/key cannot be read" in done.stderr
