"""Where bulk exports keep their files, and what a file of one may be called."""

import re
import shutil
from pathlib import Path
from uuid import UUID

from django.conf import settings

# Observation.000.ndjson: on disk it is packed, with .gz at its end.
FILE_NAME = re.compile(r"[A-Za-z]{2,40}\.[0-9]{3,6}\.ndjson")


def folder_of(key: UUID) -> Path:
    return Path(settings.EXPORT_FILES) / str(key)


def path_of(key: UUID, name: str) -> Path:
    """Where the packed file of that name lies. Raises ValueError for a name that no export gives."""
    if FILE_NAME.fullmatch(name) is None:
        raise ValueError(name)
    return folder_of(key) / f"{name}.gz"


def remove(key: UUID) -> None:
    shutil.rmtree(folder_of(key), ignore_errors=True)


def free_bytes() -> int:
    """Room where exports are written."""
    folder = Path(settings.EXPORT_FILES)
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free
