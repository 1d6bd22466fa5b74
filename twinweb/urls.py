"""The URL map: each room brings its own."""

from django.urls import include, path

urlpatterns = [
    path("", include("recovery.urls")),
    path("", include("integrations.urls")),
]
