"""Folders for work under way: readable by their owner only, and swept once whoever had one is dead.

What an import lays out (names, ID numbers, photos) is plain while it is put in order. It lies under
the data folder, and a process that was killed leaves it to the next one's sweep.
"""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

_LOCK = ".lock"


class Workrooms:
    """Rooms in one folder, shared by all processes of the machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def room(self) -> Iterator[Path]:
        """An empty folder (0700) that is gone afterwards. What the dead left is swept first."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with ExitStack() as held:
            with _locked(self._folder):
                self._sweep()
                path = Path(tempfile.mkdtemp(dir=self._folder))
                held.callback(shutil.rmtree, path, ignore_errors=True)
                held.enter_context(_locked(path))  # as long as its owner lives
            yield path

    def sweep(self) -> int:
        """Remove the rooms of processes that are gone; how many."""
        if not self._folder.is_dir():
            return 0
        with _locked(self._folder):
            return self._sweep()

    def _sweep(self) -> int:
        swept = 0
        for path in self._folder.iterdir():
            if path.is_dir():
                with suppress(BlockingIOError), _locked(path, wait=False):
                    shutil.rmtree(path)
                    swept += 1
        return swept


@contextmanager
def _locked(folder: Path, *, wait: bool = True) -> Iterator[None]:
    """Raises BlockingIOError where another process, or another part of this one, has the lock."""
    with (folder / _LOCK).open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield
