"""The patient's people, consent, messages, devices and record; the team's side of messages; requests to be erased."""

from django.urls import URLPattern, URLResolver, path

from recovery.views import (
    erasures,
    messages,
    portal_consent,
    portal_devices,
    portal_messages,
    portal_people,
    portal_record,
    portal_reminders,
    portal_vendors,
    sms,
)

urlpatterns: list[URLPattern | URLResolver] = [
    path("me/people/", portal_people.show_people, name="me_people"),
    path("me/people/invite/", portal_people.invite, name="me_person_invite"),
    path("me/people/<uuid:key>/change/", portal_people.change, name="me_person_change"),
    path("me/people/<uuid:key>/end/", portal_people.end, name="me_person_end"),
    path("me/people/<uuid:key>/in/", portal_people.go_in, name="me_go_in"),
    path("join/<str:token>/", portal_people.join, name="join"),
    path("me/consent/", portal_consent.show_consent, name="me_consent"),
    path("me/consent/<slug:purpose>/", portal_consent.decide, name="me_consent_decide"),
    path("me/record/", portal_record.show_record, name="me_record"),
    path("me/record/take/", portal_record.take, name="me_record_take"),
    path("me/record/erase/", portal_record.ask_erasure, name="me_erasure"),
    path("me/record/erase/back/", portal_record.take_back_erasure, name="me_erasure_back"),
    path("me/messages/", portal_messages.show_messages, name="me_messages"),
    path("me/messages/<uuid:key>/", portal_messages.show_thread, name="me_thread"),
    path("me/devices/", portal_devices.show_devices, name="me_devices"),
    path("me/devices/choose/", portal_devices.choose, name="me_source_choose"),
    path("me/devices/type/", portal_devices.type_in, name="me_type_in"),
    path("me/devices/with/<slug:provider>/", portal_vendors.show_vendor, name="me_vendor"),
    path("me/devices/with/<slug:provider>/connect/", portal_vendors.connect, name="me_vendor_connect"),
    path("me/devices/with/<slug:provider>/back/", portal_vendors.come_back, name="me_vendor_back"),
    path("me/devices/with/<slug:provider>/end/", portal_vendors.disconnect, name="me_vendor_end"),
    path("me/reminders/", portal_reminders.show_reminders, name="me_reminders"),
    path("sms/inbound/", sms.receive, name="sms_inbound"),
    path("messages/", messages.show_inbox, name="staff_messages"),
    path("messages/<uuid:key>/", messages.show_thread, name="staff_thread"),
    path("messages/<uuid:key>/settle/", messages.settle, name="staff_thread_settle"),
    path("patients/<uuid:key>/write/", messages.write_to, name="write_to_patient"),
    path("data/erasures/", erasures.show_erasures, name="erasures"),
    path("data/erasures/<uuid:key>/hold/", erasures.hold, name="erasure_hold"),
    path("data/erasures/<uuid:key>/erase/", erasures.erase, name="erasure_erase"),
]
