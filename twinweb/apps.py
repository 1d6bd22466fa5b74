from django.apps import AppConfig


class TwinwebConfig(AppConfig):
    name = "twinweb"
