"""Addresses of `$export`; they go before those of the FHIR door, which answers everything below /fhir."""

from functools import partial
from typing import cast

from django.urls import path, re_path

from integrations.bulk import views
from integrations.fhir.views import View, methods

_OF_ALL = partial(views.kick_off, kind="system")
_OF_PATIENTS = partial(views.kick_off, kind="patient")
_OF_GROUP = partial(views.kick_off, kind="group")

urlpatterns = [
    re_path(r"^fhir/\$export$", methods(GET=_OF_ALL, POST=_OF_ALL)),
    re_path(r"^fhir/Patient/\$export$", methods(GET=_OF_PATIENTS, POST=_OF_PATIENTS)),
    re_path(r"^fhir/Group/(?P<fhir_id>[A-Za-z0-9\-.]{1,64})/\$export$", methods(GET=_OF_GROUP, POST=_OF_GROUP)),
    path("fhir/bulk/status/<uuid:key>", methods(GET=views.status, DELETE=views.cancel), name="export_status"),
    path("fhir/bulk/files/<uuid:key>/<str:name>", methods(GET=cast(View, views.file)), name="export_file"),
]
