"""The patient's own pages and check-ins: (own team, other team, the patient, administrator, anonymous).

The check-in asked for is one that can be begun at any time; nothing was begun, so its later pages lead to its start.
"""

from typing import Any

ONLY_THE_PATIENT = (404, 404, 200, 404, "in")
LEADS_ELSEWHERE = (404, 404, 302, 404, "in")
NOTHING_THERE = (404, 404, 404, 404, "in")

GET = {
    "me": ONLY_THE_PATIENT,
    "me_readings": ONLY_THE_PATIENT,
    "me_settings": ONLY_THE_PATIENT,
    "me_manifest": (200, 200, 200, 200, 200),
    "me_worker": (200, 200, 200, 200, 200),
    "check_in_now": LEADS_ELSEWHERE,
    "check_in": ONLY_THE_PATIENT,
    "check_in_whole": ONLY_THE_PATIENT,
    "check_in_question": LEADS_ELSEWHERE,
    "check_in_care": LEADS_ELSEWHERE,
    "check_in_photo": NOTHING_THERE,
    "check_in_review": LEADS_ELSEWHERE,
    "check_in_done": NOTHING_THERE,
    "invite": (200, 200, 200, 200, 200),
    "invite_code": (200, 200, 200, 200, 200),
    "invite_looks": (302, 302, 302, 302, 302),
    "invite_sign_in": (302, 302, 302, 302, 302),
    "portal_access": (200, 404, 404, 404, "in"),
    "answers": (200, 404, 404, 404, "in"),
    "patient_photo": NOTHING_THERE,
}
POST: dict[str, tuple[Any, ...]] = {
    "me_goal_add": LEADS_ELSEWHERE,
    "me_goal_rate": NOTHING_THERE,
    "me_goal_drop": NOTHING_THERE,
    "check_in_photo_drop": LEADS_ELSEWHERE,
    "portal_revoke": (302, 404, 404, 404, "in"),
    "check_in_outbox": (404, 404, 422, 404, "in"),
}
FORMS = {"me_goal_add": {"text": "walk to the shop"}, "me_goal_rate": {"closeness": 3}}
VALUES = {"slot": "extra-ab12", "number": 2, "code": "K7QF3M2P9XTD4RWZ", "photo": "none-such"}
NAMES = (("key", "photo"), ("code",), ("slot", "number"), ("slot",))
