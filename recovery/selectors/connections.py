"""Apps and systems that are registered, as the authorization server and the console read them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from recovery.models import Authorization, Connection, Launch
from recovery.texts import is_storable


@dataclass(frozen=True, slots=True)
class Client:
    """One connection. `is_secret`: it has a secret of its own (or signs), so that it must show who it is.

    `redirect_uris`: exactly these. `open_authorizations`: people for whom it may act now.
    """

    row_id: int
    name: str
    kind: str
    scopes: str
    client_id: str
    is_secret: bool
    redirect_uris: tuple[str, ...]
    launch_url: str
    jwks: Mapping[str, Any]
    jwks_url: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    patient: str
    open_authorizations: int = 0

    @property
    def signs(self) -> bool:
        return bool(self.jwks_url or self.jwks.get("keys"))

    def is_usable(self, now: datetime) -> bool:
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)


def client_by_id(client_id: str) -> Client | None:
    if not client_id or not is_storable(client_id):
        return None
    row = _rows().filter(application__client_id=client_id).first()
    return _client(row) if row is not None else None


def client_by_row(row_id: int) -> Client | None:
    row = _rows().filter(pk=row_id).first()
    return _client(row, _open(row)) if row is not None else None


def clients() -> list[Client]:
    """All of them: those in use first, then by name."""
    rows = _rows().order_by("revoked_at", "name")
    found = [_client(row, _open(row)) for row in rows]
    return sorted(found, key=lambda one: (one.revoked_at is not None, one.name.lower()))


def launchable_apps() -> list[Client]:
    """Apps that can be opened from a patient's page: those with an address to open them by."""
    rows = _rows().filter(kind=Connection.Kind.APP, revoked_at__isnull=True).exclude(launch_url="")
    return [_client(row) for row in rows.order_by("name")]


def launched_for(row_id: int, limit: int = 1) -> list[datetime]:
    """When the app was last opened from a patient's page or by an EHR."""
    rows = Launch.objects.filter(connection_id=row_id).order_by("-created_at")
    return list(rows.values_list("created_at", flat=True)[:limit])


def _rows() -> Any:
    return Connection.objects.select_related("application", "patient")


def _open(row: Connection) -> int:
    return Authorization.objects.filter(connection=row, revoked_at__isnull=True).values("user").distinct().count()


def _client(row: Connection, open_authorizations: int = 0) -> Client:
    application = row.application
    return Client(
        row_id=row.pk,
        name=row.name,
        kind=row.kind,
        scopes=row.scopes,
        client_id=application.client_id if application else "",
        is_secret=bool(application and application.client_type == "confidential"),
        redirect_uris=tuple(application.redirect_uris.split()) if application else (),
        launch_url=row.launch_url,
        jwks=row.jwks,
        jwks_url=row.jwks_url,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        last_used_at=row.last_used_at,
        patient=row.patient.fhir_id if row.patient else "",
        open_authorizations=open_authorizations,
    )
