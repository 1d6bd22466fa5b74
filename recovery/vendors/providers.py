"""The makers that this hospital has an agreement with, as settings.WEARABLE_PROVIDERS describes them.

One entry: {"key", "name", "needs", "client_id", "client_secret"?, "authorize_url", "token_url", "revoke_url"?,
"readings_url", "scopes", "kinds": {word of the maker: {"code", "display", "unit", "metric"}}, "every_s"?}. Codes are
LOINC, units UCUM. docs/portal.md says what the addresses must answer.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from recovery.exceptions import NotFound
from recovery.twin.metrics import METRICS

# How often each account is asked. What a person takes back at the maker is seen within it: a minute is promised
# (ux.md 5.7), of which the clock of the jobs takes up to ten seconds.
EVERY = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Kind:
    """How one word of the maker's is sent on: LOINC code, UCUM unit, and the metric it tells."""

    code: str
    display: str
    unit: str
    metric: str


@dataclass(frozen=True, slots=True)
class Provider:
    key: str
    name: str
    needs: str
    client_id: str
    client_secret: str
    authorize_url: str
    token_url: str
    revoke_url: str
    readings_url: str
    scopes: str
    kinds: Mapping[str, Kind]
    every: timedelta

    @property
    def metrics(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(kind.metric for kind in self.kinds.values()))


def providers() -> tuple[Provider, ...]:
    """Raises ImproperlyConfigured for an entry that cannot be read."""
    return tuple(_provider(one) for one in settings.WEARABLE_PROVIDERS)


def provider_named(key: str) -> Provider:
    """Raises NotFound."""
    found = next((one for one in providers() if one.key == key), None)
    if found is None:
        raise NotFound("This hospital does not know such a device.")
    return found


def _provider(said: Mapping[str, Any]) -> Provider:
    try:
        kinds = {word: _kind(one) for word, one in said["kinds"].items()}
        return Provider(
            key=said["key"],
            name=said["name"],
            needs=said.get("needs", ""),
            client_id=said["client_id"],
            client_secret=said.get("client_secret", ""),
            authorize_url=said["authorize_url"],
            token_url=said["token_url"],
            revoke_url=said.get("revoke_url", ""),
            readings_url=said["readings_url"],
            scopes=said["scopes"],
            kinds=kinds,
            every=timedelta(seconds=float(said.get("every_s", EVERY.total_seconds()))),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ImproperlyConfigured(f"WEARABLE_PROVIDERS: an entry cannot be read ({error!r}).") from error


def _kind(said: Mapping[str, str]) -> Kind:
    if said["metric"] not in METRICS:
        raise ValueError(f"no metric {said['metric']}")
    return Kind(said["code"], said["display"], said["unit"], said["metric"])
