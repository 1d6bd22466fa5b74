"""What the suite runs once (docs/adr/0020) touches no store of the run: a second run of it could show nothing new."""

import ast
from pathlib import Path

import pytest

from tests.run_suite import STORELESS

ROOT = Path(__file__).resolve().parents[2]
OPENS_A_DATABASE = {"django_db", "db", "transactional_db", "django_db_blocker"}
STARTS_A_PRODUCT = (
    "tests/functional/ward.py",
    "tests/functional/test_integrator_journey.py",
    "tests/functional/clients/product.py",
)


def names_in(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    attributes = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    return attributes | {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}


@pytest.mark.parametrize("folder", STORELESS)
def test_no_test_of_it_may_open_the_database_of_the_run(folder: str) -> None:
    files = sorted((ROOT / folder).rglob("*.py"))
    assert files
    opened = {str(path.relative_to(ROOT)) for path in files if names_in(path) & OPENS_A_DATABASE}
    assert not opened


@pytest.mark.parametrize("name", STARTS_A_PRODUCT)
def test_a_product_that_a_browser_test_starts_takes_no_store_of_the_run(name: str) -> None:
    assert '("DATABASE_URL", "REDIS_URL")' in (ROOT / name).read_text()
