"""Signs of life of worker and beat: a small file in the data directory, and in production a Redis key as well.

The file serves processes that share a data directory (embedded, or one host); across hosts the newest beat of any
worker is in one Redis sorted set.
"""

import logging
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings

KEY = "twinweb:heartbeat:{role}"
EVERY = 5.0  # s
PATIENCE = 0.5  # s for each step with Redis: health is asked every few seconds and must not pile up
FORGET_AFTER = 86_400.0  # s; members of hosts that are gone
logger = logging.getLogger(__name__)


def leave(role: str) -> None:
    """Note that `role` (worker, trainer, beat) is alive now. Never raises: a sign of life must not kill."""
    try:
        _touch(_path(role))
        if settings.REDIS_URL:
            _ring_redis(role)
    except Exception as error:
        logger.warning("heartbeat not written: %s", type(error).__name__)


def age(role: str) -> float | None:
    """Seconds since the newest sign of life of `role`, or None when there never was one."""
    return ages([role])[role]


def ages(roles: Sequence[str]) -> dict[str, float | None]:
    """`age` of several roles with one question to Redis, so that a dead Redis is waited for once."""
    now, elsewhere = time.time(), _from_redis(roles)
    return {role: _age(now, _from_file(role), elsewhere.get(role)) for role in roles}


def _age(now: float, *beats: float | None) -> float | None:
    known = [beat for beat in beats if beat is not None]
    return max(0.0, now - max(known)) if known else None


def _path(role: str) -> Path:
    return Path(settings.DATA_DIR) / f"{role}.heartbeat"


def _touch(path: Path) -> None:
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
    os.utime(path)


def _from_file(role: str) -> float | None:
    try:
        return _path(role).stat().st_mtime
    except FileNotFoundError:
        return None


def _ring_redis(role: str) -> None:
    now = time.time()
    with redis_client() as redis:
        redis.zadd(KEY.format(role=role), {f"{os.uname().nodename}:{os.getpid()}": now})
        redis.zremrangebyscore(KEY.format(role=role), 0, now - FORGET_AFTER)


def _from_redis(roles: Sequence[str]) -> dict[str, float]:
    if not settings.REDIS_URL:
        return {}
    try:
        with redis_client() as redis, redis.pipeline(transaction=False) as questions:
            for role in roles:
                questions.zrange(KEY.format(role=role), 0, 0, desc=True, withscores=True)
            newest = questions.execute()
    except Exception:
        return {}
    return {role: float(found[0][1]) for role, found in zip(roles, newest, strict=True) if found}


def redis_client() -> Any:
    """A client of the configured Redis that gives up soon; for signs of life and figures only."""
    from redis import Redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    return Redis.from_url(
        settings.REDIS_URL, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE, retry=Retry(NoBackoff(), 0)
    )
