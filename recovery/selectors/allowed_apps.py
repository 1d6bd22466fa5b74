"""Apps that a person has allowed and not taken back: each once, with all that it may."""

from dataclasses import dataclass
from datetime import datetime

from recovery.models import Authorization


@dataclass(frozen=True, slots=True)
class AllowedApp:
    connection_id: int
    name: str
    since: datetime
    last_used_at: datetime | None
    scopes: tuple[str, ...]


def allowed_apps(user_id: int) -> list[AllowedApp]:
    rows = Authorization.objects.filter(
        user_id=user_id, revoked_at__isnull=True, connection__revoked_at__isnull=True
    ).select_related("connection")
    found: dict[int, AllowedApp] = {}
    for row in rows.order_by("connection__name", "created_at"):
        before = found.get(row.connection_id)
        scopes = tuple(dict.fromkeys([*(before.scopes if before else ()), *row.scopes.split()]))
        since = before.since if before else row.created_at
        found[row.connection_id] = AllowedApp(
            row.connection_id, row.connection.name, since, row.connection.last_used_at, scopes
        )
    return list(found.values())
