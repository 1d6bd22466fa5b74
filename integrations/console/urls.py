"""Addresses of the integrator's page."""

from django.urls import path

from integrations.console import views

urlpatterns = [
    path("connections/status/", views.show_status, name="connections_status"),
    path("connections/status/pause/", views.pause, name="pipe_pause"),
    path("connections/status/resume/", views.resume, name="pipe_resume"),
    path("connections/status/test/", views.test, name="pipe_test"),
    path("connections/status/replay/", views.replay, name="subscription_replay"),
    path("connections/status/letters/open/", views.open_letter, name="letter_open"),
    path("connections/status/letters/retry/", views.retry_letters, name="letter_retry"),
    path("connections/status/letters/drop/", views.drop_letter, name="letter_drop"),
    path("connections/status/merges/undo/", views.unmerge, name="merge_undo"),
]
