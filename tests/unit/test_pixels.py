"""The comparison by pixel: what counts as a difference, and what an approval is."""

import json
import subprocess

import pytest
from PIL import Image

pytest.importorskip("playwright")
from tests.functional import pixels

SIZE = (100, 50)
WHITE = Image.new("RGB", SIZE, "white")


def with_dots(count: int, colour: tuple[int, int, int]) -> Image.Image:
    changed = WHITE.copy()
    for place in range(count):
        changed.putpixel((place % SIZE[0], place // SIZE[0]), colour)
    return changed


def test_the_share_is_that_of_the_pixels_that_differ_in_any_colour():
    assert pixels.difference(WHITE, WHITE) == 0
    assert pixels.difference(WHITE, with_dots(5, (255, 255, 0))) == 5 / 5000
    assert pixels.difference(WHITE, with_dots(6, (255, 255, 0))) > pixels.ALLOWED


def test_a_step_of_a_letters_edge_is_none_and_another_size_is_all():
    assert pixels.difference(WHITE, with_dots(5000, (255 - pixels.STEP, 255, 255))) == 0
    assert pixels.difference(WHITE, with_dots(5000, (254 - pixels.STEP, 255, 255))) == 1
    assert pixels.difference(WHITE, Image.new("RGB", (100, 51), "white")) == 1


def test_ten_pages_in_six_viewports_and_three_modes_print_has_one():
    found = [name for page in pixels.PAGES for name, _, _ in pixels.names(page)]
    assert len(pixels.PAGES) == 10 and len(pixels.VIEWPORTS) == 6 and len(found) == len(set(found)) == 160


@pytest.fixture
def tree(tmp_path, monkeypatch):
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-C", str(tmp_path)]
    subprocess.run([*git, "init", "-q"], check=True)
    (tmp_path / "page.html").write_text("one")
    subprocess.run([*git, "add", "page.html"], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "one"], check=True)
    monkeypatch.setattr(pixels, "ROOT", tmp_path)
    monkeypatch.setattr(pixels, "BOOK", tmp_path / "approved.json")
    monkeypatch.setattr(pixels, "KEPT", tmp_path)
    return tmp_path


def test_an_approval_names_the_commit_who_and_why_and_a_changed_tree_has_none(tree):
    pixels.approve(["board"], "A. Lead", "the new row")
    said = json.loads((tree / "approved.json").read_text())["board"]
    assert len(said["revision"]) == 40 and (said["by"], said["why"]) == ("A. Lead", "the new row")
    (tree / "page.html").write_text("two")
    with pytest.raises(pixels.NotApproved, match="commit first"):
        pixels.approve(["alerts"], "A. Lead", "why not")
    with pytest.raises(pixels.NotApproved, match="nobody has approved"):
        pixels.approved("alerts")


def test_what_differs_stays_beside_the_approved_picture_and_the_rest_goes(tree):
    pixels.approve(["board"], "A. Lead", "the new row")
    revision = json.loads((tree / "approved.json").read_text())["board"]["revision"]
    old, new = tree / f"approved-{revision[:12]}", tree / "differing"
    old.mkdir(), new.mkdir()
    for place, (name, _, _) in enumerate(pixels.names("board")):
        WHITE.save(old / f"{name}.png")
        (with_dots(50, (0, 0, 0)) if place == 3 else WHITE).save(new / f"{name}.png")
    (said,) = pixels.compare(["board"], new)
    assert said.startswith("board-390-light: 1.00% of its pixels differ")
    assert sorted(one.name for one in new.iterdir()) == ["board-390-light-approved.png", "board-390-light.png"]
