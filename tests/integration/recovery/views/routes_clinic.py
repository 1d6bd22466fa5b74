"""Who may see the care team's further pages (see test_three_people)."""

from tests import factories

GET = {
    "readings": (200, 404, 404, 404, "in"),
    "readings_csv": (200, 404, 404, 404, "in"),
    "board_csv": (200, 200, 404, 404, "in"),
    "patient_summary": (200, 404, 404, 404, "in"),
    "compare": (200, 404, 404, 404, "in"),
    "record_send": (200, 404, 404, 404, "in"),
    "search": (200, 200, 404, 404, "in"),
    "tour": (200, 200, 404, 404, "in"),
    "handover": (200, 200, 404, 404, "in"),
    "handover_pdf": (200, 200, 404, 404, "in"),
    "handover_file": (200, 200, 404, 404, "in"),
    "reading": (200, 404, 404, 404, "in"),
}
POST = {
    "board_settings": (302, 302, 404, 404, "in"),
    "view_save": (302, 302, 404, 404, "in"),
    "view_delete": (404, 404, 404, 404, "in"),
    "theme": (302, 302, 302, 302, "in"),
    "tour_practise": (200, 200, 404, 404, "in"),
    "tour_end": (302, 302, 404, 404, "in"),
    "bulk_write": (400, 400, 404, 404, "in"),
    "patient_seen": (204, 404, 404, 404, "in"),
    "bulk": (200, 200, 404, 404, "in"),
    "bulk_act": (400, 400, 404, 404, "in"),
    "reading_mark": (302, 404, 404, 404, "in"),
    "reading_unmark": (409, 404, 404, 404, "in"),
}
FORMS = {
    "reading_mark": {"reason": "Device fault"},
    "board_settings": {"density": "dense"},
    "view_save": {"name": "Mine", "query": "owner=mine"},
    "theme": {"theme": "dark"},
    "tour_practise": {"answer": "snooze"},
    "patient_seen": {"at": "2026-03-04T10:00:00+00:00"},
    "bulk_write": {"subject": "Your watch"},
    "bulk_act": {"action": "acknowledge"},
}


def values(name: str, episode) -> dict[str, str]:
    """Further parts of the address of `name`; what it is about is made first."""
    return {"reading": factories.make_reading(episode)} if name.startswith("reading") else {}
