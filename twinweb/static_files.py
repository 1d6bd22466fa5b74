"""Files of the product travel compressed, also where nobody ran `collectstatic` (embedded)."""

import gzip
import hashlib
import logging
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from wsgiref.headers import Headers

from django.conf import settings
from whitenoise.compress import Compressor
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import StaticFile

logger = logging.getLogger(__name__)
# Below this a packed file saves less than a packet.
LEAST_BYTES = 256


class StaticFilesMiddleware(WhiteNoiseMiddleware):
    """WhiteNoise, which finds the packed copies that `collectstatic` laid beside the files. Files that are served as
    they lie in the source get theirs at the start of a process, in the data directory."""

    def get_static_file(self, path: str, url: str, stat_cache: Mapping[str, os.stat_result] | None = None) -> Any:
        if Path(path).is_relative_to(self.static_root):
            return super().get_static_file(path, url, stat_cache)
        copy = packed(Path(path), settings.DATA_DIR / "packed")
        if copy is None:
            return super().get_static_file(path, url, stat_cache)
        headers = Headers([])
        self.add_mime_headers(headers, path, url)
        self.add_cache_headers(headers, path, url)
        return StaticFile(path, headers.items(), encodings={"gzip": str(copy)})


def packed(file: Path, folder: Path) -> Path | None:
    """The compressed copy of `file` in `folder`, made where there is none of this state of the file; None where it
    would save nothing, or cannot be kept: the file is then sent as it is."""
    state = file.stat()
    if state.st_size < LEAST_BYTES or not Compressor(quiet=True).should_compress(file.name):
        return None
    mark = hashlib.blake2b(f"{file}:{state.st_mtime_ns}:{state.st_size}".encode(), digest_size=12).hexdigest()
    copy = folder / f"{mark}.gz"
    if not copy.exists():
        try:
            _pack(file, copy)
        except OSError:
            logger.warning("a file of the product could not be packed", exc_info=True)
            return None
    return copy


def _pack(file: Path, copy: Path) -> None:
    """Whole or not at all: several processes may start at once."""
    copy.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=copy.parent) as aside:
        part = Path(aside) / copy.name
        part.write_bytes(gzip.compress(file.read_bytes(), mtime=0))
        os.replace(part, copy)
