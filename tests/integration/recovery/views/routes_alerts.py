"""Alerts, notifications, rosters and the service page: who gets what (see test_three_people)."""

from typing import Any

from recovery.models import Episode

GET = {
    "alerts": (200, 200, 404, 404, "in"),
    "alert": (302, 404, 404, 404, "in"),
    "alerts_pulse": (200, 200, 404, 404, "in"),
    "alert_catalogue": (200, 200, 404, 200, "in"),
    "notifications": (200, 200, 404, 404, "in"),
    "roster": (200, 200, 404, 404, "in"),
    "service": (200, 200, 404, 200, "in"),
    "service_csv": (200, 200, 404, 200, "in"),
}
POST = {
    "alert_acknowledge": (302, 404, 404, 404, "in"),
    "alert_assign": (400, 404, 404, 404, "in"),
    "alert_snooze": (302, 404, 404, 404, "in"),
    "alert_escalate": (302, 404, 404, 404, "in"),
    "alert_resolve": (302, 404, 404, 404, "in"),
    "alert_reopen": (409, 404, 404, 404, "in"),
    "alert_undo": (409, 404, 404, 404, "in"),
    "alerts_many": (400, 400, 404, 404, "in"),
    "notifications_read": (302, 302, 404, 404, "in"),
    "notifications_wish": (302, 302, 404, 404, "in"),
    "notifications_browser": (400, 400, 404, 404, "in"),
    "notifications_browser_remove": (302, 302, 404, 404, "in"),
    # Members who do not lead the team read its roster and do not write it.
    "roster_turn": (403, 404, 404, 404, "in"),
    "roster_turn_remove": (403, 404, 404, 404, "in"),
    "roster_hook": (403, 404, 404, 404, "in"),
    "roster_hook_remove": (403, 404, 404, 404, "in"),
}
FORMS = {
    "alert_snooze": {"hours": 1, "reason": "in theatre"},
    "alert_resolve": {"outcome": "true_problem", "useful": "yes"},
    "alert_assign": {"user": 999_999_999},
    "notifications_browser": {"endpoint": "https://127.0.0.1/x"},
}
NAMES = (("team", "pk"), ("team", "hook"), ("team",))
OF_AN_ALERT = {name for name in POST if name.startswith("alert_")} | {"alert"}


def values(episode: Episode) -> dict[str, Any]:
    return {"team": episode.team.key if episode.team else "", "hook": "00000000-0000-4000-8000-000000000000"}
