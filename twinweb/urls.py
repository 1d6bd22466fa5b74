"""The URL map: each room brings its own."""

from django.urls import include, path

from twinweb import health

handler500 = "recovery.views.errors.failed"

urlpatterns = [
    path("livez", health.livez),
    path("readyz", health.readyz),
    path("metrics", health.metrics),
    path("", include("recovery.urls")),
    path("", include("integrations.urls")),
]
