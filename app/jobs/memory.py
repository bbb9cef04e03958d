"""Memory while classes are judged: columns come and go by megabytes, rows by thousands."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # parameters of glibc's mallopt(3)
_KEPT_BYTES = 1 << 28


@contextmanager
def undisturbed() -> Iterator[None]:
    """No garbage collection, and freed memory stays at hand.

    A class's rows and bodies are in no cycles: to look among them for garbage again and again takes
    a tenth of a night. To give pages back to the system and have others cleared takes a twentieth.
    """
    _keep_freed_pages()
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


@cache
def _keep_freed_pages() -> None:
    with suppress(OSError, AttributeError):  # another C library
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_TRIM_THRESHOLD, _KEPT_BYTES)
        mallopt(_MMAP_THRESHOLD, _KEPT_BYTES)
