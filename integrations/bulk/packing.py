"""NDJSON files packed as they are written, in one gzip member each, that can be gone on with after a kill.

At a checkpoint the packer forgets what it has seen (Z_FULL_FLUSH): whoever opens the file at that length can append to
it. So a file is always one gzip member, which every client can read, and is cut back to its last checkpoint at most.
"""

import os
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"  # gzip, deflate, no name, no time (RFC 1952)
LEVEL = 1  # readings are alike: a higher level costs much and gains little


@dataclass(slots=True)
class Mark:
    """How far a file is: bytes on disk, checksum and length of what is packed in them, lines."""

    size: int = 0
    crc: int = 0
    length: int = 0
    lines: int = 0


class PackedFile:
    """A file to which lines are added. `mark`: its last checkpoint."""

    def __init__(self, path: Path, mark: Mark | None = None) -> None:
        self.mark = mark or Mark()
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b")
        self._file.truncate(self.mark.size)
        self._file.seek(self.mark.size)
        if self.mark.size == 0:
            self._file.write(_HEADER)
        self._crc, self._length, self.lines = self.mark.crc, self.mark.length, self.mark.lines
        self._packer = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)

    def add(self, lines: list[str]) -> None:
        if not lines:
            return
        content = ("\n".join(lines) + "\n").encode()
        self._crc = zlib.crc32(content, self._crc)
        self._length += len(content)
        self.lines += len(lines)
        self._file.write(self._packer.compress(content))

    def checkpoint(self) -> Mark:
        """All that was added is on the disk; the file can be gone on with from here."""
        self._file.write(self._packer.flush(zlib.Z_FULL_FLUSH))
        self._sync()
        self.mark = Mark(self._file.tell(), self._crc, self._length, self.lines)
        return self.mark

    def finish(self) -> int:
        """Close the file for good; returns how many lines it holds."""
        self._file.write(self._packer.flush(zlib.Z_FINISH))
        self._file.write((self._crc & 0xFFFFFFFF).to_bytes(4, "little"))
        self._file.write((self._length & 0xFFFFFFFF).to_bytes(4, "little"))
        self._sync()
        self._file.close()
        return self.lines

    def leave(self) -> None:
        """Close it as it is: what is beyond the checkpoint will be cut off."""
        self._file.close()

    @property
    def length(self) -> int:
        """Bytes of text so far."""
        return self._length

    def _sync(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())


def said(mark: Mark) -> dict[str, Any]:
    return asdict(mark)
