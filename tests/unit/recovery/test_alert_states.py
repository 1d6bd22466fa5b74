"""The table of what may be done with an alert, and the picture of it in the documents."""

from pathlib import Path

from recovery.alert_states import AS_IT_WAS, BY_THE_PRODUCT, CAN_BE_UNDONE, DONE, TRANSITIONS, diagram
from recovery.management.commands.draw_alert_states import drawn_into
from recovery.models import Alert
from recovery.presenters.alerts import ACTIONS

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "alerts.md"


def test_the_diagram_in_the_documents_is_drawn_from_the_table_as_it_is():
    text = DOCUMENT.read_text(encoding="utf-8")
    assert drawn_into(text) == text, "run: python manage.py draw_alert_states --write"


def test_every_action_leads_somewhere_known_and_has_its_words():
    for action, (before, after) in TRANSITIONS.items():
        assert before and before <= set(Alert.Status.values)
        assert after in (None, AS_IT_WAS) or after in Alert.Status.values
        assert action in DONE and action in ACTIONS


def test_what_the_product_does_by_itself_cannot_be_undone():
    assert not BY_THE_PRODUCT & CAN_BE_UNDONE and set(TRANSITIONS) >= CAN_BE_UNDONE


def test_every_status_can_be_left_and_a_resolved_alert_only_by_a_person():
    leaving = {action for action, (before, _) in TRANSITIONS.items() if "resolved" in before}
    assert leaving == {"reopen", "undo"}


def test_an_alert_in_somebodys_hands_is_never_closed_by_the_product():
    assert "acknowledged" not in TRANSITIONS["clear"][0]
    assert "acknowledged --> resolved: clear" not in diagram()
