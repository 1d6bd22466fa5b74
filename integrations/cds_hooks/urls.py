"""Addresses of CDS Hooks."""

from django.urls import path

from integrations.cds_hooks import views

urlpatterns = [
    path("cds-services", views.door(GET=views.discover), name="cds_services"),
    path("cds-services/", views.door(GET=views.discover)),
    path("cds-services/<slug:service_id>", views.door(POST=views.run_service), name="cds_service"),
    path("cds-services/<slug:service_id>/feedback", views.door(POST=views.take), name="cds_feedback"),
]
