"""Addresses of the FHIR door but those of `urls_data`. Types are checked against the routes table by the views, so that
an unknown one is answered in FHIR's words."""

from django.urls import path, re_path

from integrations.fhir import page, views
from integrations.fhir.operations import views as operations
from integrations.fhir.urls_data import ID, TYPE
from integrations.fhir.views import methods

urlpatterns = [
    path("fhir/codes/preview/", page.preview_one, name="fhir_preview"),
    path("fhir/codes/progress/", page.progress, name="fhir_progress"),
    path("fhir/codes/map/", page.map_one, name="fhir_map"),
    path("fhir/codes/unmap/", page.unmap_one, name="fhir_unmap"),
    re_path(r"^fhir/metadata$", methods(GET=views.metadata)),
    re_path(rf"^fhir/{TYPE}/\$validate$", methods(POST=operations.run_validate)),
    re_path(rf"^fhir/{TYPE}/{ID}/\$validate$", methods(GET=operations.run_validate, POST=operations.run_validate)),
    re_path(r"^fhir/Patient/\$everything$", methods(GET=operations.run_everything, POST=operations.run_everything)),
    re_path(
        rf"^fhir/Patient/{ID}/\$everything$", methods(GET=operations.run_everything, POST=operations.run_everything)
    ),
    re_path(rf"^fhir/Patient/{ID}/\$summary$", methods(GET=operations.run_summary, POST=operations.run_summary)),
    re_path(r"^fhir/Observation/\$lastn$", methods(GET=operations.run_lastn, POST=operations.run_lastn)),
    re_path(r"^fhir/_history$", methods(GET=views.history)),
    re_path(rf"^fhir/{TYPE}/_history$", methods(GET=views.history)),
    re_path(rf"^fhir/{TYPE}/_search$", methods(POST=views.search)),
    re_path(rf"^fhir/Patient/{ID}/\*$", methods(GET=views.search_compartment)),
    re_path(rf"^fhir/Patient/{ID}/{TYPE}$", methods(GET=views.search_compartment)),
    re_path(rf"^fhir/Patient/{ID}/{TYPE}/_search$", methods(POST=views.search_compartment)),
    re_path(rf"^fhir/{TYPE}/{ID}/_history$", methods(GET=views.history)),
    re_path(rf"^fhir/{TYPE}/{ID}/_history/(?P<version>[A-Za-z0-9\-.]{{1,64}})$", methods(GET=views.read_version)),
    re_path(
        r"^fhir/.*$",
        methods(**dict.fromkeys(("GET", "POST", "PUT", "PATCH", "DELETE"), views.nothing_here)),
    ),
]
