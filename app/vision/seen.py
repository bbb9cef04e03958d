"""What face readers make of pictures, as it travels between processes and is stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.vision.model_card import ModelCard

NOT_RETRIEVABLE = "not_retrievable"


@dataclass(frozen=True, slots=True)
class Seen:
    """`fields` is `FaceReading.as_json()`; `embedding` float32 little-endian, None without a face;
    `card` that of the model which made it; `notices` what keeps a supplied model from use; `codes`
    that photographs are looked up by (`photo_code`), None without a face."""

    fields: dict[str, Any]
    embedding: bytes | None
    card: ModelCard
    notices: tuple[str, ...] = ()
    codes: bytes | None = None


@dataclass(frozen=True, slots=True)
class Unread:
    """A picture that gave nothing. `final`: it never will; `lost`: its bytes are not to be had."""

    reason: str
    final: bool
    lost: bool = False


@dataclass(frozen=True, slots=True)
class FacePicture:
    """A picture's bytes, and the box of its face as its reading has it; None: not known."""

    data: bytes
    box: dict[str, int] | None = None


@dataclass(frozen=True, slots=True)
class SamePhotograph:
    """Which of the candidates it is, and what their faces differ in after alignment, 0-1."""

    place: int
    residual: float
    mirrored: bool


def vector(embedding: bytes) -> NDArray[np.float32]:
    return np.frombuffer(embedding, "<f4").astype(np.float32)


def signed(hexadecimal: str) -> int:
    """64 bits, written in hex, as the signed integer that a database column holds.

    >>> signed("ffffffffffffffff")
    -1
    """
    value = int(hexadecimal, 16)
    return value - 2**64 if value >= 2**63 else value


def usable(fields: Mapping[str, Any] | None) -> bool:
    """One good face: nothing stands against comparing it."""
    return fields is not None and fields.get("face_count", 0) > 0 and not fields["reasons"]


def embedding_context(session_id: int) -> bytes:
    """What a photo's embedding is sealed for."""
    return f"face-embedding:{session_id}".encode()
