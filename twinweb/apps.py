from django.apps import AppConfig


class TwinwebConfig(AppConfig):
    name = "twinweb"

    def ready(self) -> None:
        # The Celery application must be the current one wherever a doorbell is rung, and checks register on import.
        from recovery.signs import Sign, Signs, plug_in
        from twinweb import celery, checks, health, heartbeat, sign_in_trail  # noqa: F401

        def examine() -> list[Sign]:
            return [Sign(part.name, part.ok, part.figures) for part in health.examine()]

        plug_in(Signs(examine, heartbeat.leave, heartbeat.age))
