"""One product per data directory: a file lock that ends with the process that holds it, however it ends."""

import fcntl
import os
from pathlib import Path


class DataDirectoryInUse(RuntimeError):
    """Another process runs on this data directory; the text says which."""


def hold(data: Path, note: str) -> int:
    """Take the lock of the data directory and leave `note` (who holds it) in its file.

    Returns the open file, which must stay open for as long as the lock is needed and survives an exec; children
    do not inherit it. Raises DataDirectoryInUse.
    """
    handle = os.open(data / "up.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(handle, 300).decode(errors="replace").strip()
        os.close(handle)
        raise DataDirectoryInUse(
            f"{data} is in use by {holder or 'another process'}. Stop that one first, or give this one its own"
            " directory with TWINWEB_DATA."
        ) from None
    os.ftruncate(handle, 0)
    os.pwrite(handle, note.encode(), 0)
    os.set_inheritable(handle, True)
    return handle
