"""Photos of any phone arrive as a JPEG, upright and of a sane size; bombs do not arrive."""

from __future__ import annotations

import io
import struct
import zlib

import pillow_heif
import pytest
from PIL import Image, ImageFile

from app.vision import image_header
from app.vision.arrival import LONGEST, as_jpeg
from app.vision.image_header import ImageRejected
from app.vision.readers import FaceReaders
from app.vision.seen import Unread

TURN_RIGHT = 6  # EXIF: shown turned by 90°


def photo(kind: str, size: tuple[int, int] = (640, 480), orientation: int = 1) -> bytes:
    """Left half red, right half blue."""
    if kind == "HEIF":
        pillow_heif.register_heif_opener()
    picture = Image.new("RGB", size, (220, 20, 20))
    picture.paste((20, 20, 220), (size[0] // 2, 0, size[0], size[1]))
    exif = Image.Exif()
    exif[0x0112] = orientation
    kept = io.BytesIO()
    picture.save(kept, kind, **({} if kind == "BMP" else {"exif": exif}))
    return kept.getvalue()


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


@pytest.mark.parametrize("kind", ["HEIF", "WEBP", "BMP", "PNG", "JPEG"])
def test_every_usual_format_arrives_as_what_the_service_takes(kind: str) -> None:
    made = as_jpeg(photo(kind))
    assert image_header.verify(made).media_type == "image/jpeg"
    left, right = opened(made).getpixel((100, 240)), opened(made).getpixel((540, 240))
    assert isinstance(left, tuple) and isinstance(right, tuple)
    assert left[0] > 180 > 80 > left[2] and right[2] > 180 > 80 > right[0]


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "JPEG"])
def test_a_turned_photo_arrives_upright(kind: str) -> None:
    made = opened(as_jpeg(photo(kind, orientation=TURN_RIGHT)))
    assert made.size == (480, 640)
    top = made.getpixel((240, 100))
    assert isinstance(top, tuple) and top[0] > 180
    assert 0x0112 not in made.getexif()


@pytest.mark.parametrize("kind", ["HEIF", "WEBP", "BMP", "PNG", "JPEG"])
def test_half_a_photo_is_told_as_such_and_not_as_a_photo_of_nobody(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)  # as face_recognition sets it
    whole = photo(kind)
    with pytest.raises(ImageRejected) as told:
        as_jpeg(whole[: len(whole) * 2 // 3])
    assert told.value.code in ("image_truncated", "image_unreadable")
    assert as_jpeg(whole + bytes(3))


def test_a_photo_of_24_megapixels_arrives_scaled() -> None:
    assert opened(as_jpeg(photo("JPEG", (6000, 4000)))).size == (LONGEST, 1707)


def test_a_bomb_is_refused_by_its_header() -> None:
    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    header = struct.pack(">IIBBBBB", 9000, 8000, 8, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
    with pytest.raises(ImageRejected, match="image_pixels"):
        as_jpeg(bomb)


def test_what_is_no_photo_is_refused_for_what_it_is() -> None:
    readers = FaceReaders(0)
    assert readers.as_jpeg(b"no picture") == Unread("image_type", final=True)
    assert readers.as_jpeg(photo("WEBP")[:60]) == Unread("image_unreadable", final=True)
