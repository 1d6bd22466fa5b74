"""The patient's own pages: home, readings, check-ins, settings and the way in; and the team's side of them."""

from django.urls import URLPattern, URLResolver, path

from recovery.views import check_ins, invites, me, outbox, portal_access, portal_app

urlpatterns: list[URLPattern | URLResolver] = [
    path("me/", me.show_me, name="me"),
    path("me/readings/", me.show_readings, name="me_readings"),
    path("me/settings/", me.show_settings, name="me_settings"),
    path("me/goals/", me.add_goal, name="me_goal_add"),
    path("me/goals/<uuid:key>/rate/", me.rate_goal, name="me_goal_rate"),
    path("me/goals/<uuid:key>/drop/", me.drop_goal, name="me_goal_drop"),
    path("me/check-in/", check_ins.show_now, name="check_in_now"),
    path("me/check-in/<slug:slot>/", check_ins.start, name="check_in"),
    path("me/check-in/<slug:slot>/q/<int:number>/", check_ins.question, name="check_in_question"),
    path("me/check-in/<slug:slot>/q/<int:number>/care/", check_ins.care, name="check_in_care"),
    path("me/check-in/<slug:slot>/q/<int:number>/photo/", check_ins.draft_photo, name="check_in_photo"),
    path("me/check-in/<slug:slot>/q/<int:number>/photo/drop/", check_ins.drop_photo, name="check_in_photo_drop"),
    path("me/check-in/<slug:slot>/send/", check_ins.review, name="check_in_review"),
    path("me/check-in/<slug:slot>/done/", check_ins.done, name="check_in_done"),
    path("me/check-in/<slug:slot>/whole/", outbox.whole, name="check_in_whole"),
    path("me/check-in/<slug:slot>/outbox/", outbox.outbox, name="check_in_outbox"),
    path("invite/", invites.open_invite, name="invite"),
    path("invite/looks/", invites.choose_looks, name="invite_looks"),
    path("invite/sign-in/", invites.choose_sign_in, name="invite_sign_in"),
    path("invite/<slug:code>/", invites.open_invite, name="invite_code"),
    path("patients/<uuid:key>/portal/", portal_access.show_access, name="portal_access"),
    path("patients/<uuid:key>/portal/revoke/", portal_access.revoke, name="portal_revoke"),
    path("patients/<uuid:key>/answers/", portal_access.show_answers, name="answers"),
    path("patients/<uuid:key>/photos/<slug:photo>/", portal_access.show_photo, name="patient_photo"),
    path("me/app.webmanifest", portal_app.manifest, name="me_manifest"),
    path("me/worker.js", portal_app.worker, name="me_worker"),
]
