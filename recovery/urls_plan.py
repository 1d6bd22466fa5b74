"""Enrolment, the plan of an episode, teams and pathways."""

from django.urls import URLPattern, URLResolver, path

from recovery.views import enrol, pathways

urlpatterns: list[URLPattern | URLResolver] = [
    path("enrol/", enrol.enrol, name="enrol"),
    path("enrol/<uuid:key>/", enrol.adopt, name="enrol_adopt"),
    path("patients/<uuid:key>/plan/", enrol.show_plan, name="plan"),
    path("patients/<uuid:key>/plan/move/", enrol.move, name="plan_move"),
    path("patients/<uuid:key>/plan/transfer/", enrol.transfer, name="plan_transfer"),
    path("patients/<uuid:key>/plan/end/", enrol.finish, name="plan_end"),
    path("patients/<uuid:key>/plan/pathway/", enrol.change_pathway, name="plan_pathway"),
    path("plan/changes/<uuid:key>/undo/", enrol.undo, name="plan_undo"),
    path("pathways/", pathways.show_pathways, name="pathways"),
    path("pathways/new/", pathways.new_pathway, name="pathway_new"),
    path("pathways/<slug:slug>/", pathways.show_pathway, name="pathway"),
    path("pathways/<slug:slug>/edit/", pathways.edit_pathway, name="pathway_edit"),
]
