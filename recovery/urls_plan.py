"""Enrolment, the plan of an episode, teams and pathways."""

from django.urls import URLPattern, URLResolver, path

from recovery.views import enrol, pathways, teams

urlpatterns: list[URLPattern | URLResolver] = [
    path("enrol/", enrol.enrol, name="enrol"),
    path("enrol/<uuid:key>/", enrol.adopt, name="enrol_adopt"),
    path("patients/<uuid:key>/plan/", enrol.show_plan, name="plan"),
    path("patients/<uuid:key>/plan/move/", enrol.move, name="plan_move"),
    path("patients/<uuid:key>/plan/surgeon/", enrol.set_surgeon, name="plan_surgeon"),
    path("patients/<uuid:key>/plan/transfer/", enrol.transfer, name="plan_transfer"),
    path("patients/<uuid:key>/plan/end/", enrol.finish, name="plan_end"),
    path("patients/<uuid:key>/plan/pathway/", enrol.change_pathway, name="plan_pathway"),
    path("plan/changes/<uuid:key>/undo/", enrol.undo, name="plan_undo"),
    path("pathways/", pathways.show_pathways, name="pathways"),
    path("pathways/new/", pathways.new_pathway, name="pathway_new"),
    path("pathways/<slug:slug>/", pathways.show_pathway, name="pathway"),
    path("pathways/<slug:slug>/edit/", pathways.edit_pathway, name="pathway_edit"),
    path("team/", teams.show_staff, name="team"),
    path("team/invite/", teams.invite, name="team_invite"),
    path("team/open/", teams.open_team, name="team_open"),
    path("team/<int:pk>/", teams.show_member, name="team_member"),
    path("team/<int:pk>/role/", teams.change_role, name="team_role"),
    path("team/<int:pk>/active/", teams.set_active, name="team_active"),
    path("team/<int:pk>/link/", teams.new_link, name="team_new_link"),
    path("team/<int:pk>/join/", teams.add_membership, name="team_join"),
    path("team/<int:pk>/leave/<int:membership>/", teams.end_membership, name="team_leave"),
    path("welcome/", teams.welcome, name="welcome"),
]
