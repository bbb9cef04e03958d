"""One content, one sequence of bytes: what digests are taken of."""

from __future__ import annotations

from json import JSONEncoder
from typing import Any

_ENCODER = JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def canonical(content: Any) -> bytes:
    """JSON with sorted keys and no spaces, in UTF-8."""
    return _ENCODER.encode(content).encode()
