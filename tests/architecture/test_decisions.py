"""Decisions are cited by number: each number is one page, and a number that is cited is a page."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "docs" / "adr").glob("*.md"))


def test_decisions_are_numbered_without_gap_or_repeat() -> None:
    assert [int(page.name[:4]) for page in PAGES] == list(range(1, len(PAGES) + 1))


def test_a_decision_bears_the_number_of_its_file() -> None:
    for page in PAGES:
        assert page.read_text().startswith(f"# {int(page.name[:4])}. "), page.name


def test_every_decision_that_is_cited_is_there() -> None:
    places = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    places += [path for room in ("twinweb", "recovery", "integrations") for path in (ROOT / room).rglob("*.py")]
    cited = {int(number) for path in places for number in re.findall(r"\bADR (\d+)", path.read_text())}
    assert cited and cited <= set(range(1, len(PAGES) + 1))
