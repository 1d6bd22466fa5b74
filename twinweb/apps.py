from django.apps import AppConfig


class TwinwebConfig(AppConfig):
    name = "twinweb"

    def ready(self) -> None:
        # The Celery application must be the current one wherever a doorbell is rung, and checks register on import.
        from twinweb import celery, checks, sign_in_trail  # noqa: F401
