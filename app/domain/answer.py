"""What the service answers with: structs that become JSON as they are, and describe themselves.

The OpenAPI document takes its schemas from them (`app/api/answers.py`), so a field is named once.
Fields are written in order; one that is `UNSET` is left out.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

__all__ = ["UNSET", "Answer", "Date", "EpochMs", "Sha256", "UnsetType"]

Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$", description="SHA-256 in hexadecimal")]
EpochMs = Annotated[int, Meta(description="epoch milliseconds")]
Date = Annotated[str, Meta(extra_json_schema={"format": "date"})]


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Base of everything that is answered. What derives from it is frozen and kw_only as well."""
