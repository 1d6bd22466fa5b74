"""Addresses of the authorization server. They stand before the FHIR door's, which answers for all below /fhir."""

from django.urls import path

from integrations.smart import authorize, console, ehr, launch, mine, views

urlpatterns = [
    path(".well-known/smart-configuration", views.show_configuration),
    path("fhir/.well-known/smart-configuration", views.show_configuration, name="smart_configuration"),
    path(".well-known/openid-configuration", views.show_openid_configuration, name="openid_configuration"),
    path("fhir/.well-known/openid-configuration", views.show_openid_configuration),
    path("oauth/authorize", authorize.authorize, name="smart_authorize"),
    path("oauth/token", views.give_token, name="smart_token"),
    path("oauth/revoke", views.revoke_token, name="smart_revoke"),
    path("oauth/introspect", views.introspect, name="smart_introspect"),
    path("oauth/jwks", views.show_keys, name="smart_jwks"),
    path("oauth/register", views.register, name="smart_register"),
    path("oauth/launch", launch.register_launch, name="smart_launch"),
    path("patients/<uuid:key>/apps/", launch.apps_of_patient, name="patient_apps"),
    path("launch", ehr.begin, name="ehr_launch"),
    path("launch/back", ehr.back, name="ehr_back"),
    path("connections/", console.show_connections, name="connections"),
    path("connections/new/", console.add_connection, name="connection_new"),
    path("connections/<int:row_id>/", console.show_connection, name="connection"),
    path("connections/<int:row_id>/rotate/", console.rotate, name="connection_rotate"),
    path("connections/<int:row_id>/keys/", console.change_keys, name="connection_keys"),
    path("connections/<int:row_id>/revoke/", console.revoke, name="connection_revoke"),
    path("apps/", mine.show_my_apps, name="my_apps"),
    path("apps/<int:row_id>/end/", mine.end_my_app, name="my_app_end"),
]
