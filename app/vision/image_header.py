"""Uploaded pictures as their headers tell: `verify` reads a few hundred bytes, and no pixel."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Literal

_JPEG_MAGIC = b"\xff\xd8\xff"
_PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
_PNG_END = b"IEND\xaeB`\x82"
_MAX_SEGMENTS = 1_000  # an ordinary picture has fewer than 50; a hostile one only costs time
# A progressive JPEG has some ten scans. Each costs a pass over all pixels, whatever its few bytes
# say: 6,000 of them hold a decoder for a minute. A film behind the picture may look like 100.
_MAX_SCANS = 200
# Start-of-frame markers that a baseline or progressive decoder accepts (ITU-T T.81, table B.1).
_JPEG_FRAMES = frozenset({0xC0, 0xC1, 0xC2})
_JPEG_OTHER_FRAMES = frozenset(range(0xC3, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_SCAN, _JPEG_END = 0xDA, 0xD9
_JPEG_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})

Code = Literal[
    "image_empty",
    "image_type",
    "image_too_large",
    "image_pixels",
    "image_truncated",
    "image_unreadable",
]


class ImageRejected(ValueError):
    """Not a picture this service accepts; ``code`` is stable, ``detail`` is English."""

    def __init__(self, code: Code, detail: str) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}"


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """What an upload may cost: bytes as received, and once decoded pixels (width × height) and
    pixels a side, because a strip one pixel high costs a detector more than a photograph."""

    max_bytes: int = 8 * 2**20
    max_pixels: int = 16_000_000
    max_side: int = 8_192


IMAGE_LIMITS = ImageLimits()


@dataclass(frozen=True, slots=True)
class ImageHeader:
    """What the header says, before any decoding; width and height as stored, unrotated."""

    media_type: Literal["image/jpeg", "image/png"]
    width: int
    height: int


def verify(data: bytes, limits: ImageLimits = IMAGE_LIMITS) -> ImageHeader:
    """Check type, size, pixels and completeness without decoding; raises ImageRejected."""
    if not data:
        raise ImageRejected("image_empty", "the upload has no bytes")
    if len(data) > limits.max_bytes:
        raise ImageRejected(
            "image_too_large", f"{len(data)} bytes; at most {limits.max_bytes} are accepted"
        )
    if data.startswith(_JPEG_MAGIC):
        header = _jpeg_header(data)
    elif data.startswith(_PNG_MAGIC):
        header = _png_header(data)
    else:
        raise ImageRejected("image_type", "neither a JPEG nor a PNG file")
    if not header.width or not header.height:
        raise ImageRejected("image_unreadable", "the header gives no width or no height")
    if header.width * header.height > limits.max_pixels:
        raise ImageRejected(
            "image_pixels",
            f"{header.width}x{header.height} pixels; at most {limits.max_pixels} are accepted",
        )
    if max(header.width, header.height) > limits.max_side:
        raise ImageRejected(
            "image_pixels",
            f"{header.width}x{header.height}; at most {limits.max_side} pixels a side are accepted",
        )
    return header


def _jpeg_header(data: bytes) -> ImageHeader:  # noqa: C901  the cases are the format's
    header: ImageHeader | None = None
    position = 2
    for _ in range(_MAX_SEGMENTS):
        while data[position : position + 2] == b"\xff\xff":  # fill bytes are allowed
            position += 1
        if position + 4 > len(data):
            raise ImageRejected("image_truncated", "the JPEG ends before its picture data")
        if data[position] != 0xFF:
            raise ImageRejected("image_unreadable", f"no JPEG marker at byte {position}")
        marker = data[position + 1]
        if marker in _JPEG_WITHOUT_LENGTH:
            position += 2
            continue
        (length,) = struct.unpack_from(">H", data, position + 2)
        if marker in _JPEG_FRAMES:
            if header is not None or length < 8 or position + 9 > len(data):
                raise ImageRejected("image_unreadable", "a malformed JPEG frame header")
            height, width = struct.unpack_from(">HH", data, position + 5)
            header = ImageHeader("image/jpeg", width, height)
        elif marker in _JPEG_OTHER_FRAMES:
            raise ImageRejected("image_type", "a lossless or arithmetic-coded JPEG")
        elif marker in (_JPEG_SCAN, _JPEG_END):
            if header is None:
                raise ImageRejected("image_unreadable", "a JPEG without a frame header")
            if data.count(b"\xff\xda", position) > _MAX_SCANS:
                raise ImageRejected("image_unreadable", f"more than {_MAX_SCANS} JPEG scans")
            # Picture data escapes every 0xFF, so an end marker after it is a real one.
            if data.rfind(b"\xff\xd9", position) < 0:
                raise ImageRejected("image_truncated", "the JPEG has no end marker")
            return header
        elif length < 2:
            raise ImageRejected("image_unreadable", f"a malformed JPEG segment at byte {position}")
        position += 2 + length
    raise ImageRejected("image_unreadable", f"more than {_MAX_SEGMENTS} JPEG segments")


def _png_header(data: bytes) -> ImageHeader:
    if len(data) < 33:
        raise ImageRejected("image_truncated", "the PNG ends inside its header")
    if data[8:16] != b"\x00\x00\x00\x0dIHDR":
        raise ImageRejected("image_unreadable", "a PNG that does not begin with IHDR")
    if _PNG_END not in data[-64:]:
        raise ImageRejected("image_truncated", "the PNG has no IEND chunk")
    width, height = struct.unpack_from(">II", data, 16)
    return ImageHeader("image/png", width, height)
