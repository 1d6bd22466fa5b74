"""Health for machines: /livez (the process answers), /readyz (it can serve), /metrics (figures over time).

None of them holds patient data. Not ready (503) means that requests would fail: no database, or one without this
release's tables. Degraded means that answers are right but late or at risk; readyz lists why and stays 200, so that
a worker's trouble does not take the pages away.
"""

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from hmac import compare_digest
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Count, F, Min
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from recovery.models import Owed
from twinweb import heartbeat
from twinweb.broker.depth import broker_state
from twinweb.metrics import exposition

# Ages in seconds after which a part counts as degraded. Worker and beat leave a sign every 5 s and the sweep runs
# every 15 s, so each limit allows three missed ones; owed work is rung for again every 15 s.
OLDEST = {"worker": 20.0, "beat": 20.0, "sweep": 60.0, "owed_work": 120.0}
DISK_FREE = 1 << 30  # bytes; SQLite's log, backups and imports need room


@dataclass(frozen=True)
class Part:
    """One part of the system: does it work, is it needed to serve, and its figures."""

    name: str
    ok: bool
    needed: bool = False
    figures: dict[str, Any] = field(default_factory=dict)


@require_safe
def livez(request: HttpRequest) -> HttpResponse:
    """The process answers. Touches nothing else: a dead database must not make anybody restart the web server."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    parts = examine()
    ready = all(part.ok for part in parts if part.needed)
    body = {
        "ready": ready,
        "degraded": [part.name for part in parts if not part.ok],
        "parts": {part.name: {"ok": part.ok, **part.figures} for part in parts},
    }
    response = JsonResponse(body, status=200 if ready else 503)
    if not ready:
        response["Retry-After"] = "5"
    return response


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus text. Open on the embedded product; in production METRICS_TOKEN is asked for."""
    if not _may_read_metrics(request):
        return HttpResponse("METRICS_TOKEN is needed as a bearer token.\n", status=401, content_type="text/plain")
    return HttpResponse(exposition(examine()), content_type="text/plain; version=0.0.4; charset=utf-8")


def examine() -> list[Part]:
    """Every part, worst news included; never raises."""
    database = _database()
    parts = [database, _migrations() if database.ok else Part("migrations", False, needed=True)]
    parts += _alive(("worker", "beat", "sweep"))
    if all(part.ok for part in parts[:2]):
        parts.append(_guarded("owed_work", _owed_work))
    return [*parts, _guarded("broker", _broker), _guarded("disk", _disk)]


def _guarded(name: str, look: Callable[[], Part]) -> Part:
    try:
        return look()
    except Exception as error:
        return Part(name, ok=False, figures={"error": type(error).__name__})


def _database() -> Part:
    begun = time.perf_counter()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        return Part("database", ok=False, needed=True, figures={"error": type(error).__name__})
    return Part("database", ok=True, needed=True, figures={"milliseconds": _milliseconds(begun)})


_applied = False


def _migrations() -> Part:
    """Are this release's migrations applied? Once they are, they stay so while this process lives."""
    global _applied
    if not _applied:
        try:
            executor = MigrationExecutor(connection)
            _applied = not executor.migration_plan(executor.loader.graph.leaf_nodes())
        except DatabaseError as error:
            return Part("migrations", ok=False, needed=True, figures={"error": type(error).__name__})
    return Part("migrations", ok=_applied, needed=True)


def _alive(roles: Sequence[str]) -> list[Part]:
    return [
        Part(
            role,
            ok=age is not None and age <= OLDEST[role],
            figures={"age_seconds": None if age is None else round(age, 1)},
        )
        for role, age in heartbeat.ages(roles).items()
    ]


def _owed_work() -> Part:
    """Rows that are owed, by kind. Work that waits for a retry counts: it is owed all the same."""
    now = timezone.now()
    owed = Owed.objects.filter(done_seq__lt=F("seq"))
    kinds = {
        row["kind"]: {
            "open": row["open"],
            "oldest_seconds": round(max(0.0, (now - row["since"]).total_seconds()), 1),
        }
        for row in owed.values("kind").annotate(open=Count("id"), since=Min("owed_since")).order_by("kind")
    }
    oldest = max((kind["oldest_seconds"] for kind in kinds.values()), default=0.0)
    return Part("owed_work", ok=oldest <= OLDEST["owed_work"], figures={"oldest_seconds": oldest, "kinds": kinds})


def _broker() -> Part:
    state = broker_state()
    figures = {"dead_letters": state.dead_letters, "queues": [asdict(depth) for depth in state.queues]}
    return Part("broker", ok=True, figures=figures)


def _disk() -> Part:
    usage = shutil.disk_usage(settings.DATA_DIR)
    return Part("disk", ok=usage.free >= DISK_FREE, figures={"free_bytes": usage.free})


def _milliseconds(begun: float) -> float:
    return round(1000 * (time.perf_counter() - begun), 1)


def _may_read_metrics(request: HttpRequest) -> bool:
    if not settings.METRICS_TOKEN:
        return bool(settings.EMBEDDED)
    given = request.headers.get("Authorization", "")
    return compare_digest(given.encode(), f"Bearer {settings.METRICS_TOKEN}".encode())
