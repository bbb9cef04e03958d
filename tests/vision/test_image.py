"""Hostile and broken uploads are refused before anything decodes them."""

from __future__ import annotations

import contextlib
import struct
import subprocess
import sys
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.vision.image import decode
from app.vision.image_header import IMAGE_LIMITS, ImageLimits, ImageRejected, verify

PICTURE = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
JPEG = cv2.imencode(".jpg", PICTURE)[1].tobytes()
PNG = cv2.imencode(".png", PICTURE)[1].tobytes()


def rejection(data: bytes, limits: ImageLimits = IMAGE_LIMITS) -> str:
    with pytest.raises(ImageRejected) as refused:
        verify(data, limits)
    return refused.value.code


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, pixels: bytes = b"") -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = [chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(pixels)), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def jpeg_with_size(width: int, height: int) -> bytes:
    start = JPEG.index(b"\xff\xc0") + 5
    return JPEG[:start] + struct.pack(">HH", height, width) + JPEG[start + 4 :]


@pytest.mark.parametrize(("data", "media_type"), [(JPEG, "image/jpeg"), (PNG, "image/png")])
def test_an_ordinary_picture_is_accepted_with_its_size(data: bytes, media_type: str) -> None:
    header = verify(data)
    assert (header.media_type, header.width, header.height) == (media_type, 64, 48)
    assert decode(data).shape == (48, 64, 3)


def progressive(again: int = 0) -> bytes:
    """A progressive JPEG whose last scan stands there some more times."""
    flags = [cv2.IMWRITE_JPEG_PROGRESSIVE, 1]
    data = cv2.imencode(".jpg", PICTURE, flags)[1].tobytes()
    scan, end = data.rindex(b"\xff\xda"), data.rindex(b"\xff\xd9")
    return data[:end] + data[scan:end] * again + data[end:]


def test_a_progressive_jpeg_is_accepted_and_one_of_endless_scans_is_not() -> None:
    assert decode(progressive()).shape == (48, 64, 3)
    assert decode(progressive() + b"\xff\xda" * 100).shape == (48, 64, 3)  # a film behind it
    assert rejection(progressive(again=300)) == "image_unreadable"


def test_zero_bytes_are_refused() -> None:
    assert rejection(b"") == "image_empty"


@pytest.mark.parametrize("data", [b"GIF89a" + bytes(40), b"<svg/>", b"\x00" * 64, b"\xff\xd8"])
def test_another_type_is_refused_whatever_it_calls_itself(data: bytes) -> None:
    assert rejection(data) == "image_type"


def test_ten_megabytes_are_refused_by_their_length_alone() -> None:
    assert rejection(JPEG + bytes(10 * 2**20)) == "image_too_large"


@pytest.mark.parametrize(
    "data", [png(50_000, 50_000), jpeg_with_size(65_000, 65_000), png(1, 9_000), png(9_000, 1)]
)
def test_a_pixel_bomb_is_refused_from_its_header(data: bytes) -> None:
    assert rejection(data) == "image_pixels"


@pytest.mark.parametrize("data", [png(0, 10), jpeg_with_size(0, 10), jpeg_with_size(10, 0)])
def test_a_picture_without_extent_is_refused(data: bytes) -> None:
    assert rejection(data) == "image_unreadable"


@pytest.mark.parametrize("share", [0.05, 0.3, 0.6, 0.9, 0.99])
@pytest.mark.parametrize("data", [JPEG, PNG], ids=["jpeg", "png"])
def test_a_truncated_upload_is_refused(data: bytes, share: float) -> None:
    assert rejection(data[: max(4, int(len(data) * share))]) in {"image_truncated", "image_type"}


def test_a_thumbnail_inside_does_not_hide_that_the_picture_is_truncated() -> None:
    exif = b"Exif\x00\x00" + JPEG  # metadata holding a complete small JPEG with its own end marker
    segment = b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif
    whole = JPEG[:2] + segment + JPEG[2:]
    assert verify(whole).width == 64
    assert rejection(whole[:-20]) == "image_truncated"


def test_endless_segments_cost_no_time() -> None:
    assert rejection(b"\xff\xd8" + b"\xff\xe0\x00\x02" * 500_000) == "image_unreadable"


def test_a_header_that_lies_about_the_size_is_refused_when_decoded() -> None:
    with pytest.raises(ImageRejected) as refused:
        decode(png(64, 48, pixels=b"\x00" * 10))
    assert refused.value.code == "image_unreadable"


def test_the_exif_orientation_is_applied_and_nothing_else_survives() -> None:
    entry = struct.pack(">HHIHH", 0x0112, 3, 1, 6, 0)  # orientation 6: turn right
    tiff = b"MM\x00\x2a" + struct.pack(">I", 8) + struct.pack(">H", 1) + entry + bytes(4)
    exif = b"Exif\x00\x00" + tiff
    tagged = JPEG[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + JPEG[2:]
    upright = decode(tagged)
    assert upright.shape == (64, 48, 3)
    assert np.array_equal(upright, np.rot90(decode(JPEG), k=-1))


def test_the_site_chooses_its_limits() -> None:
    assert rejection(JPEG, ImageLimits(max_bytes=100)) == "image_too_large"
    assert rejection(JPEG, ImageLimits(max_pixels=1000)) == "image_pixels"


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_corruption_escapes_as_another_error(data: st.DataObject) -> None:
    original = data.draw(st.sampled_from([JPEG, PNG]))
    broken = bytearray(original)
    for _ in range(data.draw(st.integers(1, 8))):
        broken[data.draw(st.integers(0, min(400, len(broken)) - 1))] = data.draw(
            st.integers(0, 255)
        )
    with contextlib.suppress(ImageRejected):
        decode(bytes(broken), ImageLimits(max_pixels=100_000))


def test_verifying_matching_and_judging_load_no_image_library() -> None:
    code = (
        "import sys; from app.vision import calibrate, crowd, face_reading, image_header; "
        "from app.vision import liveness, match, reasons, seen; "
        "assert not {'cv2', 'dlib', 'onnxruntime'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
