"""Reading the environment: fail loudly, with advice."""

import os
import secrets
from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

# FileAwareEnv: any NAME may be given as NAME_FILE, the path of a file that holds the value (container secrets).
env = environ.FileAwareEnv()


def data_directory(base: Path) -> Path:
    """Where the embedded product keeps its files (TWINWEB_DATA, default ./var), made private to its owner."""
    path = Path(env.str("TWINWEB_DATA", default=str(base / "var"))).expanduser().resolve()
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def sqlite_url(data: Path) -> str:
    return f"sqlite:///{data / 'twinweb.sqlite3'}"


def secret_key(data: Path) -> str:
    """SECRET_KEY from the environment; embedded only, a key made once and kept 0600 in the data directory.

    Raises ImproperlyConfigured in production without a key: a key made up at start would sign every user out
    at each restart and differ between processes.
    """
    given = env.str("SECRET_KEY", default="")
    if given:
        return str(given)
    if env.str("DATABASE_URL", default=""):
        raise ImproperlyConfigured(
            "SECRET_KEY is not set. With DATABASE_URL set (production), give SECRET_KEY or SECRET_KEY_FILE; make one"
            " with: python -c 'import secrets; print(secrets.token_urlsafe(50))'"
        )
    return _kept_key(data / "secret_key")


def _kept_key(path: Path) -> str:
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        key = path.read_text().strip()
        if not key:
            raise ImproperlyConfigured(f"{path} is empty; delete it and start again.") from None
        return key
    with os.fdopen(handle, "w") as file:
        key = secrets.token_urlsafe(50)
        file.write(key)
    return key
