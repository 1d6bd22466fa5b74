"""Reading the environment: fail loudly, with advice."""

import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.core.exceptions import ImproperlyConfigured


# FileAwareEnv: any NAME may be given as NAME_FILE, the path of a file that holds the value (container secrets).
class Environment(environ.FileAwareEnv):
    """Raises ImproperlyConfigured, naming the variable, where the file of a NAME_FILE cannot be read."""

    def get_value(self, var: str, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().get_value(var, *args, **kwargs)
        except (OSError, UnicodeDecodeError) as error:
            path = os.environ.get(f"{var}_FILE", "")
            why = getattr(error, "strerror", None) or "it is not text"
            raise ImproperlyConfigured(f"{var}_FILE: {path or 'its path'} cannot be read ({why}).") from error


env = Environment()

NO = frozenset(("false", "off", "n", "no", "0", ""))
DATABASES = ("sqlite:///", "postgres://", "postgresql://")
REDIS = ("redis://", "rediss://", "unix://")


def flag(name: str, *, default: bool) -> bool:
    """A yes or no. Raises ImproperlyConfigured for any other word, which would otherwise pass for no."""
    said = env.str(name, default="yes" if default else "no").strip().lower()
    if said not in NO and said not in env.BOOLEAN_TRUE_STRINGS:
        raise ImproperlyConfigured(f"{name} must be 1 or 0, not {said!r}.")
    return said in env.BOOLEAN_TRUE_STRINGS


def role_mapping(name: str) -> dict[str, str]:
    """Groups of the identity provider and the staff roles they stand for: "ward-nurses=clinician; leads=lead".

    The role is what follows the last "=", so that a group may be an LDAP name. Raises ImproperlyConfigured.
    """
    mapping = {}
    for pair in filter(None, map(str.strip, env.str(name, default="").split(";"))):
        group, _, role = pair.rpartition("=")
        if not group or role not in ("clinician", "lead", "administrator"):
            raise ImproperlyConfigured(f"{name}: {pair!r} is not GROUP=clinician, GROUP=lead or GROUP=administrator.")
        mapping[group.strip()] = role
    return mapping


def origin(url: str) -> str:
    """Scheme and host of an address, as a content security policy names it."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def data_directory(base: Path) -> Path:
    """Where the embedded product keeps its files (TWINWEB_DATA, default ./var), made private to its owner.

    Raises ImproperlyConfigured where no file can be kept. Set to nothing is not set: never the current directory.
    """
    path = Path(env.str("TWINWEB_DATA", default="") or base / "var").expanduser().resolve()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ImproperlyConfigured(f"TWINWEB_DATA: {path} cannot be made ({error.strerror}).") from error
    return path


def database(data: Path) -> dict[str, Any]:
    """DATABASE_URL as Django's settings; SQLite in the data directory without it. Raises ImproperlyConfigured.

    The address may hold a password, so it is not repeated.
    """
    url = env.str("DATABASE_URL", default="") or sqlite_url(data)
    found: dict[str, Any] = env.db_url_config(url) if url.startswith(DATABASES) else {}
    if not found.get("NAME"):
        raise ImproperlyConfigured("DATABASE_URL must look like postgres://user:password@host:5432/name.")
    return found


def redis_url() -> str:
    """REDIS_URL, or nothing: then the embedded broker serves. Raises ImproperlyConfigured."""
    url = str(env.str("REDIS_URL", default=""))
    if url and not url.startswith(REDIS):
        raise ImproperlyConfigured("REDIS_URL must look like redis://host:6379/0.")
    return url


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
    except OSError as error:
        raise ImproperlyConfigured(f"TWINWEB_DATA: no file can be kept in {path.parent} ({error.strerror}).") from error
    with os.fdopen(handle, "w") as file:
        key = secrets.token_urlsafe(50)
        file.write(key)
    return key


def smart_key(path: Path) -> str:
    """The RSA key that signs id_tokens: SMART_PRIVATE_KEY (PEM), or one made once and kept 0600 at `path`.

    Several web processes need one key: in production give SMART_PRIVATE_KEY, or a SMART_KEY_FILE that they all see.
    """
    given = str(env.str("SMART_PRIVATE_KEY", default=""))
    if given:
        return given.replace("\\n", "\n")
    try:
        return path.read_text()
    except FileNotFoundError:
        pass
    made = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    pem = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return _written_once(path, pem.decode())


def vapid_key(path: Path) -> str:
    """The P-256 key that signs push messages (RFC 8292): VAPID_PRIVATE_KEY (PEM), or one made once and kept at `path`.

    Browsers subscribe to this key: another one makes every subscription worthless.
    """
    given = str(env.str("VAPID_PRIVATE_KEY", default=""))
    if given:
        return given.replace("\\n", "\n")
    try:
        return path.read_text()
    except FileNotFoundError:
        pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return _written_once(path, pem.decode())


def _written_once(path: Path, text: str) -> str:
    """What stands at `path` then: `text`, or what another process wrote first. Whole or not at all."""
    part = path.with_name(f"{path.name}.{os.getpid()}")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text)
    try:
        os.link(part, path)
    except FileExistsError:
        return path.read_text()
    finally:
        part.unlink()
    return text


def example_watch() -> dict[str, Any]:
    """The demonstration's maker of watches, which this product plays itself (integrations/simulator/example_watch.py).

    The person is sent to a path of our own; our jobs ask over loopback, at the port of the web server.
    """
    here = f"http://127.0.0.1:{env.int('PORT', default=8000)}/demo/example-watch"
    pulse = {"code": "8867-4", "display": "Heart rate", "unit": "/min", "metric": "heart_rate"}
    steps = {
        "code": "55423-8",
        "display": "Number of steps in unspecified time Pedometer",
        "unit": "{steps}",
        "metric": "steps",
    }
    return {
        "key": "example-watch",
        "name": "Example watch (synthetic)",
        "client_id": "twinweb-demo",
        "authorize_url": "/demo/example-watch/authorize",
        "token_url": f"{here}/token",
        "revoke_url": f"{here}/revoke",
        "readings_url": f"{here}/readings",
        "scopes": "pulse steps",
        "kinds": {"pulse": pulse, "steps": steps},
    }
