"""One picture to one FaceReading: the entry point of the worker processes.

    backends = load(BackendFiles())
    reading = read(jpeg_bytes, backends)

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

from app.vision import quality as quality_
from app.vision.backends import Backends
from app.vision.detector import Box
from app.vision.image import IMAGE_LIMITS, ImageLimits, Rgb, decode
from app.vision.landmarks import FaceRatios, ratios
from app.vision.passive import passive_cues
from app.vision.quality import SNAPSHOT, Quality, QualityLimits
from app.vision.reuse import perceptual_hashes


@dataclass(frozen=True, slots=True)
class FaceReading:
    """What the pixels of one picture say; without a face ``box``, ``quality``, ``ratios`` and
    ``embedding`` are None and ``reasons`` says so.

    width, height: pixels of the upright picture. reasons: ids into reasons.QUALITY, empty when
    good. passive: logged, never decided by. live_score: 0 attack - 1 live, None without the
    anti-spoofing model. perceptual_hash, mirrored_hash: 64 bits, for photo re-use.
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

    @classmethod
    def from_stored(
        cls, fields: Mapping[str, Any], embedding: NDArray[np.float32] | None = None
    ) -> FaceReading:
        """As `from_json`, of a document that holds other things beside the reading."""
        names = {field.name for field in fields_of(cls)} - {"embedding"}
        return cls.from_json({name: fields[name] for name in names}, embedding)

    @property
    def usable(self) -> bool:
        """One good face: nothing stands against comparing it."""
        return self.embedding is not None and not self.reasons

    def as_json(self) -> dict[str, Any]:
        """Plain JSON types, without the embedding."""
        names = (field.name for field in fields_of(self) if field.name != "embedding")
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


def read(
    data: bytes,
    backends: Backends,
    quality_limits: QualityLimits = SNAPSHOT,
    image_limits: ImageLimits = IMAGE_LIMITS,
) -> FaceReading:
    """Read one JPEG or PNG; raises ImageRejected. Pass quality.ENROLMENT for reference photos.

    The largest face is read when there are several, and ``reasons`` says that there are.
    """
    return read_picture(decode(data, image_limits), backends, quality_limits)


def read_picture(
    picture: Rgb, backends: Backends, quality_limits: QualityLimits = SNAPSHOT
) -> FaceReading:
    """As `read`, for a picture already decoded: uint8 (height, width, 3) RGB."""
    boxes = backends.detector.detect(picture)
    box = boxes[0] if boxes else None
    quality = face_ratios = live_score = embedding = None
    cues: dict[str, float] = {}
    if box is not None:
        points = backends.landmarker.locate(picture, box)
        face_ratios = ratios(points)
        quality = quality_.measure(picture, box, points, face_ratios)
        embedding = backends.embedder.embed(picture, points)
        cues = passive_cues(picture, box)
        if backends.anti_spoof is not None:
            live_score = backends.anti_spoof.live_score(picture, box)
    plain_hash, mirror_hash = perceptual_hashes(picture)
    height, width = picture.shape[:2]
    return FaceReading(
        width=width,
        height=height,
        face_count=len(boxes),
        box=box,
        quality=quality,
        reasons=quality_.reasons(
            len(boxes), quality, quality_limits, cut_off=box is not None and _cut_off(box, picture)
        ),
        ratios=face_ratios,
        passive=cues,
        live_score=live_score,
        perceptual_hash=plain_hash,
        mirrored_hash=mirror_hash,
        detector=backends.detector.model,
        model=backends.embedder.card.model,
        anti_spoof=None if backends.anti_spoof is None else backends.anti_spoof.model,
        embedding=embedding,
    )


def _cut_off(box: Box, picture: Rgb) -> bool:
    """More than a tenth of the face box lies outside the picture."""
    height, width = picture.shape[:2]
    inside_width = min(box.right, width) - max(box.left, 0)
    inside_height = min(box.bottom, height) - max(box.top, 0)
    return bool(inside_width * inside_height < 0.9 * box.area)
