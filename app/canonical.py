"""One content, one sequence of bytes: what digests are taken of."""

from __future__ import annotations

from typing import Any

import msgspec

_ENCODER = msgspec.json.Encoder(order="sorted")


def canonical(content: Any) -> bytes:
    """JSON with sorted keys and no spaces, in UTF-8; a number that is none becomes null."""
    return _ENCODER.encode(content)
