"""The topics that are published say what the table says."""

import json
from pathlib import Path

from integrations.subscriptions.topics import TOPICS
from recovery.services.outbox import RISK_MOVED

FOLDER = Path(__file__).resolve().parents[4] / "docs" / "topics"


def test_each_topic_is_published_with_its_type_and_its_filters() -> None:
    held = {one["url"]: one for one in (json.loads(path.read_text()) for path in FOLDER.glob("*.json"))}
    assert set(held) == set(TOPICS)
    for url, topic in TOPICS.items():
        said = held[url]
        assert said["resourceTrigger"][0]["resource"] == topic.type
        assert tuple(one["filterParameter"] for one in said["canFilterBy"]) == topic.filter_by


def test_the_documents_name_the_threshold_that_is_used() -> None:
    assert RISK_MOVED == 5.0
    assert "5 percentage points" in (FOLDER.parent / "subscriptions.md").read_text()
