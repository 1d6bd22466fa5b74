"""A refusal that patients read in their language is one that is still said, letter by letter."""

import ast
from collections.abc import Iterator

import pytest

from recovery.presenters.portal_refusals import KNOWN
from tests.catalogs import ROOT

HELD = ROOT / "recovery" / "presenters" / "portal_refusals.py"


def texts(tree: ast.Module) -> Iterator[str]:
    """Each text of a module; a constant of the module inside one, such as the most letters, is written out."""
    named = {
        target.id: str(node.value.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            yield "".join(
                str(part.value) if isinstance(part, ast.Constant) else named.get(ast.unparse(part.value), "…")
                for part in node.values
            )


@pytest.fixture(scope="module")
def said() -> set[str]:
    files = (one for folder in ("recovery", "twinweb") for one in (ROOT / folder).rglob("*.py") if one != HELD)
    return {text for one in files for text in texts(ast.parse(one.read_text(encoding="utf-8")))}


@pytest.mark.parametrize("text", KNOWN)
def test_a_refusal_with_a_translation_is_said_in_the_source(said, text):
    assert text in said
