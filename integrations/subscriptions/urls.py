"""Addresses of the operations of Subscription, which go before the catch-all of the FHIR door."""

from django.urls import re_path

from integrations.fhir.views import methods
from integrations.subscriptions import views

_ID = r"(?P<fhir_id>[A-Za-z0-9\-.]{1,64})"

urlpatterns = [
    re_path(r"^fhir/Subscription/\$status$", methods(GET=views.run_status, POST=views.run_status)),
    re_path(rf"^fhir/Subscription/{_ID}/\$status$", methods(GET=views.run_status, POST=views.run_status)),
    re_path(rf"^fhir/Subscription/{_ID}/\$events$", methods(GET=views.run_events, POST=views.run_events)),
]
