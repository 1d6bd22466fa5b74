from django.apps import AppConfig
from django.conf import settings


class TwinwebConfig(AppConfig):
    name = "twinweb"

    def ready(self) -> None:
        # The Celery application must be the current one wherever a doorbell is rung; checks and receivers register on
        # import.
        from recovery.signs import Sign, Signs, plug_in
        from twinweb import backup, celery, checks, health, heartbeat, postgres, sign_in_trail  # noqa: F401

        def examine() -> list[Sign]:
            parts = [Sign(part.name, part.ok, part.figures) for part in health.examine()]
            return [*parts, Sign("backups", True, backup.ages(settings.DATA_DIR))]

        plug_in(Signs(examine, heartbeat.leave, heartbeat.age))
