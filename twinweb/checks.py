"""System checks of the wiring: combinations of settings that would run and be wrong."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

E014 = "The demo ward (TWINWEB_DEMO=1) together with DATABASE_URL would put synthetic patients in a real database."
E015 = "A task may run for longer than a message stays hidden, so Redis would hand it out again while it runs."


@register(deploy=True)
def redis_keeps_messages(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """twinweb.E010, E011, W012, W013: is Redis fit to hold messages? Only with `check --deploy`: it asks Redis."""
    if not settings.REDIS_URL:
        return []
    from twinweb.redis_guard import examine

    return [
        (Error if finding.fatal else Warning)(finding.text, id=finding.id) for finding in examine(settings.REDIS_URL)
    ]


@register
def demo_stays_out_of_production(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """twinweb.E014."""
    if settings.DEMO and not settings.EMBEDDED:
        return [Error(E014, hint="Unset TWINWEB_DEMO, or run the demo without DATABASE_URL.", id="twinweb.E014")]
    return []


@register
def tasks_end_before_their_message_returns(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """twinweb.E015."""
    from twinweb.celery import app

    visibility = app.conf.broker_transport_options.get("visibility_timeout", 0)
    if settings.REDIS_URL and app.conf.task_time_limit >= visibility:
        return [Error(E015, id="twinweb.E015")]
    return []
