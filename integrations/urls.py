"""Doors for systems: FHIR and its companions."""

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("integrations.bulk.urls")),
    path("", include("integrations.console.urls")),
    path("", include("integrations.cds_hooks.urls")),
    path("", include("integrations.subscriptions.urls")),
    path("", include("integrations.smart.urls")),
    path("", include("integrations.fhir.urls")),
]
if settings.DEMO:  # the maker of the example watch, which the demonstration plays itself
    urlpatterns.append(path("", include("integrations.simulator.watch_views")))
