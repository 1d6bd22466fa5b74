"""Whose pages accounts, teams, enrolment, pathways and emergency access are: rows of the table of test_three_people.

As there: own team, other team, the patient, administrator, anonymous.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

MOVED_TO = (datetime.now(UTC) - timedelta(days=3)).strftime("%Y-%m-%dT%H:%M")
EVERYONE = (200, 200, 200, 200, "in")
ASKED_AGAIN = (302, 302, 302, 302, "in")  # to confirm who they are, or to where there is something to do
NOT_YET = (404, 404, 404, 404, "in")  # there is no second factor to speak of
OPEN = (302, 302, 302, 302, 302)

GET = {
    "account": EVERYONE,
    "account_login": (302, 302, 302, 302, 200),
    "account_change_password": EVERYONE,
    "account_set_password": ASKED_AGAIN,
    "account_reauthenticate": EVERYONE,
    "account_inactive": (200, 200, 200, 200, 200),
    "session": (200, 200, 200, 200, 200),
    "mfa_index": EVERYONE,
    "mfa_list_webauthn": EVERYONE,
    "mfa_authenticate": OPEN,
    "mfa_reauthenticate": ASKED_AGAIN,
    "mfa_reauthenticate_webauthn": ASKED_AGAIN,
    "mfa_activate_totp": ASKED_AGAIN,
    "mfa_deactivate_totp": NOT_YET,
    "mfa_add_webauthn": ASKED_AGAIN,
    "mfa_edit_webauthn": ASKED_AGAIN,
    "mfa_remove_webauthn": ASKED_AGAIN,
    "mfa_login_webauthn": OPEN,
    "mfa_view_recovery_codes": NOT_YET,
    "mfa_generate_recovery_codes": ASKED_AGAIN,
    "mfa_download_recovery_codes": NOT_YET,
    "openid_connect_login": (404, 404, 404, 404, 404),
    "openid_connect_callback": (404, 404, 404, 404, 404),
    "enrol": (200, 200, 404, 404, "in"),
    "plan": (200, 404, 404, 404, "in"),
    "pathways": (403, 403, 403, 200, "in"),
    "pathway": (403, 403, 403, 404, "in"),
    "pathway_new": (403, 403, 403, 200, "in"),
    "pathway_edit": (403, 403, 403, 404, "in"),
    "team": (403, 403, 403, 200, "in"),
    "team_invite": (403, 403, 403, 200, "in"),
    "team_member": (403, 403, 403, 200, "in"),
    "welcome": (200, 200, 200, 200, 200),
    "emergency": (200, 200, 404, 404, "in"),
    "emergency_review": (403, 403, 403, 200, "in"),
    "socialaccount_login_cancelled": (200, 200, 200, 200, 200),
    "socialaccount_login_error": (401, 401, 401, 401, "in"),
}
POST = {
    "account_logout": OPEN,
    "session_end": (404, 404, 404, 404, "in"),
    "enrol_adopt": (404, 404, 403, 403, "in"),
    "plan_move": (302, 404, 404, 404, "in"),
    "plan_surgeon": (302, 404, 404, 404, "in"),
    "plan_transfer": (200, 404, 404, 404, "in"),
    "plan_end": (302, 404, 404, 404, "in"),
    "plan_pathway": (404, 404, 404, 404, "in"),
    "plan_undo": (404, 404, 404, 404, "in"),
    "team_open": (403, 403, 403, 302, "in"),
    "team_role": (403, 403, 403, 302, "in"),
    "team_active": (403, 403, 403, 302, "in"),
    "team_new_link": (403, 403, 403, 302, "in"),
    "team_join": (403, 403, 403, 302, "in"),
    "team_leave": (403, 403, 403, 404, "in"),
    "emergency_open": (400, 400, 403, 403, "in"),
    "emergency_close": (404, 404, 404, 404, "in"),
    "emergency_answer": (403, 403, 403, 404, "in"),
}
FORMS: dict[str, dict[str, object]] = {
    "emergency_open": {"ticket": "made-up", "reason": "unconscious in the lift"},
    "team_open": {"key": "ward-10", "name": "Ward 10"},
    "team_role": {"role": "lead"},
    "team_active": {"active": "no"},
    "team_join": {"team": "ward-9"},
    "enrol_adopt": {"team": "ward-9"},
    "plan_move": {"end": MOVED_TO, "reason": "wrong day"},
    "plan_surgeon": {"surgeon": "Dr. Ada Lane", "reason": "no record sends it"},
    "plan_transfer": {"team": "ward-9", "reason": "moved beds"},
    "plan_end": {"reason": "went home"},
    "plan_pathway": {"pathway": "nowhere/1", "reason": "none"},
    "emergency_answer": {"verdict": "approved"},
}
NAMES = (("slug",), ("pk", "membership"))


def values(name: str, scene: Any) -> dict[str, Any]:
    """What stands in the addresses of these pages; the member of staff is the one of our own team."""
    return {"slug": "nowhere", "membership": 0} | ({"pk": scene.own.pk} if name.startswith("team_") else {})
