"""The URL map: each room brings its own."""

from django.urls import include, path

from twinweb import health

handler400 = "recovery.views.errors.bad_request"
handler403 = "recovery.views.errors.forbidden"
handler404 = "recovery.views.errors.not_found"
handler429 = "recovery.views.errors.too_many"  # asked for by the sign-in library
handler500 = "recovery.views.errors.failed"

urlpatterns = [
    path("", include("integrations.fhir.urls_data")),  # first: see there
    path("livez", health.livez),
    path("readyz", health.readyz),
    path("metrics", health.metrics),
    path("", include("recovery.urls")),
    path("", include("integrations.urls")),
]
