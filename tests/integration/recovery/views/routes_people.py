"""Who may see the patient's own people, consent and record, messages, devices, and requests to be erased."""

# What a patient decides alone: to all others it does not exist.
ONLY_SELF = (404, 404, 200, 404, "in")
SENT = (404, 404, 302, 404, "in")
NOT_THERE = (404, 404, 404, 404, "in")

GET = {
    "me_people": ONLY_SELF,
    "me_consent": ONLY_SELF,
    "me_record": ONLY_SELF,
    "me_messages": ONLY_SELF,
    "me_thread": NOT_THERE,
    "me_devices": ONLY_SELF,
    "me_reminders": ONLY_SELF,
    "me_vendor": ONLY_SELF,
    "me_vendor_back": (404, 404, 400, 404, "in"),  # without a state that began here
    "staff_messages": (200, 200, 404, 404, "in"),
    "staff_thread": NOT_THERE,
    "write_to_patient": (200, 404, 404, 404, "in"),
    "join": (404, 404, 404, 404, 404),
    "erasures": (403, 403, 403, 200, "in"),
}
POST = {
    "me_person_invite": ONLY_SELF,
    "me_person_change": NOT_THERE,
    "me_person_end": NOT_THERE,
    "me_go_in": NOT_THERE,
    "me_consent_decide": SENT,
    "me_record_take": (404, 404, 400, 404, "in"),  # a wrong password: test_portal_record has the right one
    "me_erasure": SENT,
    "me_erasure_back": (404, 404, 409, 404, "in"),
    "me_source_choose": SENT,
    "me_type_in": SENT,
    "me_vendor_connect": SENT,
    "me_push_add": (404, 404, 400, 404, "in"),  # no keys: test_patient_notices has them
    "me_push_end": SENT,
    "me_phone_code": SENT,
    "me_vendor_end": SENT,
    "sms_inbound": (404, 404, 404, 404, 404),
    "staff_thread_settle": NOT_THERE,
    "erasure_hold": (403, 403, 403, 404, "in"),
    "erasure_erase": (403, 403, 403, 404, "in"),
}
FORMS = {
    "me_source_choose": {"metric": "steps"},
    "me_type_in": {"kind": "temperature", "value": "37,2"},
    "me_person_invite": {"called": "Anna", "relation": "daughter", "scopes": ["see"]},
    "me_person_change": {"scopes": ["see"]},
    "me_record_take": {"what": "ips", "password": "not it"},
    "erasure_hold": {"reason": "Records are kept ten years."},
}
VALUES = {"token": "no-such-link", "purpose": "care", "provider": "example-watch"}
NAMES = (("token",), ("purpose",), ("provider",))
