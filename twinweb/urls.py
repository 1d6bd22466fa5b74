"""The URL map: each room brings its own."""

from django.urls import include, path

from twinweb import health

handler500 = "recovery.views.errors.failed"

urlpatterns = [
    path("", include("integrations.fhir.urls_data")),  # first: see there
    path("livez", health.livez),
    path("readyz", health.readyz),
    path("metrics", health.metrics),
    path("", include("recovery.urls")),
    path("", include("integrations.urls")),
]
