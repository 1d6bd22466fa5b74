"""The table of design section 4: who may import whom. Read from the syntax tree, so lazy imports count too."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OFFLINE = ("fit", "evaluate")
FRAMEWORKS = ("django", "rest_framework", "celery", "fhir", "plotly", "redis", "kombu")
ANALYSIS = ("pandas", "lifelines", "sklearn")


@dataclass(frozen=True)
class Room:
    """A folder and the prefixes of modules that nothing in it may import."""

    path: str
    never: tuple[str, ...]


DOORS = ("recovery.views", "recovery.jobs", "recovery.management")
ROOMS = (
    Room("recovery/twin", (*FRAMEWORKS, "recovery.models", "recovery.services", "recovery.selectors", "integrations")),
    Room("recovery/models", ("recovery.services", "recovery.views", "recovery.selectors", "integrations")),
    Room("recovery/services", (*DOORS, "integrations", "django.http", "django.shortcuts", "recovery.presenters")),
    Room("recovery/selectors", ("recovery.services", *DOORS, "integrations", "django.http")),
    Room("recovery/presenters", ("recovery.models", "recovery.services", *DOORS, "integrations", "django.db")),
    Room("recovery/views", ("recovery.jobs", "recovery.management", "integrations")),
    Room("recovery/jobs", ("recovery.views", "recovery.management", "integrations")),
    Room("recovery", ("integrations", "twinweb")),
    Room("integrations", ("recovery.models", "twinweb", "recovery.views", "recovery.jobs")),
)


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def breaks(name: str, forbidden: tuple[str, ...]) -> bool:
    return any(name == prefix or name.startswith(prefix + ".") for prefix in forbidden)


def sources(folder: str) -> list[Path]:
    return [path for path in sorted((ROOT / folder).rglob("*.py")) if "migrations" not in path.parts]


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.path)
def test_a_room_imports_only_what_it_may(room: Room):
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sources(room.path)
        for name in imports_of(path)
        if breaks(name, room.never)
    ]
    assert wrong == []


def test_data_frames_and_fitting_stay_in_the_offline_files_of_the_twin():
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sources("recovery/twin")
        if not path.stem.startswith(OFFLINE)
        for name in imports_of(path)
        if breaks(name, ANALYSIS)
    ]
    assert wrong == []


def test_the_twin_has_no_clock_and_no_unseeded_chance():
    wrong = []
    for path in sources("recovery/twin"):
        text = path.read_text(encoding="utf-8")
        for phrase in ("datetime.now", "time.time(", "utcnow", "np.random.seed", "default_rng()", "random.random("):
            if phrase in text:
                wrong.append(f"{path.relative_to(ROOT)}: {phrase}")
    assert wrong == []


def test_only_one_file_imports_fhir_resources_and_only_its_r4b_models():
    wrong = []
    for folder in ("recovery", "integrations", "twinweb"):
        for path in sources(folder):
            for name in imports_of(path):
                if breaks(name, ("fhir.resources",)) and (
                    path != ROOT / "integrations/fhir/resources.py" or not name.startswith("fhir.resources.R4B")
                ):
                    wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert wrong == []


def test_nothing_unpickles():
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for folder in ("recovery", "integrations", "twinweb")
        for path in sources(folder)
        for name in imports_of(path)
        if breaks(name, ("pickle", "joblib", "dill", "shelve", "marshal"))
    ]
    assert wrong == []


def test_services_never_read_the_clock():
    wrong = []
    for path in sources("recovery/services"):
        text = path.read_text(encoding="utf-8")
        wrong += [
            f"{path.relative_to(ROOT)}: {phrase}"
            for phrase in ("timezone.now(", "datetime.now(", "time.time(")
            if phrase in text
        ]
    assert wrong == []


def test_the_top_level_is_what_the_owner_asked_for():
    asked = {"manage.py", "twinweb", "recovery", "integrations", "templates", "static", "tests", "requirements.txt"}
    assert asked <= {path.name for path in ROOT.iterdir()}
