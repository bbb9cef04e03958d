"""What is told, as an answer carries it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec


def as_json(told: msgspec.Struct | Mapping[str, Any]) -> dict[str, Any]:
    """A struct, or a mapping that holds structs, as the JSON object that it becomes."""
    answer: dict[str, Any] = msgspec.to_builtins(told)
    return answer
