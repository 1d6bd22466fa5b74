"""Who may see the care team's further pages (see test_three_people)."""

from tests import factories

GET = {
    "readings": (200, 404, 404, 404, "in"),
    "readings_csv": (200, 404, 404, 404, "in"),
    "reading": (200, 404, 404, 404, "in"),
}
POST = {
    "reading_mark": (302, 404, 404, 404, "in"),
    "reading_unmark": (409, 404, 404, 404, "in"),
}
FORMS = {"reading_mark": {"reason": "Device fault"}}


def values(name: str, episode) -> dict[str, str]:
    """Further parts of the address of `name`; what it is about is made first."""
    return {"reading": factories.make_reading(episode)} if name in ("reading", *POST) else {}
