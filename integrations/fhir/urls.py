"""Addresses of the FHIR door. Types are checked against the routes table by the views, so that an unknown one is
answered in FHIR's words."""

from django.urls import path, re_path

from integrations.fhir import bundle_view, page, views
from integrations.fhir.operations import views as operations
from integrations.fhir.views import methods

_TYPE, _ID = r"(?P<type_name>[A-Z][A-Za-z]+)", r"(?P<fhir_id>[A-Za-z0-9\-.]{1,64})"
_SYSTEMS = methods(POST=bundle_view.transact)

urlpatterns = [
    path("fhir/", page.front(_SYSTEMS), name="fhir_page"),
    path("fhir", page.front(_SYSTEMS)),
    path("fhir/codes/preview/", page.preview_one, name="fhir_preview"),
    path("fhir/codes/progress/", page.progress, name="fhir_progress"),
    path("fhir/codes/map/", page.map_one, name="fhir_map"),
    path("fhir/codes/unmap/", page.unmap_one, name="fhir_unmap"),
    re_path(r"^fhir/metadata$", methods(GET=views.metadata)),
    re_path(
        rf"^fhir/{_TYPE}$",
        methods(GET=views.search, POST=views.create, PUT=views.update, PATCH=views.patch_resource, DELETE=views.delete),
    ),
    re_path(rf"^fhir/{_TYPE}/\$validate$", methods(POST=operations.run_validate)),
    re_path(rf"^fhir/{_TYPE}/{_ID}/\$validate$", methods(GET=operations.run_validate, POST=operations.run_validate)),
    re_path(r"^fhir/Patient/\$everything$", methods(GET=operations.run_everything, POST=operations.run_everything)),
    re_path(
        rf"^fhir/Patient/{_ID}/\$everything$", methods(GET=operations.run_everything, POST=operations.run_everything)
    ),
    re_path(rf"^fhir/Patient/{_ID}/\$summary$", methods(GET=operations.run_summary, POST=operations.run_summary)),
    re_path(r"^fhir/Observation/\$lastn$", methods(GET=operations.run_lastn, POST=operations.run_lastn)),
    re_path(r"^fhir/_history$", methods(GET=views.history)),
    re_path(rf"^fhir/{_TYPE}/_history$", methods(GET=views.history)),
    re_path(rf"^fhir/{_TYPE}/_search$", methods(POST=views.search)),
    re_path(
        rf"^fhir/{_TYPE}/{_ID}$",
        methods(GET=views.read, PUT=views.update, PATCH=views.patch_resource, DELETE=views.delete),
    ),
    re_path(rf"^fhir/Patient/{_ID}/\*$", methods(GET=views.search_compartment)),
    re_path(rf"^fhir/Patient/{_ID}/{_TYPE}$", methods(GET=views.search_compartment)),
    re_path(rf"^fhir/Patient/{_ID}/{_TYPE}/_search$", methods(POST=views.search_compartment)),
    re_path(rf"^fhir/{_TYPE}/{_ID}/_history$", methods(GET=views.history)),
    re_path(rf"^fhir/{_TYPE}/{_ID}/_history/(?P<version>[A-Za-z0-9\-.]{{1,64}})$", methods(GET=views.read_version)),
    re_path(
        r"^fhir/.*$",
        methods(**dict.fromkeys(("GET", "POST", "PUT", "PATCH", "DELETE"), views.nothing_here)),
    ),
]
