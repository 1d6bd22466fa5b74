"""The patient's people, consent, messages, devices and record; the team's side of messages; requests to be erased."""

from django.urls import URLPattern, URLResolver, path

from recovery.views import portal_people

urlpatterns: list[URLPattern | URLResolver] = [
    path("me/people/", portal_people.show_people, name="me_people"),
    path("me/people/invite/", portal_people.invite, name="me_person_invite"),
    path("me/people/<uuid:key>/change/", portal_people.change, name="me_person_change"),
    path("me/people/<uuid:key>/end/", portal_people.end, name="me_person_end"),
    path("me/people/<uuid:key>/in/", portal_people.go_in, name="me_go_in"),
    path("join/<str:token>/", portal_people.join, name="join"),
]
