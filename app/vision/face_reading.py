"""What is measured in one picture, as numbers: readable without an image library.

A reading pickles, and `FaceReading.as_json` / `from_json` carry everything but the embedding, which
is face data and stored encrypted apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from dataclasses import fields as fields_of
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Box:
    """A face rectangle in pixels of the full picture; right and bottom lie just outside it."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def height(self) -> int:
        return self.bottom - self.top

    @property
    def area(self) -> int:
        return self.width * self.height


@dataclass(frozen=True, slots=True)
class FaceRatios:
    """Numbers without a unit, independent of the size of the face.

    jaw_ratio: ln(|nose - left jaw| / |nose - right jaw|), 0 when frontal; in an unmirrored picture
    positive when the person turns to their own left. A turned photograph barely changes it.
    eye_aspect: opening of the eyes over their width, mean of both (Soukupova & Cech 2016).
    mouth_opening: inner lip opening over its width; closed <= 0.1, open >= 0.5.
    roll: tilt of the line between the eyes in degrees, positive clockwise in the picture.
    """

    jaw_ratio: float
    eye_aspect: float
    mouth_opening: float
    roll: float


@dataclass(frozen=True, slots=True)
class Quality:
    """Measured values of the largest face.

    interocular: pixels between the eye centres. sharpness: variance of the Laplacian of the face
    at 160 pixels over the variance of its grey, so that neither dim light nor dark skin counts as
    blur. brightness: mean grey level 0-255. contrast: standard deviation of grey.
    clipped: share of face pixels below 8 or above 247. jaw_ratio and roll: see FaceRatios.
    """

    interocular: float
    sharpness: float
    brightness: float
    contrast: float
    clipped: float
    jaw_ratio: float
    roll: float


_APART = {"embedding", "codes"}  # kept elsewhere than what a reading says


@dataclass(frozen=True, slots=True)
class FaceReading:
    """What the pixels of one picture say; without a face ``box``, ``quality``, ``ratios`` and
    ``embedding`` are None and ``reasons`` says so.

    width, height: pixels of the upright picture. reasons: ids into reasons.QUALITY, empty when
    good. passive: logged, never decided by. live_score: 0 attack - 1 live, None without the
    anti-spoofing model. perceptual_hash, mirrored_hash: 64 bits of
    the aligned face, for photo re-use; without a face, and in readings of 0.1, of the picture.
    codes: `photo_code.photo_codes` of the aligned face.
    """

    width: int
    height: int
    face_count: int
    box: Box | None
    quality: Quality | None
    reasons: tuple[str, ...]
    ratios: FaceRatios | None
    passive: dict[str, float]
    live_score: float | None
    perceptual_hash: int
    mirrored_hash: int
    detector: str
    model: str
    anti_spoof: str | None
    embedding: NDArray[np.float32] | None
    codes: bytes | None = None

    @classmethod
    def from_stored(
        cls, fields: Mapping[str, Any], embedding: NDArray[np.float32] | None = None
    ) -> FaceReading:
        """As `from_json`, of a document that holds other things beside the reading."""
        names = {field.name for field in fields_of(cls)} - _APART
        return cls.from_json({name: fields[name] for name in names}, embedding)

    @property
    def usable(self) -> bool:
        """One good face: nothing stands against comparing it."""
        return self.embedding is not None and not self.reasons

    def as_json(self) -> dict[str, Any]:
        """Plain JSON types, without the embedding and the codes."""
        names = (field.name for field in fields_of(self) if field.name not in _APART)
        fields = {name: getattr(self, name) for name in names}
        for name in ("box", "quality", "ratios"):
            fields[name] = None if fields[name] is None else asdict(fields[name])
        fields["reasons"] = list(self.reasons)
        for name in ("perceptual_hash", "mirrored_hash"):
            fields[name] = f"{fields[name]:016x}"  # 64 bits do not survive a JSON number
        return fields

    @classmethod
    def from_json(
        cls, fields: dict[str, Any], embedding: NDArray[np.float32] | None = None
    ) -> FaceReading:
        """The inverse of `as_json`."""
        kinds = {"box": Box, "quality": Quality, "ratios": FaceRatios}
        parts = {name: kind(**fields[name]) for name, kind in kinds.items() if fields[name]}
        hashes = {name: int(fields[name], 16) for name in ("perceptual_hash", "mirrored_hash")}
        reasons = tuple(fields["reasons"])
        return cls(**{**fields, **parts, **hashes, "reasons": reasons, "embedding": embedding})
