from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    name = "integrations"

    def ready(self) -> None:
        from integrations.portal.plugs import PORTS  # only now are all models there
        from integrations.smart import sessions  # noqa: F401  (listens for people who sign out)
        from recovery.ports import plug_in

        plug_in(PORTS)
