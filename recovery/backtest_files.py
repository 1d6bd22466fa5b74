"""Where backtests keep their files, and which exports an administrator may point at."""

import re
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from django.conf import settings

UPLOAD_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,120}\.(?:ndjson|ndjson\.gz|zip)")
RESULTS = ("report.html", "report.css", "report.json", "alerts.csv", "risk.csv", "forecast.csv")
MOST_EXPORTS = 200


@dataclass(frozen=True, slots=True)
class Files:
    """Where one run keeps what it was given and what it found."""

    root: Path
    uploaded: Path
    results: Path


def files_of(key: UUID) -> Files:
    root = Path(settings.BACKTEST_FILES) / str(key)
    return Files(root, root / "in", root / "out")


def exports() -> list[str]:
    """Folders with NDJSON files below the allowed root, by their place below it; none without a root."""
    root = _root()
    if root is None:
        return []
    try:
        folders = sorted(path for path in root.iterdir() if path.is_dir())
    except OSError:
        return []
    found = [path.name for path in folders if _is_export(path, root)]
    return found[:MOST_EXPORTS]


def export_folder(name: str) -> Path | None:
    """The folder that `exports` lists under `name`. A link that leads out of the root is none."""
    root = _root()
    if root is None or "/" in name or name in ("", ".", ".."):
        return None
    path = root / name
    return path.resolve() if _is_export(path, root) else None


def _root() -> Path | None:
    return Path(settings.BACKTEST_EXPORTS).resolve() if settings.BACKTEST_EXPORTS else None


def _is_export(path: Path, root: Path) -> bool:
    try:
        inside = path.resolve().is_relative_to(root) and path.is_dir()
        return inside and any(True for _ in path.glob("*.ndjson*"))
    except (OSError, ValueError):
        return False
