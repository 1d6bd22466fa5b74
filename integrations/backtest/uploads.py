"""What was uploaded, made into an export: archives are unpacked, file by file and never beyond a size."""

import zipfile
import zlib
from pathlib import Path

from integrations.backtest.errors import BacktestRefused
from recovery.backtest_files import UPLOAD_NAME

PIECE = 1024 * 1024
SOURCES = frozenset(("SOURCE.txt", "SOURCE.md", "SOURCE"))
NOT_READABLE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError)


def unpack(folder: Path, most_bytes: int) -> None:
    """Unpacks the zip archives in `folder` and removes them. Only NDJSON files and a SOURCE file are taken, whatever
    folder of the archive they are in. Raises BacktestRefused for what is no archive, or holds too much."""
    left = most_bytes
    for path in sorted(folder.glob("*.zip")):
        try:
            with zipfile.ZipFile(path) as archive:
                for member in archive.infolist():
                    left -= _take(archive, member, folder, left)
        except NOT_READABLE as error:
            raise BacktestRefused(f"{path.name} is no zip archive that can be read: {error}") from error
        path.unlink()


def _take(archive: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path, left: int) -> int:
    """Bytes written. Counted as they come: what an archive says of its size is not believed."""
    name = member.filename.rpartition("/")[2]
    wanted = name in SOURCES or (UPLOAD_NAME.fullmatch(name) and not name.endswith(".zip"))
    if member.is_dir() or not wanted:
        return 0
    size, part = 0, folder / f".{name}.part"
    with archive.open(member) as source, part.open("wb") as target:
        while piece := source.read(PIECE):
            size += len(piece)
            if size > left:
                part.unlink()
                raise BacktestRefused("The archive holds more than may be unpacked here; place the export in a folder.")
            target.write(piece)
    part.replace(folder / name)
    return size
