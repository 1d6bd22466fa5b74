"""Twelve boards, and whoever reads the page from the top names the right first patient of each (ux.md 8.3).

On each one patient needs somebody most, for a reason that a ward would give; the others are seeded and need less. The
page is read as it is written, in the order of its document, without scripts.
"""

import random
import re
from datetime import timedelta
from html import unescape

import pytest

from tests import factories

pytestmark = pytest.mark.django_db
FIRST = "Zzlast"  # by name alone it would come last
ROW = re.compile(r"<tr data-episode.*?</tr>", re.S)


def risk(middle: float, high: float) -> list[dict]:
    return [factories.said()["risks"][0] | {"probability": middle, "low": middle / 2, "high": high}]


OPEN_HIGH = {"severity": "high"}
OPEN_MEDIUM = {"severity": "medium"}
OPEN_LOW = {"severity": "low", "cause": "drift"}
TAKEN_HIGH = {"severity": "high", "status": "acknowledged"}
SNOOZED_HIGH = {"severity": "high", "status": "snoozed"}
RESOLVED_HIGH = {"severity": "high", "status": "resolved"}
SILENT = {"severity": "medium", "kind": "data_stopped", "cause": "data_stopped", "headline": "No readings for 26 hours"}
CALM, GRAVE = {"state": "on_track", "upper": 0.10}, {"state": "watch", "upper": 0.95}
# name -> (the first: state, upper end of the risk; its alerts as minutes ago and fields), (the others: the same)
BOARDS = {
    "a high alert before medium ones": ((CALM, [(5, OPEN_HIGH)]), (GRAVE, [(300, OPEN_MEDIUM)])),
    "of two high ones that which waits longer": ((CALM, [(50, OPEN_HIGH)]), (GRAVE, [(10, OPEN_HIGH)])),
    "nobody's medium before a high that somebody has": ((CALM, [(5, OPEN_MEDIUM)]), (GRAVE, [(90, TAKEN_HIGH)])),
    "nobody's medium before a high that is snoozed": ((CALM, [(5, OPEN_MEDIUM)]), (GRAVE, [(90, SNOOZED_HIGH)])),
    "an alert before a state": ((CALM, [(5, OPEN_LOW)]), ({"state": "act", "upper": 0.9}, [])),
    "silence before a low alert": ((CALM, [(5, SILENT)]), (GRAVE, [(300, OPEN_LOW)])),
    "the graver of a patient's two alerts counts": (
        (CALM, [(600, OPEN_LOW), (5, OPEN_HIGH)]),
        (GRAVE, [(300, OPEN_MEDIUM)]),
    ),
    "what is resolved counts no more": ((CALM, [(5, OPEN_LOW)]), (GRAVE, [(300, RESOLVED_HIGH)])),
    "a high alert before any risk": ((CALM, [(5, OPEN_HIGH)]), (GRAVE, [])),
    "without alerts the graver state": (({"state": "review", "upper": 0.2}, []), (GRAVE, [])),
    "without alerts not knowing raises the need": (
        ({"state": "on_track", "upper": 0.60, "middle": 0.05}, []),
        ({"state": "on_track", "upper": 0.30, "middle": 0.25}, []),
    ),
    "when all is calm the greatest risk": (({"state": "on_track", "upper": 0.30}, []), (CALM, [])),
}


def test_there_are_twelve_boards():
    assert len(BOARDS) == 12


@pytest.mark.parametrize("name", BOARDS)
def test_the_first_patient_of_the_page_is_the_one_who_needs_somebody_most(scene, name):
    first, others = BOARDS[name]
    scene.alert.delete()
    dice = random.Random(name)
    places = list(range(dice.randint(8, 14)))
    planted = dice.choice(places)
    for place in places:
        (said, alerts), family = (first, FIRST) if place == planted else (others, f"Other{place}")
        upper = said["upper"] if place == planted else said["upper"] * dice.uniform(0.7, 1.0)
        episode = factories.make_episode(scene.episode.team, key=f"b{place}", given_name="A", family_name=family)
        content = factories.said(said["state"], risks=risk(said.get("middle", upper / 2), upper))
        factories.make_snapshot(episode, scene.now, content)
        for minutes, fields in alerts:
            younger = 0 if place == planted else dice.randint(0, 4)
            raised = scene.now - timedelta(minutes=minutes - younger)
            over = {"resolved_at": scene.now} if fields is RESOLVED_HIGH else {}
            factories.make_alert(episode, scene.now, raised_at=raised, **fields, **over)
    rows = ROW.findall(unescape(scene.client("own").get("/patients/").content.decode()))
    assert len(rows) == len(places) + 1
    row = re.sub(r"<[^>]+>|\s+", " ", rows[0])
    assert FIRST in row, name
    if first[1]:
        assert re.search(r"Several readings off their own course|No readings for 26 hours", row), "the row says why"
    assert re.search(r"\d+ in 100 \(\d+ to \d+\)", row) and "within 7 days" in row
