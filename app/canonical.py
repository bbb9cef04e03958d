"""One content, one sequence of bytes: what digests are taken of."""

from __future__ import annotations

import json
from typing import Any


def canonical(content: Any) -> bytes:
    """JSON with sorted keys and no spaces, in UTF-8."""
    return json.dumps(
        content, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    ).encode()
