"""Files that are there whole or not at all, whatever ends the writing: a full disk, kill, power."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def write_whole(path: Path, data: bytes) -> None:
    """Put these bytes there, for their owner alone to read; what stood there stands until they are
    on the disk. Raises OSError, and leaves no part behind."""
    path = path.resolve()  # of a link, what it leads to
    if path.exists() and not path.is_file():  # a terminal, a pipe
        path.write_bytes(data)
        return
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        part.replace(path)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise
    with _opened(path.parent) as folder:
        os.fsync(folder)


@contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """No other process is in the same block for this folder."""
    with _opened(folder) as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield held
    finally:
        os.close(held)
