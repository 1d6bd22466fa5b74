"""The addresses that systems write and read all day. They stand before every other address of the product: Django tries
addresses one after the other, twice a request, and trying them all took a fifth of the time of a single POST.
"""

from django.urls import path, re_path

from integrations.fhir import bundle_view, page, views
from integrations.fhir.views import methods

TYPE, ID = r"(?P<type_name>[A-Z][A-Za-z]+)", r"(?P<fhir_id>[A-Za-z0-9\-.]{1,64})"
_SYSTEMS = methods(POST=bundle_view.transact)

urlpatterns = [
    path("fhir", page.front(_SYSTEMS)),
    re_path(
        rf"^fhir/{TYPE}$",
        methods(GET=views.search, POST=views.create, PUT=views.update, PATCH=views.patch_resource, DELETE=views.delete),
    ),
    path("fhir/", page.front(_SYSTEMS), name="fhir_page"),
    re_path(
        rf"^fhir/{TYPE}/{ID}$",
        methods(GET=views.read, PUT=views.update, PATCH=views.patch_resource, DELETE=views.delete),
    ),
]
